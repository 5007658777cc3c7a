//! `/v1/tasks/{task_id}/outputs/{name}`: finished files, with conditions and ranges.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, LOCATION,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use pixmill_blob::{BlobError, BlobKey};
use pixmill_types::{OutputImage, Task, TaskId};

use crate::conditions::{Answer, Validators, evaluate, http_time};
use crate::error::Problem;
use crate::extract::{OutputPath, TaskPath};
use crate::openapi::{example_task_id, problems};
use crate::problem::ProblemCode;
use crate::state::App;

problems!(OutputProblems:
    TaskNotFound, OutputNotFound, PreconditionFailed, RangeNotSatisfiable, BrokerUnavailable, StorageUnavailable);
problems!(OutputHeadProblems: TaskNotFound, OutputNotFound, PreconditionFailed, BrokerUnavailable);

/// Fetches a finished file.
///
/// What lies at this address never changes. One range of bytes may be asked for; several are answered with the whole.
#[utoipa::path(
    get,
    path = "/v1/tasks/{task_id}/outputs/{name}",
    tag = "outputs",
    operation_id = "get_output",
    params(
        ("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task."),
        ("name" = String, Path, example = "processed_my_photo.jpg", description = "The file's name."),
        ("If-None-Match" = Option<String>, Header, nullable = false, description = "ETags the client has."),
        ("If-Modified-Since" = Option<String>, Header, nullable = false, description = "When the client fetched it."),
        ("Range" = Option<String>, Header, nullable = false, description = "One range of bytes.", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, nullable = false, description = "The ETag or date the range belongs to."),
    ),
    responses(
        (status = 200, description = "The whole file.", headers(
            ("ETag" = String, description = "BLAKE3 of the file; strong."),
            ("Last-Modified" = String, description = "When the task was completed."),
            ("Content-Disposition" = String, description = "`inline`, with the file's name."),
            ("Accept-Ranges" = String, description = "`bytes`."),
            ("Cache-Control" = String, description = "Private, and for as long as one likes.")),
            content((String = "image/jpeg"), (String = "image/png"), (String = "image/webp"))),
        (status = 206, description = "The bytes asked for.", headers(
            ("Content-Range" = String, description = "Which bytes of how many.")),
            content((String = "image/jpeg"), (String = "image/png"), (String = "image/webp"))),
        (status = 302, description = "Where it can be fetched for a while, ranges included; only from servers that are \
            set so.", headers(("Location" = String, description = "A signed link to the blob store."))),
        (status = 304, description = "The client has it already."),
        OutputProblems,
    )
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    TaskPath(id): TaskPath,
    OutputPath(name): OutputPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = Found::look_up(&app, id, &name).await?;
    let range = match evaluate(&headers, &found.validators(), true) {
        Answer::Whole => None,
        Answer::Part(range) => Some(range),
        Answer::NotModified => return Ok(found.not_modified()),
        Answer::PreconditionFailed => return Err(precondition_failed()),
        Answer::NotSatisfiable => return Err(found.not_satisfiable()),
    };
    match found.elsewhere(&app).await? {
        Some(elsewhere) => Ok(elsewhere),
        None => found.body(&app, range).await,
    }
}

/// Tells what fetching a finished file would, without the file.
#[utoipa::path(
    head,
    path = "/v1/tasks/{task_id}/outputs/{name}",
    tag = "outputs",
    operation_id = "head_output",
    params(
        ("task_id" = String, Path, format = "uuid", example = example_task_id, description = "The task."),
        ("name" = String, Path, example = "processed_my_photo.jpg", description = "The file's name."),
        ("If-None-Match" = Option<String>, Header, nullable = false, description = "ETags the client has."),
        ("If-Modified-Since" = Option<String>, Header, nullable = false, description = "When the client fetched it."),
    ),
    responses(
        (status = 200, description = "The file is there.", headers(
            ("ETag" = String, description = "BLAKE3 of the file; strong."),
            ("Last-Modified" = String, description = "When the task was completed."),
            ("Content-Length" = u64, description = "Its size, bytes."))),
        (status = 304, description = "The client has it already."),
        OutputHeadProblems,
    )
)]
pub(crate) async fn head(
    State(app): State<Arc<App>>,
    TaskPath(id): TaskPath,
    OutputPath(name): OutputPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = Found::look_up(&app, id, &name).await?;
    match evaluate(&headers, &found.validators(), false) {
        Answer::NotModified => {
            // Without it, an answer without a body says that the file has no bytes (RFC 9110, section 8.6).
            let mut response = found.not_modified();
            let headers = response.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(found.output.bytes));
            Ok(response)
        }
        Answer::PreconditionFailed => Err(precondition_failed()),
        Answer::Whole | Answer::Part(_) | Answer::NotSatisfiable => {
            let mut response = found.headed(StatusCode::OK, Body::empty());
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(found.output.bytes));
            Ok(response)
        }
    }
}

