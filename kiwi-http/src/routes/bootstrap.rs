//! The first admin.

use crate::HttpState;
use crate::guard::audit::record_first_admin;
use crate::guard::auth::{origin, too_many};
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{Bootstrap, CreatedToken, SecretValue};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use kiwi_core::access::Role;
use kiwi_core::domain::{Timestamp, User};
use kiwi_core::error::ErrorKind;
use secrecy::ExposeSecret as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(bootstrap))
}

/// Makes the first admin, in exchange for the token that the server printed when it started without one.
#[utoipa::path(post, path = "/bootstrap", operation_id = "bootstrap", tag = "access", security(()), request_body = Bootstrap,
    responses((status = 201, body = CreatedToken, headers(("Location" = String)))))]
async fn bootstrap(State(state): State<HttpState>, request: Request) -> Result<Response, Problem> {
    let origin = origin(&state, request.headers(), request.extensions());
    if let Some(seconds) = origin.and_then(|origin| state.throttle.wait(origin)) {
        return Err(too_many(seconds));
    }
    let Body(form) = Body::<Bootstrap>::from_request(request, &state).await?;
    let full_name = form.full_name.unwrap_or_else(|| form.name.to_string());
    let user = User { name: form.name, email: form.email, full_name, role: Role::Admin, created_at: Timestamp::now() };
    match state.kiwi.bootstrap(form.token.0.expose_secret(), &user).await {
        Ok((token, value)) => {
            record_first_admin(&state, value.expose_secret(), origin).await;
            Ok(super::created(&format!("tokens/{}", token.id), &CreatedToken { value: SecretValue(value), token }))
        }
        Err(error) if error.kind() == ErrorKind::Unauthenticated => {
            if let Some(origin) = origin {
                state.throttle.fail(origin);
            }
            Err(Problem::with_status(StatusCode::UNAUTHORIZED, error))
        }
        Err(error) => Err(error.into()),
    }
}
