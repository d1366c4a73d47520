//! Who calls: the bearer of an API token.

use crate::HttpState;
use crate::problem::Problem;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use kiwi_core::access::Actor;
use kiwi_core::domain::TokenId;
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::token::TokenText;
use std::net::{IpAddr, SocketAddr};

/// Who calls, with which token, from where.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) token: TokenId,
    pub(crate) origin: Option<IpAddr>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthenticated)
    }
}

/// Lets through whoever has a token that opens something.
pub(crate) async fn authenticate(State(state): State<HttpState>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let origin = origin(&state, request.headers(), request.extensions());
    let bearer = bearer(request.headers()).unwrap_or_default();
    // A token's id is no secret, and many addresses that try one id are one attack.
    let known = TokenText::parse(bearer).map(|text| format!("token {}", text.id()));
    let address = origin.map(|origin| format!("address {origin}"));
    let suspects: Vec<&String> = known.iter().chain(&address).collect();
    if let Some(seconds) = suspects.iter().filter_map(|who| state.throttle.wait(who)).max() {
        return Err(too_many(seconds));
    }
    let Some((actor, token)) = state.kiwi.authenticate(bearer).await? else {
        // A request without any token guesses nothing.
        if !bearer.is_empty() {
            suspects.iter().for_each(|who| state.throttle.fail(who));
        }
        return Err(Problem::unauthenticated());
    };
    request.extensions_mut().insert(Caller { actor, token, origin });
    Ok(next.run(request).await)
}

/// The answer to whoever failed too often.
pub(crate) fn too_many(seconds: u64) -> Problem {
    let error = Error::new(ErrorKind::Unavailable, "authenticate", "too many attempts failed from here, or for this token")
        .with_hint(format!("try again in {seconds} seconds"));
    Problem::with_status(StatusCode::TOO_MANY_REQUESTS, error).after(seconds)
}

/// The address that a request came from; of a proxy that is believed, the one that it names last.
pub(crate) fn origin(state: &HttpState, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
    if !state.config.proxies.contains(&peer) {
        return Some(peer);
    }
    let named = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    named.and_then(|list| list.rsplit(',').next()).and_then(|last| last.trim().parse().ok()).or(Some(peer))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
