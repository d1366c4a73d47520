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
    // Not by the token's id, which is no secret: anybody could lock its owner out, and nobody guesses 256 bits from however many addresses.
    if let Some(seconds) = origin.and_then(|origin| state.throttle.wait(origin)) {
        return Err(too_many(seconds));
    }
    let Some((actor, token)) = state.kiwi.authenticate(bearer).await? else {
        // A request without any token guesses nothing.
        if let Some(origin) = origin.filter(|_| !bearer.is_empty()) {
            state.throttle.fail(origin);
        }
        return Err(Problem::unauthenticated());
    };
    request.extensions_mut().insert(Caller { actor, token, origin });
    Ok(next.run(request).await)
}

/// The answer to whoever failed too often.
pub(crate) fn too_many(seconds: u64) -> Problem {
    let error = Error::new(ErrorKind::Unavailable, "authenticate", "too many attempts failed from here").with_hint(format!("try again in {seconds} seconds"));
    Problem::with_status(StatusCode::TOO_MANY_REQUESTS, error).after(seconds)
}

/// The address that a request came from; of a proxy that is believed, the one that it names last.
pub(crate) fn origin(state: &HttpState, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    if !state.config.proxies.contains(&peer) {
        return Some(peer);
    }
    let named = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    named.and_then(|list| list.rsplit(',').next()).and_then(|last| address(last.trim())).or(Some(peer))
}

/// Some proxies name the port too.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|named| named.ip())).or_else(bare)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
