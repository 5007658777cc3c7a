//! `GET /v1/workers`: who mills, and how busy each is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pixmill_broker::{BrokerError, LivingWorker, living_workers};
use pixmill_types::WorkerId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::tasks::rfc3339;
use crate::error::Problem;
use crate::extract::{ApiQuery, page_limit};
use crate::openapi::problems;
use crate::state::App;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkersQuery {
    /// At most this many.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    #[param(
        nullable = false,
        pattern = "^[A-Za-z0-9._-]{1,128}$",
        example = "miller-1-42-5f0c9a1e"
    )]
    cursor: Option<String>,
}

/// One page of the workers that have given a sign of life within the last 30 seconds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkersDocument {
    /// In the order of their ids.
    workers: Vec<WorkerDocument>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "miller-1-42-5f0c9a1e")]
    next: Option<String>,
}

/// One worker as it described itself last, which it does every 10 seconds.
#[derive(Debug, Serialize, ToSchema)]
struct WorkerDocument {
    /// Names it for as long as it runs; also in the log of what it does.
    #[schema(example = "miller-1-42-5f0c9a1e")]
    id: String,
    /// The machine or container it runs on.
    #[schema(example = "miller-1")]
    host: String,
    /// Its process there.
    #[schema(minimum = 0, example = 42)]
    pid: u32,
    /// Of pixmill.
    #[schema(example = "0.1.0")]
    version: String,
    /// The queue it takes from.
    #[schema(example = "images")]
    queue: String,
    /// Images it mills at the same time.
    #[schema(minimum = 0, example = 4)]
    slots: u64,
    /// Slots that were taken.
    #[schema(minimum = 0, example = 3)]
    busy: u64,
    /// Whether it takes no more tasks because it is about to end.
    draining: bool,
    /// When it began to run.
    #[schema(format = DateTime, example = "2026-11-24T02:00:00.000Z")]
    started_at: String,
    /// When it said all this, by the broker's clock.
    #[schema(format = DateTime, example = "2026-11-24T03:00:00.000Z")]
    last_heartbeat: String,
}

impl WorkerDocument {
    fn of(worker: LivingWorker) -> Self {
        Self {
            id: worker.id.to_string(),
            started_at: rfc3339(worker.started_at()),
            last_heartbeat: rfc3339(worker.last_heartbeat),
            host: worker.report.host,
            pid: worker.report.pid,
            version: worker.report.version,
            queue: worker.report.queue.to_string(),
            slots: worker.report.slots,
            busy: worker.report.busy,
            draining: worker.report.draining,
        }
    }
}

problems!(WorkersProblems: InvalidQuery, InvalidCursor, BrokerUnavailable);

/// Lists the workers that live.
#[utoipa::path(
    get,
    path = "/v1/workers",
    tag = "operations",
    operation_id = "list_workers",
    params(WorkersQuery),
    responses((status = 200, description = "One page.", body = WorkersDocument), WorkersProblems)
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    ApiQuery(query): ApiQuery<WorkersQuery>,
) -> Result<Json<WorkersDocument>, Problem> {
    let limit = page_limit(query.limit, DEFAULT_PAGE, MAX_PAGE)?;
    if let Some(cursor) = &query.cursor
        && cursor.parse::<WorkerId>().is_err()
    {
        return Err(BrokerError::InvalidCursor.into());
    }
    let page = living_workers(&*app.services.registry, query.cursor.as_deref(), limit).await?;
    Ok(Json(WorkersDocument {
        workers: page.workers.into_iter().map(WorkerDocument::of).collect(),
        next: page.next,
    }))
}
