//! The token exchange of registries (<https://distribution.github.io/distribution/spec/auth/token/>).

use super::client::{Client, body, refusal, transport};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::RegistryAccess;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
}

/// Fetches a token for `scope` from where the challenge says.
pub(super) async fn fetch(client: &Client, host: &str, challenge: &str, scope: &str, access: Option<&RegistryAccess>) -> Result<SecretString> {
    let parameters = parameters(challenge);
    let find = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let fail = |message: &str| Error::new(ErrorKind::Protocol, "fetch registry token", format!("{host}: {message}"));
    let realm = find("realm").ok_or_else(|| fail("its challenge names no realm"))?;
    let mut realm: url::Url = realm.parse().map_err(|_| fail("the realm of its challenge is not a URL"))?;
    // A hostile registry must not make us send the password in clear, or to a service inside our network by plain HTTP.
    let insecure = access.is_some_and(|access| access.insecure);
    if realm.scheme() != "https" && !(insecure && realm.scheme() == "http") {
        return Err(fail("the realm of its challenge is not https"));
    }
    {
        let mut query = realm.query_pairs_mut();
        if let Some(service) = find("service") {
            query.append_pair("service", service);
        }
        if !scope.is_empty() {
            query.append_pair("scope", scope);
        }
    }
    let request = client.for_host(&realm, access.is_some())?.get(realm);
    let request = match access.and_then(|access| access.credentials.as_ref()) {
        Some((username, password)) => request.basic_auth(username, Some(password.expose_secret())),
        None => request,
    };
    let response = request.send().await.map_err(|error| transport(host, error))?;
    if !response.status().is_success() {
        return Err(refusal("fetch registry token", host, response.status()));
    }
    let bytes = body(response, 1 << 20).await?;
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| fail("its token service answered with something else than a token"))?;
    answer.token.or(answer.access_token).ok_or_else(|| fail("its token service gave no token"))
}

/// `key="value"` pairs, with commas inside quotes.
fn parameters(challenge: &str) -> Vec<(String, String)> {
    let rest = challenge.split_once(' ').map_or("", |(_, rest)| rest);
    let (mut pairs, mut key, mut value, mut quoted, mut in_value) = (Vec::new(), String::new(), String::new(), false, false);
    for c in rest.chars().chain([',']) {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                pairs.push((key.trim().to_ascii_lowercase(), std::mem::take(&mut value).trim().to_owned()));
                (key, in_value) = (String::new(), false);
            }
            '=' if !quoted && !in_value => in_value = true,
            c if in_value => value.push(c),
            c => key.push(c),
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn commas_in_quotes_do_not_split() {
        let pairs = parameters("Bearer realm=\"https://auth.example/token\",service=\"r\",scope=\"repository:a:pull,push\"");
        assert_eq!(pairs[2], ("scope".to_owned(), "repository:a:pull,push".to_owned()));
        assert_eq!(pairs[0].1, "https://auth.example/token");
    }
}
