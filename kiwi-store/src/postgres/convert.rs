//! What PostgreSQL and sqlx say, as Kiwi's errors.

use kiwi_core::error::{Error, ErrorKind};
use sqlx::error::DatabaseError;
use std::io;

/// An error of a call that changed nothing: its transaction was not committed, or it only read.
pub(super) fn sql(operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| convert(operation, error)
}

/// An error of a COMMIT: whether it happened is only known when the server says so.
pub(super) fn committing(operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| {
        if error.as_database_error().is_some_and(|refused| refused.code().is_some_and(|code| code.starts_with("40"))) {
            return convert(operation, error);
        }
        unknown_outcome(operation).with_source(error)
    }
}

pub(super) fn unknown_outcome(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, operation, "the database went away while it was writing; the change is there whole, or not at all")
        .with_hint("look at the current state before you try again")
        .with_retry(false)
}

pub(super) fn too_slow(operation: &'static str) -> Error {
    Error::new(ErrorKind::Timeout, operation, "the database did not answer in time")
        .with_hint("check that the database is running, the network to it, and that nothing holds its tables locked")
}

fn convert(operation: &'static str, error: sqlx::Error) -> Error {
    let (kind, message, hint) = match &error {
        sqlx::Error::Database(refused) => refusal(&**refused),
        sqlx::Error::Io(failed) => connection(failed),
        sqlx::Error::Tls(problem) if problem.to_string().contains("does not support TLS") => {
            (ErrorKind::Tls, "the database offers no TLS", "switch TLS on in the server; sslmode=disable in the URL is for networks that nobody else can read")
        }
        sqlx::Error::Tls(_) => (
            ErrorKind::Tls,
            "the certificate of the database cannot be trusted",
            "name the CA that signed it with sslrootcert in the URL; the host in the URL must be one that the certificate names",
        ),
        sqlx::Error::PoolTimedOut => (
            ErrorKind::Unavailable,
            "no connection to the database could be had in time",
            "check that the database is running and reachable; a run that was under way goes on when it is back",
        ),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            (ErrorKind::Unavailable, "the connection to the database was closed", "start this process again")
        }
        sqlx::Error::Protocol(_) => {
            (ErrorKind::Protocol, "the database answered in a way that is not PostgreSQL's", "check that the URL points to a PostgreSQL server")
        }
        _ => (ErrorKind::Storage, "the database failed", "look at the server's log"),
    };
    Error::new(kind, operation, message).with_hint(hint).with_source(error)
}

/// By SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn refusal(error: &dyn DatabaseError) -> (ErrorKind, &'static str, &'static str) {
    let code = error.code().unwrap_or_default();
    match &*code {
        "28000" if error.message().contains("no encryption") || error.message().contains("SSL off") => (
            ErrorKind::Tls,
            "the database takes nobody without TLS, or not from this address",
            "write sslmode=verify-full in the URL, or add a line to pg_hba.conf",
        ),
        "28P01" | "28000" => (
            ErrorKind::Unauthenticated,
            "the database refused the user or the password",
            "check user and password in the URL, or PGPASSWORD; pg_hba.conf says who may come from where",
        ),
        "3D000" => (ErrorKind::NotFound, "the server has no database of this name", "check the name at the end of the URL, or make it with `createdb`"),
        "3F000" => (ErrorKind::NotFound, "the user has no schema to keep tables in", "the user's search_path must name a schema that exists"),
        "42501" => (ErrorKind::Forbidden, "the user may not do this in the database", "make the user the owner of the database: `ALTER DATABASE … OWNER TO …`"),
        "23503" => (ErrorKind::NotFound, "what this belongs to is not there any more", "it was removed meanwhile; there is nothing to do"),
        "25006" => (ErrorKind::Unavailable, "the server only reads: it is a standby", "give the address of the primary server"),
        "26000" | "42P05" => (
            ErrorKind::Unsupported,
            "a pooler between Kiwi and the database gives each transaction another connection",
            "set pool_mode = session there, or connect to the server itself",
        ),
        "40001" | "40P01" | "55P03" => (ErrorKind::Unavailable, "somebody else was writing the same", "try again"),
        "53100" => (ErrorKind::Storage, "the disk of the database is full", "free some space there; nothing that was acknowledged is lost"),
        "53300" => (ErrorKind::Unavailable, "the server has no free connection", "raise max_connections there, or run fewer replicas"),
        "57014" => (ErrorKind::Unavailable, "the server cancelled the statement", "look at statement_timeout and at the server's log"),
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => (ErrorKind::Unavailable, "the database is stopping or starting", "wait until it is up"),
        code if code.starts_with("08") => {
            (ErrorKind::Unavailable, "the connection to the database was lost", "check that the database is running, and the network to it")
        }
        code if code.starts_with("XX") => (ErrorKind::Storage, "the database is damaged", "look at the server's log; restore a backup"),
        _ => (ErrorKind::Storage, "the database failed", "look at the server's log"),
    }
}

fn connection(error: &io::Error) -> (ErrorKind, &'static str, &'static str) {
    // The standard library gives failed look-ups no kind of their own.
    if error.to_string().contains("failed to lookup address") {
        return (ErrorKind::HostNotFound, "the host of the database does not resolve", "check the host in the URL");
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            ErrorKind::ConnectionRefused,
            "nothing listens at the address of the database",
            "check host and port in the URL, and that the server listens on more than localhost",
        ),
        io::ErrorKind::NotFound => (ErrorKind::ConnectionRefused, "the socket or a file that the URL names is not there", "check the paths in the URL"),
        io::ErrorKind::InvalidData => (
            ErrorKind::Tls,
            "the certificate of the database cannot be trusted",
            "name the CA that signed it with sslrootcert in the URL; the host in the URL must be one that the certificate names",
        ),
        _ => (ErrorKind::Unavailable, "the connection to the database was lost", "check that the database is running, and the network to it"),
    }
}
