//! The one place where errors become HTTP: what a caller is told, with which status and code.
//!
//! A [`Problem`] travels in the extensions of its response until `observe.rs` writes the document, because only there
//! is the request's id known. What a person needs for debugging (`cause`) goes to the log and never to the client.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use pixmill_blob::BlobError;
use pixmill_broker::BrokerError;
use pixmill_engine::EngineError;
use pixmill_types::{IllegalTransition, ImageFormat, LimitExceeded, LimitName, RecipeError, TaskState};

use crate::problem::{ProblemCode, ProblemDocument};

const QUEUE_FULL_RETRY: Duration = Duration::from_secs(5);
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(2);
const BUSY_RETRY: Duration = Duration::from_secs(1);
const NOT_ACCEPTING_RETRY: Duration = Duration::from_secs(60);

type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a request is refused.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: ProblemCode,
    detail: Cow<'static, str>,
    parameter: Option<Cow<'static, str>>,
    place: Option<String>,
    limit_name: Option<&'static str>,
    limit: Option<u64>,
    actual: Option<u64>,
    allowed: Option<Cow<'static, str>>,
    headers: HeaderMap,
    cause: Option<Cause>,
}

impl Problem {
    /// A problem with nothing but a code and a sentence: lower case, no full stop.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            parameter: None,
            place: None,
            limit_name: None,
            limit: None,
            actual: None,
            allowed: None,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// There is no such task, whether the id is unknown or not an id at all.
    pub(crate) fn task_not_found() -> Self {
        Self::new(ProblemCode::TaskNotFound, "there is no task of this id")
    }

    /// Something the gateway stands on does not answer, or the gateway itself is about to go: try again soon.
    pub(crate) fn unavailable(code: ProblemCode, detail: &'static str) -> Self {
        Self::new(code, detail).retry_after(UNAVAILABLE_RETRY)
    }

    /// As many uploads are under way as there may be.
    pub(crate) fn busy(limit: usize) -> Self {
        let detail = format!("{limit} uploads are under way, the most there may be; try again");
        Self::new(ProblemCode::Busy, detail)
            .limit("max_uploads", limit as u64, None)
            .retry_after(BUSY_RETRY)
    }

    /// Nothing becomes a task here, whatever it is.
    pub(crate) fn not_accepting() -> Self {
        Self::new(
            ProblemCode::NotAccepting,
            "this gateway takes no new tasks (accept_tasks is false); it tells of those there are",
        )
        .retry_after(NOT_ACCEPTING_RETRY)
    }

    /// The queue holds as many tasks as it may.
    pub(crate) fn queue_full(queued: u64, limit: u64) -> Self {
        let detail = format!("{queued} tasks are waiting, the queue holds at most {limit}; try again later");
        Self::new(ProblemCode::QueueFull, detail)
            .limit("max_queued", limit, Some(queued))
            .retry_after(QUEUE_FULL_RETRY)
    }

    /// The file has `actual` bytes, or more.
    pub(crate) fn input_too_large(exceeded: LimitExceeded, exact: bool) -> Self {
        let least = if exact { "" } else { "at least " };
        let detail = format!(
            "the file has {least}{} bytes, max_input_bytes is {}",
            exceeded.actual, exceeded.limit
        );
        Self::new(ProblemCode::InputTooLarge, detail).limit(
            exceeded.name.setting(),
            exceeded.limit,
            Some(exceeded.actual),
        )
    }

