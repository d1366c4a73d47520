//! The session of one build: a gRPC server on a connection that the engine turned around.

use super::super::client::{Engine, credentials_key, send};
use super::super::context::Context;
use super::files::Files;
use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::health_server::{Health, HealthServer};
use bollard_buildkit_proto::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard_buildkit_proto::moby::filesync::v1::auth_server::{Auth, AuthServer};
use bollard_buildkit_proto::moby::filesync::v1::file_sync_server::FileSyncServer;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest, GetTokenAuthorityResponse,
    VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use kiwi_core::domain::RunId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BuildRequest, RegistryAccess};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{self, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::server::Connected;
use tonic::{Response, Status, async_trait};

/// The Dockerfile's name in the directory that the session serves it from.
pub(super) const DOCKERFILE: &str = "Dockerfile";

/// An open session; it ends when this is dropped.
pub(super) struct Session {
    pub(super) id: String,
    _server: AbortOnDropHandle<()>,
}

pub(super) async fn open(engine: &Engine, context: Context, request: &BuildRequest) -> Result<Session> {
    let id = RunId::generate().to_string();
    let mut connection = engine.raw().await?;
    let mut upgrade = Request::post("/session")
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c")
        .header("X-Docker-Expose-Session-Uuid", &id)
        .header("X-Docker-Expose-Session-Name", request.image.repository())
        // BuildKit keeps what it received under this key, so that the next build only sends what changed.
        .header("X-Docker-Expose-Session-Sharedkey", request.image.name());
    for method in [
        "/moby.filesync.v1.FileSync/DiffCopy",
        "/moby.filesync.v1.FileSync/TarStream",
        "/moby.filesync.v1.Auth/Credentials",
        "/moby.buildkit.secrets.v1.Secrets/GetSecret",
        "/grpc.health.v1.Health/Check",
    ] {
        upgrade = upgrade.header("X-Docker-Expose-Session-Grpc-Method", method);
    }
    let response = send(&mut connection, upgrade).await?;
    let refused = |source: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(ErrorKind::Unsupported, "open build session", "the engine has no BuildKit session")
            .with_source(source)
            .with_hint("choose the classic builder")
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(format!("it answered {}", response.status()).into()));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| refused(error.into()))?;
    let credentials = Credentials(request.pull.clone());
    let secrets = BuildSecrets(request.secrets.iter().map(|(name, value)| (name.to_string(), value.clone())).collect());
    let server = tonic::transport::Server::builder()
        .add_service(HealthServer::new(Alive))
        .add_service(FileSyncServer::new(Files::new(context)).max_decoding_message_size(16 << 20).max_encoding_message_size(16 << 20))
        .add_service(AuthServer::new(credentials))
        .add_service(SecretsServer::new(secrets))
        .serve_with_incoming(futures_util::stream::once(async move { Ok::<_, std::io::Error>(Turned(TokioIo::new(upgraded))) }));
    let task = tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::debug!(%error, "the build session ended");
        }
    });
    Ok(Session { id, _server: AbortOnDropHandle::new(task) })
}

/// A connection that we opened and on which the engine is now the client.
struct Turned(TokioIo<hyper::upgrade::Upgraded>);

impl Connected for Turned {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Turned {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Turned {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

struct Alive;

#[async_trait]
impl Health for Alive {
    async fn check(&self, _: tonic::Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(&self, _: tonic::Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("a build session has one service"))
    }

    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;
    async fn watch(&self, _: tonic::Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("a build session is checked, not watched"))
    }
}

/// Credentials for base images.
struct Credentials(Vec<RegistryAccess>);

#[async_trait]
impl Auth for Credentials {
    async fn credentials(&self, request: tonic::Request<CredentialsRequest>) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        let host = if host == "registry-1.docker.io" { "https://index.docker.io/v1/" } else { &host };
        let found = self.0.iter().find(|access| credentials_key(access) == host).and_then(|access| access.credentials.as_ref());
        let (username, secret) = found.map(|(username, secret)| (username.clone(), secret.expose_secret().to_owned())).unwrap_or_default();
        Ok(Response::new(CredentialsResponse { username, secret }))
    }

    async fn fetch_token(&self, _: tonic::Request<FetchTokenRequest>) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn get_token_authority(&self, _: tonic::Request<GetTokenAuthorityRequest>) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn verify_token_authority(&self, _: tonic::Request<VerifyTokenAuthorityRequest>) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }
}

/// Build secrets by id.
struct BuildSecrets(BTreeMap<String, SecretString>);

#[async_trait]
impl Secrets for BuildSecrets {
    async fn get_secret(&self, request: tonic::Request<GetSecretRequest>) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        match self.0.get(&id) {
            Some(secret) => Ok(Response::new(GetSecretResponse { data: secret.expose_secret().as_bytes().to_vec() })),
            None => Err(Status::not_found(format!("the service has no build secret {id}"))),
        }
    }
}
