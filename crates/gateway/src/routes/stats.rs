//! `GET /v1/stats`: the state of all queues.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pixmill_broker::{QueueStats, Stats};
use pixmill_types::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::tasks::rfc3339;
use crate::error::Problem;
use crate::openapi::problems;
use crate::state::App;

/// The state of all queues at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatsDocument {
    /// The broker's clock.
    #[schema(format = DateTime, example = "2026-11-24T03:00:00.000Z")]
    now: String,
    /// By name; a queue without tasks is not listed.
    queues: Vec<QueueDocument>,
    /// Deleted tasks whose files are still to be removed.
    #[schema(example = 0)]
    pending_deletions: u64,
}

/// The state of one queue.
#[derive(Debug, Serialize, ToSchema)]
struct QueueDocument {
    #[schema(example = "images")]
    queue: String,
    /// Tasks ready to be claimed.
    #[schema(example = 12)]
    ready: u64,
    /// Tasks that wait for their start time or a retry.
    #[schema(example = 0)]
    delayed: u64,
    /// Tasks under way.
    #[schema(example = 2)]
    running: u64,
    #[schema(example = 1_024)]
    completed: u64,
    /// The dead letters.
    #[schema(example = 1)]
    failed: u64,
    #[schema(example = 0)]
    cancelled: u64,
    /// How long the longest-waiting ready task has waited, milliseconds; absent when none waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 250)]
    oldest_ready_ms: Option<u64>,
    /// How long the longest-running attempt has run, milliseconds; absent when none runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 40)]
    oldest_running_ms: Option<u64>,
}

impl StatsDocument {
    fn of(stats: Stats) -> Self {
        let now = stats.now;
        Self {
            now: rfc3339(now),
            queues: stats
                .queues
                .into_iter()
                .map(|queue| QueueDocument::of(queue, now))
                .collect(),
            pending_deletions: stats.pending_deletions,
        }
    }
}

impl QueueDocument {
    fn of(queue: QueueStats, now: Timestamp) -> Self {
        let age = |since: Timestamp| now.as_millis().saturating_sub(since.as_millis());
        Self {
            queue: queue.queue.to_string(),
            ready: queue.ready,
            delayed: queue.delayed,
            running: queue.running,
            completed: queue.completed,
            failed: queue.failed,
            cancelled: queue.cancelled,
            oldest_ready_ms: queue.oldest_ready.map(age),
            oldest_running_ms: queue.oldest_running.map(age),
        }
    }
}

problems!(StatsProblems: BrokerUnavailable);

/// Counts the tasks of every queue.
#[utoipa::path(
    get,
    path = "/v1/stats",
    tag = "operations",
    operation_id = "stats",
    responses((status = 200, description = "The state of all queues.", body = StatsDocument), StatsProblems)
)]
pub(crate) async fn stats(State(app): State<Arc<App>>) -> Result<Json<StatsDocument>, Problem> {
    Ok(Json(StatsDocument::of(app.services.broker.stats().await?)))
}
