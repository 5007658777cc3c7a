//! Around every request: its id, its span, its line in the access log, its measurements, and the document of its
//! problem.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::FutureExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use pixmill_types::Causes;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::error::Problem;
use crate::problem::ProblemCode;
use crate::state::App;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Longest request id taken from a client, bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;
/// Longest path with query, bytes. A recipe of 8 KiB fits, percent-encoded.
const MAX_URI_BYTES: usize = 32 * 1024;

/// The outermost layer.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id = request_id(request.headers());
    let uri = request.uri();
    let seen = Seen {
        method: known_method(request.method()),
        path: uri.path().to_owned(),
        route: request
            .extensions()
            .get::<MatchedPath>()
            .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned()),
        request_id,
    };
    let uri_bytes = uri.path().len() + uri.query().map_or(0, str::len);
    let span = tracing::info_span!(
        "request",
        request.id = %seen.request_id,
        http.method = seen.method,
        http.path = %shown(&seen.path),
        task.id = tracing::field::Empty
    );
    app.http_metrics.began();
    // From here on the request is counted when its response is dropped, however that comes.
    let mut ending = Ending {
        app,
        seen,
        span: span.clone(),
        began,
        status: 499,
        bytes: 0,
    };
    let answer = async {
        if uri_bytes > MAX_URI_BYTES {
            return uri_too_long(uri_bytes).into_response();
        }
        if let Some(HostUnclear(names)) = request.extensions().get() {
            let detail = format!("an HTTP/1.1 request has one Host header, this one has {names}");
            return Problem::new(ProblemCode::BadRequest, detail).closing().into_response();
        }
        match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => Problem::internal("a handler panicked").into_response(),
        }
    };
    let response = answer.instrument(span.clone()).await;
    let response = span.in_scope(|| finish(response, &ending.seen));
    ending.status = response.status().as_u16();
    response.map(|body| Body::new(ObservedBody { body, ending }))
}

/// A request does not say which host it is for: how many Host headers it has.
#[derive(Debug, Clone, Copy)]
struct HostUnclear(usize);

/// Marks a request that came over a connection without saying for which host, or for more than one (RFC 9112, section 3.2):
/// a proxy may understand it otherwise.
pub(crate) fn with_host_checked(mut request: Request) -> Request {
    let names = request.headers().get_all(HOST).iter().count();
    if names != 1 && (names > 1 || request.version() == Version::HTTP_11) {
        request.extensions_mut().insert(HostUnclear(names));
    }
    request
}

/// What the log and the measurements say of a request.
#[derive(Debug)]
struct Seen {
    method: &'static str,
    path: String,
    route: String,
    request_id: String,
}

/// Writes the document of a problem and the headers that every response has.
fn finish(mut response: Response, seen: &Seen) -> Response {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.or_else(|| {
        let is_error = status.is_client_error() || status.is_server_error();
        is_error.then(|| foreign(status))
    });
    if let Some(mut problem) = problem {
        if let Some(cause) = problem.take_cause() {
            tracing::error!(code = problem.code().as_str(), error = %Causes(&*cause), "a request failed");
        }
        // A document of strings and numbers always serialises.
        let document = serde_json::to_vec(&problem.document(&seen.request_id)).unwrap_or_default();
        let (mut head, _) = response.into_parts();
        head.headers.remove(axum::http::header::CONTENT_LENGTH);
        head.headers.insert(CONTENT_TYPE, PROBLEM_TYPE);
        head.status = problem.code().status();
        response = Response::from_parts(head, Body::from(document));
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&seen.request_id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The problem of an error that something below answered without one.
fn foreign(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(ProblemCode::RouteNotFound, "there is nothing at this path"),
        status if status.is_client_error() => {
            Problem::new(ProblemCode::BadRequest, format!("the request was answered {status}"))
        }
        status => Problem::internal(format!("the request was answered {status}")),
    }
}

/// There is nothing at this path.
pub(crate) async fn route_not_found() -> Problem {
    Problem::new(ProblemCode::RouteNotFound, "there is nothing at this path")
}

/// The path does not know this method. axum adds `Allow`.
pub(crate) async fn method_not_allowed(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("this path does not know {method}; the header {ALLOW} lists what it knows");
    Problem::new(ProblemCode::MethodNotAllowed, detail).into_response()
}

fn uri_too_long(bytes: usize) -> Problem {
    let detail = format!("the path and query have {bytes} bytes, at most {MAX_URI_BYTES} are allowed");
    Problem::new(ProblemCode::UriTooLong, detail)
        .limit("max_uri_bytes", MAX_URI_BYTES as u64, Some(bytes as u64))
        .closing()
}

/// The client's id when it is harmless, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-:/+=".contains(&byte))
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT",
    ];
    KNOWN
        .into_iter()
        .find(|known| method.as_str() == *known)
        .unwrap_or("other")
}

/// As much of a path as a log line should carry.
fn shown(path: &str) -> &str {
    let end = path.char_indices().nth(200).map_or(path.len(), |(at, _)| at);
    &path[..end]
}

/// Logs and counts a request when its response has been sent, or nobody wants it any more.
#[derive(Debug)]
struct Ending {
    app: Arc<App>,
    seen: Seen,
    span: tracing::Span,
    began: Instant,
    /// 499 until there is a response: the client left before.
    status: u16,
    bytes: u64,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let duration = self.began.elapsed();
        let route = std::mem::take(&mut self.seen.route);
        self.app
            .http_metrics
            .ended(self.seen.method, route, self.status, self.bytes, duration);
        let _entered = self.span.enter();
        tracing::info!(
            target: "pixmill::access",
            status = self.status,
            bytes = self.bytes,
            duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }
}

/// A response's body that counts its bytes.
#[derive(Debug)]
struct ObservedBody {
    body: Body,
    ending: Ending,
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.ending.bytes += frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
