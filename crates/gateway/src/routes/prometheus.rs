//! `/metrics`: measurements in the text format of Prometheus.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use pixmill_broker::{BrokerError, Registry, living_workers};
use pixmill_types::QueueName;
use tokio::time::timeout;

use crate::Services;
use crate::metrics::{BrokerState, WorkerCount, write_broker};
use crate::openapi::problems;
use crate::state::App;

/// A broker that takes longer is reported as down: a scrape must end.
const STATS_TIMEOUT: Duration = Duration::from_secs(2);
/// Workers read in one call, and calls a scrape makes at most: more workers than that are not counted.
const PAGE: usize = 1_000;
const MAX_PAGES: usize = 20;

problems!(MetricsProblems:);

/// Tells what has been measured, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    operation_id = "metrics",
    responses((status = 200, description = "Metrics.", body = String, content_type = "text/plain"), MetricsProblems)
)]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> ([(HeaderName, &'static str); 1], String) {
    let mut text = app.services.metrics.render();
    if app.options.queue_metrics {
        write_broker(&mut text, ask(&app.services).await.as_ref());
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn ask(services: &Services) -> Option<BrokerState> {
    let asked = async {
        Ok::<_, BrokerError>(BrokerState {
            stats: services.broker.stats().await?,
            workers: count_workers(&*services.registry).await?,
        })
    };
    match timeout(STATS_TIMEOUT, asked).await {
        Ok(Ok(state)) => Some(state),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the broker's part of the metrics is missing");
            None
        }
        Err(_) => {
            tracing::warn!("the broker's part of the metrics is missing: it does not answer in time");
            None
        }
    }
}

/// Counts the living workers of every queue.
async fn count_workers(registry: &dyn Registry) -> Result<BTreeMap<QueueName, WorkerCount>, BrokerError> {
    let mut counts: BTreeMap<QueueName, WorkerCount> = BTreeMap::new();
    let mut after = None;
    for _ in 0..MAX_PAGES {
        let page = living_workers(registry, after.as_deref(), PAGE).await?;
        for worker in page.workers {
            let count = counts.entry(worker.report.queue).or_default();
            count.workers += 1;
            count.slots += worker.report.slots;
            count.busy += worker.report.busy;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(counts)
}
