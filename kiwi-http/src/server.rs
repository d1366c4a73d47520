//! Serving a router over a socket, with TLS when there is a certificate.

use crate::opening::Opened;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use kiwi_core::error::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::ServiceExt as _;

/// How long a client may take until it speaks, with a handshake, and to send its headers: whoever drips them holds a connection no longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections are open at once.
const CONNECTIONS: usize = 8192;

/// The certificate and key of a server.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Reads a chain of certificates and its key, both PEM.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self> {
        let fail = |path: &Path, what: &str| {
            Error::invalid("read certificate", format!("{} holds no {what}", path.display()))
                .with_hint("give PEM files: the server's certificate first, and its key")
        };
        let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| fail(certificates, "certificate").with_source(error))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| fail(key, "private key").with_source(error))?;
        let unfit = |error| Error::invalid("read certificate", "the certificate and the key cannot be used together").with_source(error);
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unfit)?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(unfit)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

/// Serves until `stop` ends, then lets requests that are under way end within `grace`.
pub async fn serve(listener: TcpListener, router: Router, tls: Option<Tls>, stop: impl Future<Output = ()>, grace: Duration) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let stopping = watch::Sender::new(false);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly; some will be free soon.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let (builder, router, watcher) = (builder.clone(), router.clone(), graceful.watcher());
        let (tls, mut stopping) = (tls.clone(), stopping.subscribe());
        tokio::spawn(async move {
            let _place = place;
            // An event must not wait for the next one to fill a packet.
            let _ = stream.set_nodelay(true);
            // Who has not said anything yet is not waited for when the server stops.
            let opened = tokio::select! {
                opened = open(tls, stream) => opened,
                _ = stopping.wait_for(|stopping| *stopping) => None,
            };
            if let Some(stream) = opened {
                connection(builder, router, stream, peer, watcher).await;
            }
        });
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// A connection that has begun to speak, within its time.
async fn open(tls: Option<Tls>, stream: TcpStream) -> Option<Opened<Box<dyn Socket>>> {
    let begin = async {
        let stream: Box<dyn Socket> = match tls {
            Some(tls) => Box::new(shake_hands(tls, stream).await?),
            None => Box::new(stream),
        };
        Opened::read(stream).await.ok().flatten()
    };
    tokio::time::timeout(PATIENCE, begin).await.ok().flatten()
}

async fn shake_hands(tls: Tls, stream: TcpStream) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    tls.0.accept(stream).await.inspect_err(|error| tracing::debug!(%error, "a handshake failed")).ok()
}

async fn connection(
    builder: Builder<TokioExecutor>,
    router: Router,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What to say when an address is taken.
pub fn taken(address: SocketAddr, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Conflict, "listen", format!("{address} cannot be listened on")).with_source(error).with_hint("choose another address with --listen")
}
