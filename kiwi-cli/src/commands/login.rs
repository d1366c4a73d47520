//! `kiwi login`, and where its token is kept.

use super::secrets;
use crate::args::{Global, Login, Output};
use crate::compose::config_directory;
use crate::facade::Client;
use crate::output;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::secret::SecretString;
use kiwi_http::wire::Facts;
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::process::ExitCode;
use url::Url;

pub(super) async fn run(global: &Global, login: Login) -> Result<ExitCode> {
    let token = secrets::one("token")?;
    if login.url.scheme() == "http" && !login.url.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]") {
        output::note("warning: http sends the token in clear");
    }
    let caller: Facts = Client::new(&login.url, token.clone())?.get("/whoami").await?;
    let mut tokens = read()?;
    tokens.insert(place(&login.url), token.expose_secret().to_owned());
    write(&tokens)?;
    output::result(global.output, &caller, || format!("you are {} of {} at {}", caller.name, caller.organization, login.url));
    if global.output == Output::Table {
        output::note(&format!("use it with --server {0}, or KIWI_SERVER={0}", login.url));
    }
    Ok(ExitCode::SUCCESS)
}

/// The token for a server: that of the environment, or of an earlier login.
pub(crate) fn token(server: &Url) -> Result<SecretString> {
    if let Ok(token) = std::env::var("KIWI_TOKEN")
        && !token.is_empty()
    {
        return Ok(token.into());
    }
    let missing = || {
        Error::new(ErrorKind::Unauthenticated, "find token", format!("there is no token for {server}"))
            .with_hint(format!("log in with `kiwi login {server}`, or give the token in KIWI_TOKEN"))
    };
    read()?.remove(&place(server)).map(SecretString::from).ok_or_else(missing)
}

fn place(server: &Url) -> String {
    server.as_str().trim_end_matches('/').to_owned()
}

fn file() -> Result<PathBuf> {
    Ok(config_directory()?.join("tokens.json"))
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::new(ErrorKind::Storage, "keep token", format!("the file of tokens cannot be {what}")).with_source(error)
}

fn read() -> Result<BTreeMap<String, String>> {
    let text = match std::fs::read_to_string(file()?) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        text => text.map_err(failed("read"))?,
    };
    // The message of the parser could quote a token.
    serde_json::from_str(&text)
        .map_err(|_| Error::new(ErrorKind::Storage, "keep token", "the file of tokens is damaged").with_hint("remove it and log in again"))
}

/// Replaces the file at once, readable by its owner alone from its first byte.
fn write(tokens: &BTreeMap<String, String>) -> Result<()> {
    let file = file()?;
    let directory = config_directory()?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed("made"))?;
    let partial = file.with_extension(format!("{}", std::process::id()));
    let mut open = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(failed("written"))?;
    let text = serde_json::to_vec(tokens).map_err(|_| Error::new(ErrorKind::Internal, "keep token", "the tokens cannot be written"))?;
    open.write_all(&text).and_then(|()| open.sync_all()).map_err(failed("written"))?;
    std::fs::rename(&partial, &file).map_err(failed("replaced"))
}
