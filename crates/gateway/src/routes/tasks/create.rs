//! `POST /v1/tasks`: an image and what to make of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use super::document::{TaskDocument, task_url};
use crate::error::Problem;
use crate::extract::ApiQuery;
use crate::intake::parameters::RawParameters;
use crate::intake::{Source, accept};
use crate::openapi::problems;
use crate::state::App;

/// A form with an image and what to make of it. Fields come in any order, but for `filename`, which comes before the
/// file.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the form that intake reads")]
pub(crate) struct TaskForm {
    /// The image's name, when it is not to be the file's own.
    #[schema(nullable = false)]
    filename: Option<String>,
    /// What to make of the image: the compact form, or a JSON or TOML document. Without it, the picture is turned
    /// upright, to grayscale, and blurred with sigma 2.
    #[schema(nullable = false, max_length = 65_536, example = "orient | grayscale | blur:2")]
    recipe: Option<String>,
    /// How urgent it is: 0 (whenever there is nothing else) to 9 (before all others).
    #[schema(nullable = false, minimum = 0, maximum = 9, default = 5)]
    priority: Option<u8>,
    /// Earliest start, RFC 3339; the past means now, and no more than 30 days ahead.
    #[schema(nullable = false, format = DateTime, example = "2026-01-01T06:00:00Z")]
    not_before: Option<String>,
    /// The image: JPEG, PNG, WebP, GIF, TIFF, BMP, ICO, QOI, PNM or JXL. Its content decides, not its name.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// An image file as the body.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes the body that intake reads")]
pub(crate) struct ImageBody(Vec<u8>);

problems!(UploadProblems:
    InvalidQuery, InvalidHeader, MalformedMultipart, IncompleteBody, UploadTimeout, InputTooLarge, FieldTooLarge,
    UnsupportedMediaType, FileMissing, FileEmpty, InvalidField, InvalidRecipe, RecipeImpossible, AssetUnusable,
    NotAnImage, ImageUnsupported, ImageTruncated, ImageCorrupt, LimitExceeded, IdempotencyKeyReused, NotAccepting,
    Busy, QueueFull, BrokerUnavailable, StorageUnavailable, StorageFull);

problems!(CreateProblems: NotBeforeTooFar; and those of UploadProblems);

/// Submits an image as a task.
///
/// The image comes in a form, or is itself the body. Parameters come in the form or in the query; the form wins.
/// When the answer comes, the task is durable: it survives crashes and restarts. A repeated request with the same
/// `Idempotency-Key`, image and recipe is answered with the first one's task and `Idempotent-Replayed: true`.
#[utoipa::path(
    post,
    path = "/v1/tasks",
    tag = "tasks",
    operation_id = "create_task",
    params(
        RawParameters,
        ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255,
            pattern = "^[!-~]+$",
            description = "Makes a repeated request the same request, for 24 hours.")
    ),
    request_body(content(
        (TaskForm = "multipart/form-data"),
        (ImageBody = "image/jpeg"),
        (ImageBody = "image/png"),
        (ImageBody = "image/webp"),
        (ImageBody = "application/octet-stream"),
    )),
    responses(
        (status = 202, description = "The upload became a task.", body = TaskDocument,
            headers(
                ("Location" = String, description = "The task."),
                ("Idempotent-Replayed" = String, description = "`true` when the task is that of an earlier request.")
            )),
        CreateProblems,
    )
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    query: Result<ApiQuery<RawParameters>, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    let query = query.and_then(|ApiQuery(parameters)| parameters.within_query_bounds());
    let accepted = accept(&app, request, Source::FormOrImage, query).await?;
    let location = task_url(accepted.task.id);
    let document = TaskDocument::of(&accepted.task);
    Ok((
        StatusCode::ACCEPTED,
        [(LOCATION, location)],
        replay_header(accepted.replayed),
        Json(document),
    )
        .into_response())
}

/// Says that the task is that of an earlier request.
pub(crate) fn replay_header(replayed: bool) -> Option<[(HeaderName, &'static str); 1]> {
    replayed.then_some([(HeaderName::from_static("idempotent-replayed"), "true")])
}
