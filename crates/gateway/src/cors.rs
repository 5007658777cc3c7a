//! Which pages of other origins may call from a browser.

use std::time::Duration;

use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER,
};
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::observe::REQUEST_ID;

/// How long a browser may remember what it was told.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The layer that tells browsers; `None` when no other origin may call. `*` stands for every origin.
pub(crate) fn layer(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let idempotency_key = HeaderName::from_static("idempotency-key");
    let idempotent_replayed = HeaderName::from_static("idempotent-replayed");
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
            .allow_headers([
                CONTENT_TYPE,
                IF_MATCH,
                IF_MODIFIED_SINCE,
                IF_NONE_MATCH,
                IF_RANGE,
                RANGE,
                REQUEST_ID,
                idempotency_key,
            ])
            .expose_headers([
                CONTENT_DISPOSITION,
                CONTENT_RANGE,
                ETAG,
                LAST_MODIFIED,
                LOCATION,
                RETRY_AFTER,
                REQUEST_ID,
                idempotent_replayed,
            ])
            .max_age(MAX_AGE),
    )
}
