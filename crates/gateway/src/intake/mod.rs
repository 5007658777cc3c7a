//! From a request to a task: receives the upload, judges its header, publishes the file, submits the task.
//!
//! Owns the order of these steps. What is refused is refused before a task exists, and leaves no file. Knows nothing
//! of routes or of what the answer looks like.

mod assets;
mod body;
mod disposition;
mod form;
mod multipart;
pub(crate) mod parameters;
mod publish;
mod staging;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use pixmill_types::{IdempotencyKey, LimitName, Task, TaskId};

use self::body::UploadBody;
use self::form::Received;
use self::parameters::RawParameters;
use self::publish::Ready;
use self::staging::{Arrival, Staged};
use crate::error::Problem;
use crate::problem::ProblemCode;
use crate::state::App;

/// Bytes a form may have besides its file.
const FORM_OVERHEAD: u64 = 1024 * 1024;

/// What became of an upload.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) task: Task,
    /// Whether the task is that of an earlier request with the same idempotency key.
    pub(crate) replayed: bool,
}

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A form with a file and maybe a recipe, in which other fields do no harm.
    LenientForm,
    /// A form without unknown fields, or the image itself.
    FormOrImage,
}

/// Receives an upload and makes it a task. When this returns `Ok`, the task is durable.
///
/// # Errors
/// A problem; then nothing is kept of the upload, unless it is unknown whether the task exists.
///
/// # Cancel safety
/// A dropped future leaves no file and no task when the upload had not come whole, and a task otherwise.
pub(crate) async fn accept(
    app: &Arc<App>,
    request: Request,
    source: Source,
    query: Result<RawParameters, Problem>,
) -> Result<Accepted, Problem> {
    let (head, body) = request.into_parts();
    let mut body = UploadBody::new(&head.headers, body, app.options.upload_idle_timeout);
    if !app.options.accept_tasks {
        return Err(body.refuse(app, Problem::not_accepting()));
    }
    let permit = match app.uploads.clone().try_acquire_owned() {
        Ok(permit) => permit,
        Err(_) => return Err(body.refuse(app, Problem::busy(app.options.max_uploads))),
    };
    let received = async {
        let idempotency_key = idempotency_key(&head.headers)?;
        let arrival = Arrival::new(app, TaskId::generate(), idempotency_key.as_ref());
        let (staged, parameters) = receive(arrival, &head.headers, &mut body, source, query?).await?;
        Ok((idempotency_key, staged, parameters))
    };
    let (idempotency_key, staged, parameters) = match received.await {
        Ok(received) => received,
        Err(problem) => return Err(body.refuse(app, problem)),
    };
    app.http_metrics.uploaded(staged.bytes());
    let ready = Ready {
        staged,
        parameters,
        idempotency_key,
        trace_parent: trace_parent(&head.headers),
        began: body.began(),
        permit,
    };
    let accepted = publish::in_its_own_task(app, ready).await;
    publish::crash_point("gateway.before_response");
    accepted
}

/// Reads the whole body into a staged file that may become a task.
async fn receive(
    mut arrival: Arrival<'_>,
    headers: &HeaderMap,
    body: &mut UploadBody,
    source: Source,
    query: RawParameters,
) -> Result<(Staged, parameters::Parameters), Problem> {
    let content_type = headers.get(CONTENT_TYPE).map_or(Ok(""), |value| {
        value
            .to_str()
            .map_err(|_| unsupported("the content type is not text", source))
    })?;
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let received = match essence.as_str() {
        "multipart/form-data" => {
            check_declared(arrival.app(), body, FORM_OVERHEAD)?;
            let boundary = multipart::boundary(content_type)?;
            form::receive(&mut arrival, body, &boundary, source, query).await
        }
        "" | "application/octet-stream" if source == Source::FormOrImage => image(&mut arrival, body, query).await,
        image_type if source == Source::FormOrImage && image_type.starts_with("image/") => {
            image(&mut arrival, body, query).await
        }
        "" => Err(unsupported("the request has no content type", source)),
        other => Err(unsupported(
            &format!("the content type is {:?}", parameters::shorten(other)),
            source,
        )),
    };
    let judged = match received {
        Ok(received) => arrival.judge(received).await,
        Err(problem) => Err(problem),
    };
    match judged {
        Ok(parameters) => Ok((arrival.into_staged()?, parameters)),
        Err(problem) => {
            arrival.abort(&problem).await;
            Err(problem)
        }
    }
}

/// Receives the image itself as the body.
async fn image(arrival: &mut Arrival<'_>, body: &mut UploadBody, query: RawParameters) -> Result<Received, Problem> {
    check_declared(arrival.app(), body, 0)?;
    let parameters = query.check(arrival.app().options.max_start_delay)?;
    arrival
        .expect(query.filename.as_deref(), Some(&parameters.recipe))
        .await?;
    while let Some(bytes) = body.next().await? {
        arrival.take(bytes).await?;
    }
    Ok(Received { parameters })
}

/// Refuses by `Content-Length` what is sure to be too large, before a byte of it is read.
fn check_declared(app: &App, body: &UploadBody, overhead: u64) -> Result<(), Problem> {
    let declared = body.declared().unwrap_or(0).saturating_sub(overhead);
    app.options
        .limits
        .check(LimitName::InputBytes, declared)
        .map_err(|exceeded| Problem::input_too_large(exceeded, overhead == 0))
}

fn unsupported(what: &str, source: Source) -> Problem {
    let allowed = match source {
        Source::LenientForm => "multipart/form-data with the image in the field \"file\"",
        Source::FormOrImage => {
            "multipart/form-data with the image in the field \"file\", or the image itself as image/jpeg, image/png, \
             image/webp or application/octet-stream"
        }
    };
    Problem::new(
        ProblemCode::UnsupportedMediaType,
        format!("{what}, allowed is {allowed}"),
    )
    .parameter("Content-Type")
    .allowed(allowed)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    const NAME: &str = "Idempotency-Key";
    let mut values = headers.get_all(NAME).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    value
        .to_str()
        .ok()
        .filter(|_| second.is_none())
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| {
            let allowed = "one key of 1 to 255 visible ASCII characters";
            Problem::new(
                ProblemCode::InvalidHeader,
                format!("the idempotency key is not {allowed}"),
            )
            .parameter(NAME)
            .allowed(allowed)
        })
}

/// A `traceparent` of version 00 (W3C Trace Context, section 3.2); anything else is as good as none.
fn trace_parent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let is_hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts: Vec<_> = text.split('-').collect();
    match parts[..] {
        ["00", trace, parent, flags] if is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2) => {
            Some(text.to_owned())
        }
        _ => None,
    }
}
