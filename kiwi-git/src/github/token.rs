//! Who a token is and what it may do.

use crate::api::{Api, Refusal};
use kiwi_core::domain::Timestamp;
use kiwi_core::error::Result;
use kiwi_core::provider::{MissingPermission, TokenReport};
use reqwest::header::HeaderMap;
use serde::Deserialize;

#[derive(Deserialize)]
struct User {
    login: String,
}

pub(super) async fn verify(api: &Api) -> Result<TokenReport> {
    match api.send(api.get(&["user"], &[])).await {
        Ok(answer) => {
            let user: User = api.read(&answer.body)?;
            let scopes = scopes(&answer.headers);
            let missing = match &scopes {
                Some(scopes) => missing_scopes(scopes),
                None => probe(api).await?,
            };
            Ok(TokenReport { account: user.login, scopes: scopes.unwrap_or_default(), expires_at: expires(&answer.headers), missing })
        }
        // The token of an App's installation has no user, and a list of repositories of its own.
        Err(refusal) if refusal.status == reqwest::StatusCode::FORBIDDEN => {
            let answer = api.send(api.get(&["rate_limit"], &[])).await?;
            let missing = vec![MissingPermission { feature: "listing and creating repositories".to_owned(), permission: "the token of a user".to_owned() }];
            Ok(TokenReport { account: "an App's installation".to_owned(), scopes: Vec::new(), expires_at: expires(&answer.headers), missing })
        }
        Err(refusal) => Err(refusal.error),
    }
}

/// What a classic token may do; fine-grained ones have no such header, or an empty one.
fn scopes(headers: &HeaderMap) -> Option<Vec<String>> {
    let text = headers.get("x-oauth-scopes")?.to_str().ok()?;
    let scopes: Vec<String> = text.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect();
    (!scopes.is_empty()).then_some(scopes)
}

fn missing_scopes(scopes: &[String]) -> Vec<MissingPermission> {
    let has = |scope: &str| scopes.iter().any(|found| found == scope);
    if has("repo") {
        return Vec::new();
    }
    let needs = |feature: &str, permission: &str| MissingPermission { feature: feature.to_owned(), permission: permission.to_owned() };
    let mut missing = vec![needs("private repositories: listing, fetching and creating", "the scope repo")];
    if !has("admin:repo_hook") && !has("write:repo_hook") {
        missing.push(needs("Auto CI: webhooks", "the scope admin:repo_hook or repo"));
    }
    if !has("repo:status") {
        missing.push(needs("commit statuses", "the scope repo:status or repo"));
    }
    missing
}

/// What a fine-grained token lacks, asked of one repository that it sees: no header lists what it has.
async fn probe(api: &Api) -> Result<Vec<MissingPermission>> {
    #[derive(Deserialize)]
    struct Item {
        full_name: String,
    }
    let needs = |feature: &str, permission: &str| MissingPermission { feature: feature.to_owned(), permission: permission.to_owned() };
    let first: Vec<Item> = api.json(api.get(&["user", "repos"], &[("per_page", "1")])).await?;
    let Some((owner, name)) = first.first().and_then(|item| item.full_name.split_once('/')) else {
        return Ok(vec![needs("every repository", "access to at least one repository")]);
    };
    let mut missing = Vec::new();
    let probes: [(&[&str], &str, &str); 3] = [
        (&["repos", owner, name, "branches"], "branches and fetching", "the permission Contents: read"),
        (&["repos", owner, name, "hooks"], "Auto CI: webhooks", "the permission Webhooks: write"),
        (&["repos", owner, name, "commits", "HEAD", "statuses"], "commit statuses", "the permission Commit statuses: write"),
    ];
    for (segments, feature, permission) in probes {
        let refused = |refusal: &Refusal| matches!(refusal.status.as_u16(), 403 | 404);
        match api.send(api.get(segments, &[("per_page", "1")])).await {
            Err(refusal) if refused(&refusal) => missing.push(needs(feature, permission)),
            // An empty repository conflicts; the permission is there.
            Err(refusal) if refusal.status.as_u16() != 409 && refusal.status.as_u16() != 422 => return Err(refusal.error),
            _ => {}
        }
    }
    Ok(missing)
}

/// GitHub writes the time in two ways (go-github's `parseTokenExpiration` knows both).
fn expires(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get("github-authentication-token-expiration")?.to_str().ok()?.trim();
    let text = text.strip_suffix(" UTC").map_or_else(|| text.to_owned(), |start| format!("{start} +0000"));
    let time = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", text).ok()?.to_timestamp().ok()?;
    Some(Timestamp::from_millis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_end_are_read() {
        let at = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("github-authentication-token-expiration", text.parse().unwrap());
            expires(&headers).map(|time| time.to_string())
        };
        assert_eq!(at("2027-12-12 11:42:35 UTC").as_deref(), Some("2027-12-12T11:42:35.000Z"));
        assert_eq!(at("2027-06-14 15:09:46 -0700").as_deref(), Some("2027-06-14T22:09:46.000Z"));
        assert_eq!(at("soon"), None);
    }
}
