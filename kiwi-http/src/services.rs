//! Services and their history.

use crate::HttpState;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, Query, State};
use kiwi_core::domain::{Deployment, EnvironmentName, Service, ServiceName};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Page {
    after: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct InEnvironment {
    environment: Option<String>,
}

pub(crate) async fn ready(State(state): State<HttpState>) -> Result<&'static str, Problem> {
    state.kiwi.services(&state.actor, None, 1).await?;
    Ok("ready\n")
}

pub(crate) async fn list(State(state): State<HttpState>, Query(page): Query<Page>) -> Result<Json<Vec<Service>>, Problem> {
    let after = page.after.map(|name| name.parse::<ServiceName>()).transpose()?;
    Ok(Json(state.kiwi.services(&state.actor, after.as_ref(), page.limit.unwrap_or(100).min(1000)).await?))
}

pub(crate) async fn show(State(state): State<HttpState>, Path(name): Path<String>) -> Result<Json<Service>, Problem> {
    Ok(Json(state.kiwi.service(&state.actor, &name.parse()?).await?))
}

pub(crate) async fn history(
    State(state): State<HttpState>,
    Path(name): Path<String>,
    Query(query): Query<InEnvironment>,
) -> Result<Json<Vec<Deployment>>, Problem> {
    let environment = query.environment.map(|name| name.parse::<EnvironmentName>()).transpose()?.unwrap_or_default();
    Ok(Json(state.kiwi.history(&state.actor, &name.parse()?, environment).await?))
}
