//! Questions with a marker in them, which change nothing: GET requests with parameters and addresses that were seen before.

use super::client::{Client, Failure, Want};
use super::findings::{Findings, clip};
use super::html::tokens;
use super::page::{Answer, Kind};
use super::parameters::Parameter;
use super::rules::{CORS_REFLECTED, OPEN_REDIRECT, REFLECTED_INPUT};
use html5gum::Token;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use url::Url;

/// Parameters that tell where to go next.
const LEADING: [&str; 20] = [
    "next",
    "url",
    "uri",
    "u",
    "redirect",
    "redir",
    "redirecturl",
    "redirecturi",
    "return",
    "returnto",
    "returnurl",
    "returnuri",
    "goto",
    "target",
    "dest",
    "destination",
    "continue",
    "back",
    "callback",
    "forward",
];
/// A site that no name resolves to (RFC 2606).
const STRANGER: &str = "https://kiwi-probe.invalid";

/// Asks with each parameter, and each page as another site would. An error tells how many questions were not asked.
pub(super) async fn ask(client: &mut Client, parameters: &[Parameter], pages: &[Url], found: &mut Findings) -> Result<(), (usize, Failure)> {
    let mut missed: Option<(usize, Failure)> = None;
    let mut miss = |failure| missed = Some((missed.take().map_or(0, |(count, _)| count) + 1, failure));
    for parameter in parameters {
        // Letters alone, as parsers of HTML lower them.
        let marker: String = format!("{:016x}", RandomState::new().hash_one(0)).bytes().map(|byte| char::from(b'g' + byte % 16)).collect();
        let marker = format!("kiwi{marker}");
        match client.get(&parameter.with(&payload(&marker)), Want::Text).await {
            Ok(answer) if answer.kind() == Kind::Html => {
                let reflected = tokio::task::spawn_blocking(move || is_reflected(&answer.text(), &marker)).await;
                match reflected {
                    Ok(true) => found.add(&REFLECTED_INPUT, &parameter.url, &parameter.name, clip(&parameter.name)),
                    Ok(false) => {}
                    Err(_) => miss(Failure::Unanswered("the answer cannot be parsed".to_owned())),
                }
            }
            Ok(_) => {}
            Err(failure) => miss(failure),
        }
        if !leads(&parameter.name) {
            continue;
        }
        match client.get(&parameter.with(&format!("{STRANGER}/")), Want::Begin(0)).await {
            Ok(answer) if answer.redirect().is_some_and(|target| target.origin().ascii_serialization() == STRANGER) => {
                found.add(&OPEN_REDIRECT, &parameter.url, &parameter.name, clip(&parameter.name));
            }
            Ok(_) => {}
            Err(failure) => miss(failure),
        }
    }
    for url in pages {
        match client.get_with(url, Want::Begin(0), &[("origin", STRANGER)]).await {
            Ok(answer) if lets_read(&answer) => found.add(&CORS_REFLECTED, url, "access-control-allow-origin", ""),
            Ok(_) => {}
            Err(failure) => miss(failure),
        }
    }
    missed.map_or(Ok(()), Err)
}

fn leads(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect();
    LEADING.contains(&plain.as_str())
}

/// A value that ends what it may stand in, and then is a tag of its own.
fn payload(marker: &str) -> String {
    format!("{marker}'\"><{marker}>")
}

/// Whether the value stands in a page as it was sent, or as a tag or an attribute.
fn is_reflected(text: &str, marker: &str) -> bool {
    if !text.contains(marker) {
        return false;
    }
    let contains = |name: &[u8]| name.windows(marker.len()).any(|part| part == marker.as_bytes());
    text.contains(&payload(marker))
        || tokens(text).any(|token| match token {
            Token::StartTag(tag) => contains(&tag.name) || tag.attributes.keys().any(|name| contains(name)),
            _ => false,
        })
}

fn lets_read(answer: &Answer) -> bool {
    let is = |name, wanted: &str| answer.header(name).is_some_and(|value| value.trim() == wanted);
    is("access-control-allow-origin", STRANGER) && is("access-control-allow-credentials", "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_back_as_html_counts() {
        let sent = payload("kiwix");
        let half = sent.replace('<', "&lt;").replace('>', "&gt;");
        let encoded = half.replace('"', "&quot;").replace('\'', "&#39;");
        assert!(is_reflected(&format!("<p>{sent}</p>"), "kiwix"));
        assert!(is_reflected(&format!("<input value=\"{half}\">"), "kiwix"), "it ends the attribute");
        assert!(is_reflected(&format!("<p>{}</p>", sent.replace(['\'', '"'], "")), "kiwix"), "it is a tag");
        for safe in [format!("<p>{encoded}</p><input value=\"{encoded}\">"), format!("<p>{half}</p>"), "<p>kiwix</p>".to_owned()] {
            assert!(!is_reflected(&safe, "kiwix"), "{safe}");
        }
        assert!(leads("return_to") && leads("redirectUrl") && !leads("query"));
    }
}