    /// Something in pixmill is not as it must be.
    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            ProblemCode::Internal,
            "the server made a mistake; its log says more under this request's id",
        )
        .cause(Arc::from(cause.into()))
    }

    /// Names the parameter, field or header that is wrong.
    #[must_use]
    pub(crate) fn parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.parameter = Some(name.into());
        self
    }

    /// Says which setting sets the limit, its value, and what was asked for.
    #[must_use]
    pub(crate) fn limit(mut self, name: &'static str, limit: u64, actual: Option<u64>) -> Self {
        self.0.limit_name = Some(name);
        self.0.limit = Some(limit);
        self.0.actual = actual;
        self
    }

    /// Says what is allowed instead.
    #[must_use]
    pub(crate) fn allowed(mut self, allowed: impl Into<Cow<'static, str>>) -> Self {
        self.0.allowed = Some(allowed.into());
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Ends the connection after the response, because part of the body is left unread.
    #[must_use]
    pub(crate) fn closing(self) -> Self {
        self.header(CONNECTION, HeaderValue::from_static("close"))
    }

    fn retry_after(self, after: Duration) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(after.as_secs()))
    }

    fn cause(mut self, cause: Cause) -> Self {
        self.0.cause = Some(cause);
        self
    }

    fn place(mut self, place: String) -> Self {
        self.0.place = Some(place);
        self
    }

    pub(crate) fn code(&self) -> ProblemCode {
        self.0.code
    }

    /// What the log should say and the client should not read.
    pub(crate) fn take_cause(&mut self) -> Option<Cause> {
        self.0.cause.take()
    }

    /// The document, for the request of this id.
    pub(crate) fn document<'a>(&'a self, request_id: &'a str) -> ProblemDocument<'a> {
        let parts = &*self.0;
        ProblemDocument {
            kind: format!("urn:pixmill:problem:{}", parts.code.as_str()),
            title: parts.code.title(),
            status: parts.code.status().as_u16(),
            detail: &parts.detail,
            code: parts.code,
            request_id,
            parameter: parts.parameter.as_deref(),
            place: parts.place.as_deref(),
            limit_name: parts.limit_name,
            limit: parts.limit,
            actual: parts.actual,
            allowed: parts.allowed.as_deref(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let mut response = self.0.code.status().into_response();
        *response.headers_mut() = std::mem::take(&mut self.0.headers);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<BrokerError> for Problem {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::NotFound(_) => Self::task_not_found(),
            BrokerError::Conflict(conflict) => conflict.into(),
            BrokerError::KeyReused => Self::new(
                ProblemCode::IdempotencyKeyReused,
                "this idempotency key was used before with another image or recipe; take a new one",
            )
            .parameter("Idempotency-Key"),
            BrokerError::StagedTooLong => Self::new(
                ProblemCode::UploadTimeout,
                "the upload took so long that its file may be gone; send it again",
            ),
            BrokerError::InvalidCursor => Self::new(
                ProblemCode::InvalidCursor,
                "the cursor is not one that this server gave out",
            )
            .parameter("cursor"),
            BrokerError::StorageFull(_) => Self::storage_full(error),
            BrokerError::Unavailable(_) => {
                Self::unavailable(ProblemCode::BrokerUnavailable, "the broker does not answer; try again")
                    .cause(Arc::new(error))
            }
            BrokerError::StaleLease | BrokerError::Corrupt(_) => Self::internal(error),
        }
    }
}

impl From<IllegalTransition> for Problem {
    fn from(conflict: IllegalTransition) -> Self {
        let allowed: Vec<_> = TaskState::ALL
            .into_iter()
            .filter(|state| state.after(conflict.transition).is_ok())
            .map(TaskState::as_str)
            .collect();
        Self::new(ProblemCode::Conflict, conflict.to_string())
            .allowed(format!("a task that is {}", allowed.join(" or ")))
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NotFound(_) => Self::internal(error),
            BlobError::Full(_) => Self::storage_full(error),
            BlobError::Unavailable(_) => Self::unavailable(
                ProblemCode::StorageUnavailable,
                "the blob store does not answer; try again",
            )
            .cause(Arc::new(error)),
        }
    }
}

impl Problem {
    fn storage_full(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(
            ProblemCode::StorageFull,
            "there is no room left to store anything; nothing was kept of this request",
        )
        .retry_after(QUEUE_FULL_RETRY)
        .cause(Arc::new(cause))
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::NotAnImage(_) => ProblemCode::NotAnImage,
            EngineError::Unsupported(_) => ProblemCode::ImageUnsupported,
            EngineError::Truncated(_) => ProblemCode::ImageTruncated,
            EngineError::Corrupt(_) => ProblemCode::ImageCorrupt,
            EngineError::Limit(exceeded) => return (*exceeded).into(),
            EngineError::Impossible(_) => ProblemCode::RecipeImpossible,
            EngineError::Stopped | EngineError::Internal(_) => return Self::internal(error),
        };
        let problem = Self::new(code, error.to_string());
        match code {
            ProblemCode::NotAnImage => problem.allowed(ImageFormat::READ),
            _ => problem,
        }
    }
}

impl From<LimitExceeded> for Problem {
    fn from(exceeded: LimitExceeded) -> Self {
        if exceeded.name == LimitName::InputBytes {
            return Self::input_too_large(exceeded, true);
        }
        Self::new(ProblemCode::LimitExceeded, exceeded.to_string()).limit(
            exceeded.name.setting(),
            exceeded.limit,
            Some(exceeded.actual),
        )
    }
}

impl From<RecipeError> for Problem {
    fn from(error: RecipeError) -> Self {
        Self::new(ProblemCode::InvalidRecipe, error.to_string())
            .parameter("recipe")
            .place(error.place)
    }
}
