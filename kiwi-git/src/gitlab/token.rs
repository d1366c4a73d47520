//! Who a token is and what it may do.

use crate::api::Api;
use kiwi_core::domain::Timestamp;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{MissingPermission, TokenReport};
use reqwest::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
struct User {
    username: String,
    #[serde(default)]
    is_admin: bool,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    scopes: Vec<String>,
    expires_at: Option<String>,
}

pub(super) async fn verify(api: &Api) -> Result<TokenReport> {
    let user: Option<User> = match api.json(api.get(&["user"], &[])).await {
        Ok(user) => Some(user),
        // A token that may only read repositories has a right to nothing here, and says more about itself below.
        Err(refusal) if refusal.status == StatusCode::FORBIDDEN => None,
        Err(refusal) => return Err(refusal.error),
    };
    let token: Option<Token> = match api.json(api.get(&["personal_access_tokens", "self"], &[])).await {
        Ok(token) => Some(token),
        // Before GitLab 15.5, and for tokens of applications.
        Err(refusal) if matches!(refusal.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN) => None,
        Err(refusal) => return Err(refusal.error),
    };
    if user.is_none() && token.is_none() {
        return Err(Error::new(ErrorKind::Forbidden, "verify token", "GitLab allows this token nothing, not even to ask whose it is")
            .with_hint("give a token with the scope api, or read_api and read_repository"));
    }
    let is_admin = user.as_ref().is_some_and(|user| user.is_admin);
    let scopes = token.as_ref().map(|token| token.scopes.clone()).unwrap_or_default();
    Ok(TokenReport {
        account: user.map_or_else(|| "unknown".to_owned(), |user| user.username),
        missing: if token.is_some() { missing(&scopes, is_admin) } else { Vec::new() },
        expires_at: token.and_then(|token| end_of(&token.expires_at?)),
        scopes,
    })
}

fn missing(scopes: &[String], is_admin: bool) -> Vec<MissingPermission> {
    let has = |scope: &str| scopes.iter().any(|found| found == scope);
    let needs = |feature: &str, permission: &str| MissingPermission { feature: feature.to_owned(), permission: permission.to_owned() };
    let mut missing = Vec::new();
    if !has("api") {
        if !has("read_api") {
            missing.push(needs("listing projects, groups and branches", "the scope read_api or api"));
        }
        if !has("read_repository") && !has("write_repository") {
            missing.push(needs("fetching", "the scope read_repository or api"));
        }
        missing.push(needs("creating projects, Auto CI and commit statuses", "the scope api"));
    }
    if !has("api") || !is_admin {
        missing.push(needs("creating accounts", "the scope api, and an administrator's account"));
    }
    missing
}

/// GitLab names the day; the token ends with its first moment in UTC.
fn end_of(date: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let time = date.to_datetime(jiff::civil::Time::midnight()).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(time.timestamp().as_millisecond()))
}
