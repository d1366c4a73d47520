//! `/hooks/<provider>/<service>`: where git hosts deliver. Nobody logs in here; the signature is the right.

use crate::problem::Problem;
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use kiwi_core::domain::{GitProviderKind, ServiceId};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::pipeline::Kiwi;
use kiwi_core::pipeline::ci::Receipt;
use kiwi_core::webhook::{LARGEST_BODY, UnverifiedWebhook};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The route of the webhooks that `kiwi ci enable` registers; merge it into an application that answers at the public URL.
///
/// 202 and the delivery's id when it is kept durably, 401 when it is not authentic, 404 where no webhook was registered, 413 when it is too large, 503 when
/// it could not be kept: the host then shows it as failed, and the reconciler finds the push.
pub fn hooks<S: Clone + Send + Sync + 'static>(kiwi: Kiwi) -> Router<S> {
    let door = Door { kiwi, memory: Arc::new(Semaphore::new(MEMORY)) };
    Router::new().route("/hooks/{provider}/{service}", post(receive)).with_state(door)
}

/// What all bodies that are being read may take together, in KiB.
const MEMORY: usize = 128 << 10;

#[derive(Clone)]
struct Door {
    kiwi: Kiwi,
    memory: Arc<Semaphore>,
}

async fn receive(
    State(Door { kiwi, memory }): State<Door>,
    Path((provider, service)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // What is no id of ours is a webhook that was never registered.
    let unknown = || Error::new(ErrorKind::NotFound, "receive delivery", "no webhook was registered here");
    let provider: GitProviderKind = provider.parse().map_err(|_| unknown())?;
    let service: ServiceId = service.parse().map_err(|_| unknown())?;
    // A stranger who knows no webhook cannot make the server hold a body.
    kiwi.expects_deliveries(&service).await?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let size = u32::try_from(announced.unwrap_or(LARGEST_BODY).min(LARGEST_BODY) / 1024 + 1).unwrap_or(u32::MAX);
    let full = |error| Error::new(ErrorKind::Unavailable, "receive delivery", "no delivery is taken any more").with_source(error);
    let _memory = memory.acquire_many(size).await.map_err(full)?;
    let headers = headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let delivery = UnverifiedWebhook::receive(headers, body.into_data_stream()).await?;
    match kiwi.receive(provider, &service, &delivery).await? {
        Receipt::Kept(id) => Ok((StatusCode::ACCEPTED, Json(json!({ "delivery": id }))).into_response()),
        Receipt::Rejected { reason } => {
            let error = Error::new(ErrorKind::Unauthenticated, "receive delivery", reason)
                .with_hint("where the secret differs, `kiwi ci enable` gives the webhook a new one at both ends");
            Err(Problem::with_status(StatusCode::UNAUTHORIZED, error))
        }
    }
}
