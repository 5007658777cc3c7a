//! The HTTP interface, one resource a file, its documents beside it.

mod docs;
mod health;
mod outputs;
mod prometheus;
mod stats;
mod status;
mod tasks;
mod upload;
mod workers;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::openapi;
use crate::state::App;

/// Every route, with the document that describes them.
pub(crate) fn router() -> Router<Arc<App>> {
    let (router, document) = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(upload::upload))
        .routes(routes!(status::status))
        .routes(routes!(tasks::list, tasks::create))
        .routes(routes!(tasks::get, tasks::delete))
        .routes(routes!(tasks::cancel))
        .routes(routes!(tasks::retry))
        .routes(routes!(outputs::get, outputs::head))
        .routes(routes!(stats::stats))
        .routes(routes!(workers::list))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(prometheus::metrics))
        .routes(routes!(docs::root))
        .routes(routes!(docs::openapi_json))
        .routes(routes!(docs::docs))
        .split_for_parts();
    docs::extend(router, &openapi::complete(document))
}

/// What a supervisor and a scraper ask for, and nothing else.
pub(crate) fn probes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(prometheus::metrics))
}
