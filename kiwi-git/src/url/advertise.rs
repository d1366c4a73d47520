//! The refs of a repository, from `GET <url>/info/refs?service=git-upload-pack`.
//! Format: <https://git-scm.com/docs/http-protocol#_smart_clients>.

use super::UrlSource;
use super::client::Client;
use super::packet::{Packet, Packets};
use kiwi_core::domain::{Branch, CommitSha, GitUrl};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::SourceAccess;
use reqwest::RequestBuilder;

const OPERATION: &str = "check source";

/// A repository with more refs than fit is not one that Kiwi can list.
const LARGEST: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Advertisement {
    pub(super) head: Option<Branch>,
    pub(super) branches: Vec<(Branch, CommitSha)>,
}

/// How the server wants to be asked for a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Protocol 0, or 1: it gives only what a ref names, unless it is configured otherwise.
    First,
    Two,
}

pub(super) async fn read(url: &GitUrl, access: &SourceAccess, settings: &UrlSource) -> Result<Advertisement> {
    let answer = settings.limits.answer;
    // A list of refs comes at once or not at all.
    let client = Client::new(url, access, settings, answer, OPERATION).await?;
    parse(&advertisement(&client, client.get(PATH).timeout(answer * 3)).await?)
}

pub(super) async fn protocol(client: &Client) -> Result<Protocol> {
    let bytes = advertisement(client, client.get(PATH).header("Git-Protocol", "version=2")).await?;
    let mut packets = Packets::new(bytes.as_slice());
    while let Ok(Some(packet)) = packets.next() {
        match packet {
            Packet::Line(b"version 2\n" | b"version 2") => return Ok(Protocol::Two),
            Packet::Line(text) if text.starts_with(b"# service=") => {}
            Packet::Line(_) => break,
            Packet::Mark => {}
        }
    }
    Ok(Protocol::First)
}

const PATH: &str = "info/refs?service=git-upload-pack";

async fn advertisement(client: &Client, request: RequestBuilder) -> Result<Vec<u8>> {
    let mut response = client.send(request, "application/x-git-upload-pack-advertisement").await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| client.broken(error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST {
            return Err(client.error(ErrorKind::TooLarge, "the repository advertises more than 64 MiB of refs"));
        }
    }
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Advertisement> {
    let malformed = || {
        Error::new(ErrorKind::Protocol, OPERATION, "the server's list of refs is malformed")
            .with_hint("check the URL; something between here and the server may change its answers")
    };
    let mut found = Advertisement::default();
    let mut marks = 0;
    let mut packets = Packets::new(bytes);
    while let Some(packet) = packets.next().map_err(|_| malformed())? {
        let Packet::Line(line) = packet else {
            marks += 1;
            continue;
        };
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
    if marks < 2 {
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
