//! Which database, and how it is reached.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiwi_core::error::{Error, ErrorKind, Result};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fmt;
use std::net::IpAddr;
use url::Url;

/// What a URL may say beside user, host, port and database.
const PARAMETERS: [&str; 10] = ["application_name", "dbname", "host", "options", "password", "port", "sslcert", "sslkey", "sslmode", "sslrootcert"];
const TLS_MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// Where a [`PostgresStore`](super::PostgresStore) keeps things.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(super) options: PgConnectOptions,
    pub(super) connections: u32,
}

impl PostgresConfig {
    /// Reads `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path/to/ca.pem`.
    ///
    /// What the URL leaves out comes from libpq's variables (`PGPASSWORD`, `PGSSLMODE` and so on) and `~/.pgpass`. Without an `sslmode`, a server on
    /// another machine must prove who it is, as `verify-full` says. Errors: `InvalidInput`, without the password.
    pub fn parse(url: &SecretString) -> Result<Self> {
        // Never the error of a parser: it may quote what it was given.
        let malformed = |problem: &str| {
            Error::new(ErrorKind::InvalidInput, "read database URL", problem).with_hint("write postgres://user@host/database?sslmode=verify-full")
        };
        let url = Url::parse(url.expose_secret()).map_err(|_| malformed("the URL of the database cannot be read; a password in it must be percent-encoded"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(malformed("the URL of the database does not begin with postgres://"));
        }
        let mut mode = std::env::var("PGSSLMODE").ok();
        let mut names_ca = std::env::var_os("PGSSLROOTCERT").is_some();
        for (name, value) in url.query_pairs() {
            if !PARAMETERS.contains(&&*name) && !name.starts_with("options[") {
                return Err(malformed(&format!("the URL of the database has the unknown parameter {name:?}")));
            }
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => names_ca = true,
                _ => {}
            }
        }
        if mode.as_ref().is_some_and(|mode| !TLS_MODES.contains(&mode.as_str())) {
            return Err(malformed("sslmode is not one of disable, prefer, require, verify-ca, verify-full"));
        }
        let mut options: PgConnectOptions = url.as_str().parse().map_err(|_| malformed("a parameter in the URL of the database has a bad value"))?;
        if mode.is_none() && !is_here(&options) {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        if !names_ca && matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull) {
            options = options.ssl_root_cert_from_pem(certificates());
        }
        Ok(Self { options, connections: 10 })
    }

    /// Sets how many connections this process may have, beside one that listens; 10 otherwise.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(2);
        self
    }
}

/// Whether the way to the server never leaves this machine.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some() || host.starts_with('/') || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The certificates that this machine trusts, as PEM. Of itself, sqlx 0.8 with aws-lc-rs knows those of the Web alone.
fn certificates() -> Vec<u8> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!("a certificate of this machine cannot be read: {error}");
    }
    // One that rustls does not take would fail every connection.
    let fit = |certificate: &CertificateDer<'static>| RootCertStore::empty().add(certificate.clone()).is_ok();
    let pem = |certificate| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate));
    found.certs.into_iter().filter(fit).map(pem).collect::<String>().into_bytes()
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("database", &self.options.get_database())
            .field("user", &self.options.get_username())
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PostgresConfig> {
        PostgresConfig::parse(&url.to_owned().into())
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let config = parse("postgres://kiwi:hunter22@db.example.com/kiwi").unwrap();
        assert!(!format!("{config:?}").contains("hunter22"));
        for bad in [
            "postgres://kiwi:hunter22@db:x/kiwi",
            "mysql://kiwi:hunter22@db/kiwi",
            "postgres://db/kiwi?pasword=hunter22",
            "postgres://kiwi:hunter22@db/kiwi?sslmode=maybe",
            "postgres://kiwi:hunter22@db/kiwi?port=hunter22",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad}");
            assert!(!format!("{error:?} {} {}", error.chain(), error.hint()).contains("hunter22"), "{bad}");
        }
    }

    #[test]
    fn another_machine_must_prove_who_it_is() {
        for (url, verified) in [
            ("postgres://kiwi@db.example.com/kiwi", true),
            ("postgres://kiwi@10.0.0.1/kiwi", true),
            ("postgres://kiwi@db.example.com/kiwi?sslmode=disable", false),
            ("postgres://kiwi@127.0.0.1/kiwi", false),
            ("postgres:///kiwi?host=/run/postgresql", false),
        ] {
            let options = parse(url).unwrap().options;
            assert_eq!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull), verified, "{url}");
        }
    }
}
