//! `/healthz` and `/readyz`: the process lives; the gateway could take a task now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Problem;
use crate::openapi::problems;
use crate::problem::ProblemCode;
use crate::state::App;

const NO_STORE: [(HeaderName, HeaderValue); 1] = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];

type Health = ([(HeaderName, HeaderValue); 1], Json<HealthDocument>);

/// It is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthDocument {
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
}

problems!(HealthProblems:);

/// Says that the process lives, and nothing of what it stands on.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    operation_id = "healthz",
    responses((status = 200, description = "The process lives.", body = HealthDocument), HealthProblems)
)]
pub(crate) async fn healthz() -> Health {
    (NO_STORE, Json(HealthDocument { status: "ok" }))
}

problems!(ReadyProblems: BrokerUnavailable, StorageUnavailable, ShuttingDown, StorageFull);

/// Says whether broker and blob store answer and have room. The answer may be a second old.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    operation_id = "readyz",
    responses((status = 200, description = "It could take a task now.", body = HealthDocument), ReadyProblems)
)]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Result<Health, Problem> {
    if app.shutdown.is_cancelled() {
        return Err(Problem::unavailable(
            ProblemCode::ShuttingDown,
            "this process finishes what it has and takes no more",
        ));
    }
    app.readiness.check(&app.services).await?;
    Ok((NO_STORE, Json(HealthDocument { status: "ready" })))
}
