//! Accounts, by a token of an administrator.

use crate::api::{Api, Refusal};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{AccountOutcome, NewAccount};
use kiwi_core::secret::Redactor;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct User {
    username: String,
}

async fn exists(api: &Api, username: &str) -> Result<bool, Refusal> {
    let found: Vec<User> = api.json(api.get(&["users"], &[("username", username)])).await?;
    Ok(found.iter().any(|user| user.username.eq_ignore_ascii_case(username)))
}

pub(super) async fn create(api: &Api, account: &NewAccount) -> Result<AccountOutcome> {
    let username = account.username.as_str();
    if exists(api, username).await? {
        return Ok(AccountOutcome::Exists);
    }
    let mut body = json!({ "username": username, "email": account.email, "name": account.full_name });
    match &account.password {
        // Nobody could confirm the address who has only the password.
        Some(password) => (body["password"], body["skip_confirmation"]) = (json!(password.expose_secret()), json!(true)),
        // Both, because old servers know only the first.
        None => (body["reset_password"], body["force_random_password"]) = (json!(true), json!(true)),
    }
    match api.send(api.with(Method::POST, &["users"], &body)?).await {
        Ok(_) => Ok(AccountOutcome::Created),
        // Another run made it meanwhile, or an answer was lost; an address that is taken belongs to another account.
        Err(refusal) if matches!(refusal.status, StatusCode::CONFLICT | StatusCode::BAD_REQUEST) => {
            if exists(api, username).await? {
                return Ok(AccountOutcome::Exists);
            }
            let hint = if refusal.message.to_lowercase().contains("email") {
                "another account has this address; correct the row"
            } else {
                "correct the row and run the same command again"
            };
            Err(Error::new(ErrorKind::InvalidInput, "create account", Redactor::new(&account.password).redact(refusal.error.message())).with_hint(hint))
        }
        Err(refusal) => {
            let message = Redactor::new(&account.password).redact(refusal.error.message());
            Err(Error::new(refusal.error.kind(), "create account", message).with_hint(refusal.error.hint().to_owned()))
        }
    }
}
