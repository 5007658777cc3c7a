//! `POST /upload`: the promise this project started from, kept to the letter over the code of `/v1/tasks`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pixmill_types::Payload;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::tasks::{UploadProblems, replay_header};
use crate::error::Problem;
use crate::extract::ApiQuery;
use crate::intake::parameters::RawParameters;
use crate::intake::{Source, accept};
use crate::openapi::example_task_id;
use crate::state::App;

/// The upload became a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadDocument {
    #[schema(value_type = String, example = "Image uploaded successfully. Background processing initiated.")]
    message: &'static str,
    /// Ask `/status/{task_id}` for it.
    #[schema(format = "uuid", example = example_task_id)]
    task_id: String,
    /// The file's name, as it is shown.
    #[schema(example = "my_photo.jpg")]
    filename: String,
}

/// The part of a query that counts; what else is in it does no harm.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadQuery {
    /// What to make of the image. A form field of this name wins over it, and may be longer.
    #[param(max_length = 2_000, nullable = false, example = "orient | grayscale | blur:2")]
    recipe: Option<String>,
}

impl From<UploadQuery> for RawParameters {
    fn from(query: UploadQuery) -> Self {
        Self {
            recipe: query.recipe,
            ..Self::default()
        }
    }
}

/// A form with an image.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form that intake reads")]
pub(crate) struct UploadForm {
    /// The image: JPEG, PNG, WebP, GIF, TIFF, BMP, ICO, QOI, PNM or JXL. Its content decides, not its name.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// What to make of it: the compact form, or a JSON or TOML document. Without it, the picture is turned upright,
    /// to grayscale, and blurred with sigma 2.
    #[schema(nullable = false, max_length = 65_536, example = "orient | grayscale | blur:2")]
    recipe: Option<String>,
}

/// Uploads an image, to be processed in the background.
///
/// When the answer comes, the task is durable: it survives crashes and restarts. Fields that the form need not have
/// do no harm.
#[utoipa::path(
    post,
    path = "/upload",
    tag = "upload",
    operation_id = "upload",
    params(UploadQuery, ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255,
        pattern = "^[!-~]+$",
        description = "Makes a repeated request the same request, for 24 hours: it is answered with the first one's task.")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "The upload became a task.", body = UploadDocument,
            headers(("Idempotent-Replayed" = String, description = "`true` when the task is that of an earlier request."))),
        UploadProblems,
    )
)]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    query: Result<ApiQuery<UploadQuery>, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    let query = query.and_then(|ApiQuery(query)| RawParameters::from(query).within_query_bounds());
    let accepted = accept(&app, request, Source::LenientForm, query).await?;
    let Payload::Mill(mill) = accepted.task.payload;
    let document = UploadDocument {
        message: "Image uploaded successfully. Background processing initiated.",
        task_id: accepted.task.id.to_string(),
        filename: mill.input.name.into(),
    };
    Ok((StatusCode::ACCEPTED, replay_header(accepted.replayed), Json(document)).into_response())
}
