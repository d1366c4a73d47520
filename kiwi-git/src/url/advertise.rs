//! The refs of a repository, from `GET <url>/info/refs?service=git-upload-pack`.
//! Format: <https://git-scm.com/docs/http-protocol#_smart_clients>.

use super::Limits;
use super::client::{authorization, certificates, transport};
use kiwi_core::domain::{Branch, CommitSha, GitUrl};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::SourceAccess;
use reqwest::{StatusCode, header};
use secrecy::ExposeSecret as _;

/// A repository with more refs than fit is not one that Kiwi can list.
const LARGEST: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Advertisement {
    pub(super) head: Option<Branch>,
    pub(super) branches: Vec<(Branch, CommitSha)>,
}

pub(super) async fn read(url: &GitUrl, access: &SourceAccess, limits: &Limits) -> Result<Advertisement> {
    let host = url.authority();
    let mut client = reqwest::Client::builder()
        // A redirect would carry the token elsewhere, or lead into a network that nobody named.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.answer)
        .read_timeout(limits.answer)
        .timeout(limits.answer * 3)
        .user_agent(concat!("git/2.0 (kiwi ", env!("CARGO_PKG_VERSION"), ")"));
    for certificate in certificates(access)? {
        client = client.add_root_certificate(certificate);
    }
    let client = client.build().map_err(|error| Error::new(ErrorKind::Internal, "check source", "the HTTP client cannot be built").with_source(error))?;
    let mut request = client.get(format!("{url}/info/refs?service=git-upload-pack"));
    if let Some(token) = &access.token {
        let mut value = header::HeaderValue::from_str(authorization(token).expose_secret())
            .map_err(|_| Error::invalid("check source", "the token has characters that no token has"))?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let broken = |error: reqwest::Error| {
        let timed_out = error.is_timeout();
        let error = error.without_url();
        transport("check source", host, &error, timed_out).with_source(error)
    };
    let mut response = request.send().await.map_err(broken)?;
    refusal(url, &response, access)?;
    let smart = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == b"application/x-git-upload-pack-advertisement");
    if !smart {
        return Err(Error::new(ErrorKind::Protocol, "check source", format!("{host} does not answer like a git server"))
            .with_hint("check the URL; it must be the one that `git clone` takes"));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST {
            return Err(Error::new(ErrorKind::TooLarge, "check source", "the repository advertises more than 64 MiB of refs"));
        }
    }
    parse(&bytes)
}

/// What the server's refusal means.
fn refusal(url: &GitUrl, response: &reqwest::Response, access: &SourceAccess) -> Result<()> {
    let with_token = access.token.is_some();
    let fail = |kind, message: String| Error::new(kind, "check source", message);
    Err(match response.status() {
        status if status.is_success() => return Ok(()),
        StatusCode::UNAUTHORIZED if with_token => fail(ErrorKind::Unauthenticated, "Authentication failed".into()),
        StatusCode::UNAUTHORIZED => fail(ErrorKind::Unauthenticated, "Authentication failed: the repository needs a token".into())
            .with_hint("give one with --token-stdin; or check the URL: many servers say this of repositories that do not exist"),
        StatusCode::FORBIDDEN => fail(ErrorKind::Forbidden, "Authentication failed: the token may not read this repository".into())
            .with_hint("give the token the right to read repositories"),
        StatusCode::NOT_FOUND if with_token => fail(ErrorKind::RepositoryNotFound, format!("Repository not found, or the token may not see it: {url}")),
        StatusCode::NOT_FOUND => fail(ErrorKind::RepositoryNotFound, format!("Repository not found: {url}")),
        status if status.is_redirection() => {
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("another place");
            let target = target.split("/info/refs").next().unwrap_or(target);
            fail(ErrorKind::RepositoryNotFound, "the repository has moved".into())
                .with_hint(format!("Kiwi follows no redirects, which could carry a token away; if you trust it, use {target}"))
        }
        StatusCode::TOO_MANY_REQUESTS => fail(ErrorKind::Unavailable, "the server's rate limit is used up".into()),
        status if status.is_server_error() => fail(ErrorKind::Unavailable, format!("the server has a problem (HTTP {})", status.as_u16())),
        status => fail(ErrorKind::Protocol, format!("the server answered HTTP {}", status.as_u16())),
    })
}

fn parse(mut bytes: &[u8]) -> Result<Advertisement> {
    let malformed = || {
        Error::new(ErrorKind::Protocol, "check source", "the server's list of refs is malformed")
            .with_hint("check the URL; something between here and the server may change its answers")
    };
    let mut found = Advertisement::default();
    let mut flushes = 0;
    while !bytes.is_empty() {
        let length =
            bytes.get(..4).and_then(|head| std::str::from_utf8(head).ok()).and_then(|head| usize::from_str_radix(head, 16).ok()).ok_or_else(malformed)?;
        if length == 0 {
            flushes += 1;
            bytes = &bytes[4..];
            continue;
        }
        let line = bytes.get(4..length).ok_or_else(malformed)?;
        bytes = &bytes[length..];
        let (line, capabilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (&line[..at], String::from_utf8_lossy(&line[at + 1..]).into_owned()),
            None => (line, String::new()),
        };
        if let Some(name) = capabilities.split_whitespace().find_map(|word| word.strip_prefix("symref=HEAD:refs/heads/")) {
            found.head = name.parse().ok();
        }
        // A branch whose name breaks git's rules cannot be asked for; it does not hide the others.
        let line = String::from_utf8_lossy(line);
        if let Some((commit, name)) = line.trim_end().split_once(' ')
            && let Some(name) = name.strip_prefix("refs/heads/")
            && let (Ok(branch), Ok(commit)) = (name.parse::<Branch>(), commit.parse::<CommitSha>())
        {
            found.branches.push((branch, commit));
        }
    }
    // The service line ends with one, the refs with another: without it the answer was cut.
    if flushes < 2 {
        return Err(malformed());
    }
    found.branches.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn packet(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    #[test]
    fn reads_branches_and_the_head() {
        let sha = "1".repeat(40);
        let text = [
            packet("# service=git-upload-pack\n"),
            "0000".into(),
            packet(&format!("{sha} HEAD\0multi_ack symref=HEAD:refs/heads/main agent=git/2\n")),
            packet(&format!("{sha} refs/heads/feature/x\n")),
            packet(&format!("{sha} refs/heads/main\n")),
            packet(&format!("{sha} refs/heads/bad..name\n")),
            packet(&format!("{sha} refs/tags/v1\n")),
            "0000".into(),
        ]
        .concat();
        let found = parse(text.as_bytes()).unwrap();
        assert_eq!(found.head.unwrap().as_str(), "main");
        assert_eq!(found.branches.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["feature/x", "main"]);
        for cut in [0, 3, 20, text.len() - 4, text.len() - 1] {
            assert!(parse(&text.as_bytes()[..cut]).is_err(), "{cut}");
        }
        assert!(parse(b"<!doctype html>").is_err());
        assert!(parse(b"0003").is_err());
    }
}
