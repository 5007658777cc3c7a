//! `/metrics`: measurements in the text format of Prometheus.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use tokio::time::timeout;

use crate::openapi::problems;
use crate::state::App;

/// A broker that takes longer is reported as down: a scrape must end.
const STATS_TIMEOUT: Duration = Duration::from_secs(2);

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
    let stats = match timeout(STATS_TIMEOUT, app.services.broker.stats()).await {
        Ok(Ok(stats)) => Some(stats),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the broker's part of the metrics is missing");
            None
        }
        Err(_) => {
            tracing::warn!("the broker's part of the metrics is missing: it does not answer in time");
            None
        }
    };
    let text = app.services.metrics.render(stats.as_ref());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
