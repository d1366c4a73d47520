//! The connection to an engine: bollard for everything but BuildKit, whose session bollard 0.21 cannot give secrets or
//! files to; for that, `raw` opens plain HTTP connections of its own.

use super::config::{DockerConfig, EngineAddress};
use super::convert;
use bollard::auth::DockerCredentials;
use bollard::{API_DEFAULT_VERSION, Docker};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::RegistryAccess;
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// A connection to one Docker Engine.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) docker: Docker,
    pub(super) config: Arc<DockerConfig>,
}

/// Answers of the engine may be slow while it builds or stops containers; the default of two minutes is too short.
const TIMEOUT_SECONDS: u64 = 600;

impl Engine {
    /// Prepares the connection; nothing is sent yet.
    pub fn new(config: DockerConfig) -> Result<Self> {
        let docker = match &config.address {
            EngineAddress::Unix(path) => {
                let Some(path) = path.to_str() else { return Err(Error::invalid("engine address", "the path of the socket is not UTF-8")) };
                // Checked here because bollard's own error names no path.
                if !std::path::Path::new(path).exists() {
                    return Err(Error::new(ErrorKind::ConnectionRefused, "reach Docker Engine", format!("there is no socket {path}"))
                        .with_hint("is the Docker Engine installed and running? `kiwi doctor` tells more"));
                }
                Docker::connect_with_unix(path, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
            }
            EngineAddress::Tcp { host, port } => Docker::connect_with_http(&format!("tcp://{host}:{port}"), TIMEOUT_SECONDS, API_DEFAULT_VERSION),
        }
        .map_err(convert::engine("reach Docker Engine"))?
        .with_request_modifier(fix_auth_headers);
        Ok(Self { docker, config: Arc::new(config) })
    }

    /// An HTTP/1.1 connection of its own.
    pub(super) async fn raw(&self) -> Result<http1::SendRequest<Full<Bytes>>> {
        let fail = |error: std::io::Error| {
            Error::new(ErrorKind::ConnectionRefused, "reach Docker Engine", format!("cannot connect to {}", self.config.address)).with_source(error)
        };
        let connect = async {
            match &self.config.address {
                EngineAddress::Unix(path) => handshake(UnixStream::connect(path).await.map_err(fail)?).await,
                EngineAddress::Tcp { host, port } => handshake(TcpStream::connect((host.trim_matches(['[', ']']), *port)).await.map_err(fail)?).await,
            }
        };
        match tokio::time::timeout(Duration::from_secs(10), connect).await {
            Ok(connection) => connection,
            Err(_) => Err(Error::new(ErrorKind::Timeout, "reach Docker Engine", format!("{} did not answer within 10 s", self.config.address))),
        }
    }
}

async fn handshake(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<http1::SendRequest<Full<Bytes>>> {
    let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(http("reach Docker Engine"))?;
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

/// Sends one request and hands the answer back, whatever its status.
pub(super) async fn send(sender: &mut http1::SendRequest<Full<Bytes>>, request: hyper::http::request::Builder) -> Result<Response<Incoming>> {
    let request: Request<Full<Bytes>> = request
        .header(header::HOST, "docker")
        .body(Full::new(Bytes::new()))
        .map_err(|error| Error::new(ErrorKind::Internal, "ask Docker Engine", "the request is malformed").with_source(error))?;
    sender.send_request(request).await.map_err(http("ask Docker Engine"))
}

pub(super) fn http(operation: &'static str) -> impl Fn(hyper::Error) -> Error {
    move |error| Error::new(ErrorKind::Unavailable, operation, "the connection to the Docker Engine broke").with_source(error)
}

/// bollard writes these headers in standard base64, but the engine reads the URL-safe alphabet: one password in five
/// with symbols is refused without this.
fn fix_auth_headers(mut request: bollard::BollardRequest) -> bollard::BollardRequest {
    for name in ["x-registry-auth", "x-registry-config"] {
        if let Some(value) = request.headers_mut().get_mut(name)
            && let Ok(text) = value.to_str()
            && let Ok(fixed) = header::HeaderValue::from_str(&text.replace('+', "-").replace('/', "_"))
        {
            *value = fixed;
        }
    }
    request
}

/// The host that the engine files credentials of a registry under.
pub(super) fn credentials_key(access: &RegistryAccess) -> String {
    match access.address.host() {
        // Docker Hub's historic key, which engines and BuildKit still look for.
        "docker.io" => "https://index.docker.io/v1/".to_owned(),
        host => host.to_owned(),
    }
}

pub(super) fn credentials(access: &RegistryAccess) -> Option<DockerCredentials> {
    let (username, password) = access.credentials.as_ref()?;
    Some(DockerCredentials {
        username: Some(username.clone()),
        password: Some(password.expose_secret().to_owned()),
        serveraddress: Some(credentials_key(access)),
        ..DockerCredentials::default()
    })
}

/// The credentials for an image of this registry host.
pub(super) fn credentials_for(host: &str, registries: &[RegistryAccess]) -> Option<DockerCredentials> {
    registries.iter().find(|access| access.address.host() == host && access.credentials.is_some()).and_then(credentials)
}

pub(super) fn all_credentials(registries: &[RegistryAccess]) -> HashMap<String, DockerCredentials> {
    registries.iter().filter_map(|access| Some((credentials_key(access), credentials(access)?))).collect()
}
