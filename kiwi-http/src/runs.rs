//! Runs.

use crate::HttpState;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, Query, State};
use kiwi_core::domain::{Run, RunId};
use kiwi_core::provider::store::RunFilter;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Page {
    service: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(State(state): State<HttpState>, Query(page): Query<Page>) -> Result<Json<Vec<Run>>, Problem> {
    let service = match page.service {
        Some(name) => Some(state.kiwi.service(&state.actor, &name.parse()?).await?.id),
        None => None,
    };
    let before = page.before.map(|id| id.parse::<RunId>()).transpose()?;
    let filter = RunFilter { service, before, limit: Some(page.limit.unwrap_or(100).min(1000)), ..RunFilter::default() };
    Ok(Json(state.kiwi.runs(&state.actor, &filter).await?))
}

pub(crate) async fn show(State(state): State<HttpState>, Path(id): Path<String>) -> Result<Json<Run>, Problem> {
    Ok(Json(state.kiwi.run(&state.actor, &id.parse()?).await?))
}
