//! Certificates: what is wrong with one is a finding, and the scan goes on.

use crate::server::{SAFE, answer, finding, html, router, rules, safe_but, scan, settings};
use axum::serve::Listener;
use kiwi_core::secret::SecretString;
use kiwi_scan::dast::Settings;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            // A client that does not trust the certificate hangs up here.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

struct Server {
    port: u16,
    authority: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A server with a certificate for `name` that ends in `year`.
async fn serve(name: &str, year: i32, handler: impl Fn(&axum::extract::Request) -> axum::response::Response + Send + Sync + 'static) -> Server {
    let key = KeyPair::generate().unwrap();
    let (certificate, authority) = signed(name, year, &[], &key);
    listen(certificate, &key, authority, handler).await
}

/// A certificate for `name` that ends in `year`, and the authority that signed it as PEM.
fn signed(name: &str, year: i32, purposes: &[ExtendedKeyUsagePurpose], key: &KeyPair) -> (Certificate, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.extended_key_usages = purposes.to_vec();
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
    (leaf.signed_by(key, &authority).unwrap(), authority.pem())
}

async fn listen(
    certificate: Certificate,
    key: &KeyPair,
    authority: String,
    handler: impl Fn(&axum::extract::Request) -> axum::response::Response + Send + Sync + 'static,
) -> Server {
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (router, asked) = router(handler);
    let listener = Tls { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server { port, authority, asked }
}

impl Server {
    async fn scan(&self, more: Settings) -> kiwi_core::domain::ScanReport {
        let addresses = vec!["127.0.0.1".parse().unwrap()];
        scan(&format!("https://www.shop.test:{}/", self.port), Settings { addresses, ..more }).await
    }

    fn trusted(&self) -> Settings {
        Settings { authorities: Some(self.authority.clone()), ..settings() }
    }
}

fn only_first(request: &axum::extract::Request) -> axum::response::Response {
    if request.uri().path() == "/" { html("<p>Welcome") } else { answer(404, SAFE, "none") }
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_is_a_finding() {
    let good = serve("www.shop.test", 2090, only_first).await;
    let report = good.scan(good.trusted()).await;
    assert_eq!((rules(&report), report.incomplete.as_deref(), report.notes.len()), ([].into(), None, 0), "{report:#?}");
    for (name, year, trusted, rule) in [
        ("www.shop.test", 2021, true, "tls-certificate-expired"),
        ("other.test", 2090, true, "tls-certificate-name"),
        ("www.shop.test", 2090, false, "tls-certificate-untrusted"),
    ] {
        let server = serve(name, year, only_first).await;
        let secret = vec![("Authorization".to_owned(), SecretString::from("Bearer s3cret"))];
        let base = if trusted { server.trusted() } else { settings() };
        let report = server.scan(Settings { headers: secret, ..base }).await;
        assert_eq!(rules(&report), [rule].into(), "{report:#?}");
        assert!(report.incomplete.is_none() && report.coverage.read.contains(&"/".to_owned()), "it goes on: {report:#?}");
        let notes = report.notes.join("\n");
        assert!(notes.contains("not verified") && notes.contains("were not sent"), "{notes}");
        assert!(finding(&report, rule).message.contains("www.shop.test"));
        assert!(!server.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn certificates_of_other_kinds_are_told_apart() {
    let key = KeyPair::generate().unwrap();
    let (certificate, authority) = signed("www.shop.test", 2090, &[ExtendedKeyUsagePurpose::ClientAuth], &key);
    let server = listen(certificate, &key, authority, only_first).await;
    assert_eq!(rules(&server.scan(server.trusted()).await), ["tls-certificate-invalid"].into());
    for authority in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut own = CertificateParams::new(vec!["www.shop.test".to_owned()]).unwrap();
        own.is_ca = authority;
        let server = listen(own.self_signed(&key).unwrap(), &key, String::new(), only_first).await;
        assert_eq!(rules(&server.scan(settings()).await), ["tls-certificate-untrusted"].into());
    }
}

#[tokio::test]
async fn headers_do_not_reach_a_server_that_nobody_knows() {
    let server =
        serve("www.shop.test", 2090, |request| if request.headers().contains_key("authorization") { answer(500, SAFE, "seen") } else { html("fine") }).await;
    let secret = || vec![("Authorization".to_owned(), SecretString::from("Bearer s3cret"))];
    let unknown = server.scan(Settings { headers: secret(), ..settings() }).await;
    assert_eq!(unknown.incomplete, None);
    let known = server.scan(Settings { headers: secret(), ..server.trusted() }).await;
    assert!(known.incomplete.unwrap().contains("500"));
}

#[tokio::test]
async fn what_only_counts_over_https() {
    let body = "<script src=http://cdn.test/x.js integrity=a></script><img src=http://cdn.test/i.png><form action=http://www.shop.test/in method=post></form>";
    let bad = safe_but(&[("strict-transport-security", "max-age=0"), ("set-cookie", "theme=dark; SameSite=Lax")]);
    let server =
        serve("www.shop.test", 2090, move |request| if request.uri().path() == "/" { answer(200, &bad, body) } else { answer(404, SAFE, "none") }).await;
    let report = server.scan(server.trusted()).await;
    assert_eq!(rules(&report), ["cookie-without-secure", "form-over-http", "hsts-missing", "mixed-content-active", "mixed-content-passive"].into());
    let body = "<script src=https://cdn.test/x.js integrity=a></script><img src=//cdn.test/i.png><form action=/in method=post><input type=password></form>";
    let good = safe_but(&[("set-cookie", "theme=dark; SameSite=None; Secure")]);
    let server =
        serve("www.shop.test", 2090, move |request| if request.uri().path() == "/" { answer(200, &good, body) } else { answer(404, SAFE, "none") }).await;
    assert_eq!(rules(&server.scan(server.trusted()).await), [].into());
}