/// A finished file as its task's record describes it.
struct Found {
    key: BlobKey,
    output: OutputImage,
    finished: std::time::SystemTime,
}

impl Found {
    async fn look_up(app: &App, id: TaskId, name: &str) -> Result<Self, Problem> {
        let task = app.services.broker.get(id).await?;
        let Some(success) = &task.success else {
            return Err(not_yet(&task));
        };
        let output = success.outputs.iter().find(|output| output.segment.as_str() == name);
        let Some(output) = output else {
            let names: Vec<_> = success.outputs.iter().map(|output| output.segment.as_str()).collect();
            return Err(
                Problem::new(ProblemCode::OutputNotFound, "the task has no output of this name")
                    .allowed(names.join(", ")),
            );
        };
        Ok(Self {
            key: BlobKey::output(id, success.lease, &output.segment),
            output: output.clone(),
            finished: http_time(task.finished_at.unwrap_or(task.created_at)),
        })
    }

    fn validators(&self) -> Validators {
        Validators {
            etag: format!("\"{}\"", self.output.hash),
            last_modified: self.finished,
            bytes: self.output.bytes,
        }
    }

    async fn body(&self, app: &App, range: Option<std::ops::Range<u64>>) -> Result<Response, Problem> {
        let read = app.services.blobs.read(&self.key, range.clone()).await;
        let read = read.map_err(|error| match error {
            // Deleted between the look at the record and this.
            BlobError::NotFound(_) => {
                tracing::warn!(%error, "an output of a record was not in the blob store");
                Problem::new(ProblemCode::OutputNotFound, "the file is gone")
            }
            BlobError::Full(_) | BlobError::Unavailable(_) => error.into(),
        })?;
        let (status, bytes) = match &range {
            Some(range) => (StatusCode::PARTIAL_CONTENT, range.end - range.start),
            None => (StatusCode::OK, read.total_bytes),
        };
        let mut response = self.headed(status, Body::from_stream(read.stream));
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
        if let Some(range) = range {
            let value = format!("bytes {}-{}/{}", range.start, range.end - 1, self.output.bytes);
            headers.insert(CONTENT_RANGE, header_value(&value));
        }
        Ok(response)
    }

    /// Sends the client to the blob store, when it gives out links and the server is set so. The range that was asked
    /// for, the client asks for again there.
    async fn elsewhere(&self, app: &App) -> Result<Option<Response>, Problem> {
        let Some(valid_for) = app.options.redirect_downloads else {
            return Ok(None);
        };
        let (media_type, disposition) = (self.output.format.media_type(), self.disposition());
        let blobs = &app.services.blobs;
        let link = blobs.link(&self.key, media_type, &disposition, valid_for).await?;
        Ok(link.map(|link| {
            let headers = [
                (LOCATION, header_value(&link)),
                // It runs out, and it is a key.
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (StatusCode::FOUND, headers).into_response()
        }))
    }

    fn disposition(&self) -> String {
        // A segment holds nothing that would have to be quoted.
        format!("inline; filename=\"{}\"", self.output.segment)
    }

    fn headed(&self, status: StatusCode, body: Body) -> Response {
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.output.format.media_type()));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_DISPOSITION, header_value(&self.disposition()));
        self.add_validators(headers);
        response
    }

    fn add_validators(&self, headers: &mut HeaderMap) {
        headers.insert(ETAG, header_value(&self.validators().etag));
        headers.insert(LAST_MODIFIED, header_value(&httpdate::fmt_http_date(self.finished)));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=31536000, immutable"),
        );
    }

    fn not_modified(&self) -> Response {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        self.add_validators(response.headers_mut());
        response
    }

    fn not_satisfiable(&self) -> Problem {
        let bytes = self.output.bytes;
        Problem::new(
            ProblemCode::RangeNotSatisfiable,
            format!("the file has {bytes} bytes, the range begins after them"),
        )
        .parameter("Range")
        .header(CONTENT_RANGE, header_value(&format!("bytes */{bytes}")))
    }
}

fn not_yet(task: &Task) -> Problem {
    Problem::new(
        ProblemCode::OutputNotFound,
        format!("the task is {}, it has no outputs", task.state),
    )
}

fn precondition_failed() -> Problem {
    Problem::new(
        ProblemCode::PreconditionFailed,
        "the file is not the one the request is for",
    )
}

/// A header value made of visible ASCII characters by us.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
