//! Problem documents (RFC 9457): the stable codes, their statuses, and the document itself.
//!
//! Knows nothing of where problems come from; that mapping is `error.rs`.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::problem_code_schema;

/// Declares every code once, with its status and its title.
macro_rules! problem_codes {
    ($($(#[$about:meta])* $code:ident = $name:literal, $status:ident, $title:literal;)+) => {
        /// The stable code of a problem. Codes are never renamed or reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub(crate) enum ProblemCode {
            $($(#[$about])* #[serde(rename = $name)] $code,)+
        }

        impl ProblemCode {
            /// Every code.
            pub(crate) const ALL: &[Self] = &[$(Self::$code),+];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status),+ }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),+ }
            }
        }
    };
}

problem_codes! {
    /// The query string, or a value in it, cannot be understood.
    InvalidQuery = "invalid_query", BAD_REQUEST, "Query not valid";
    /// The cursor was not made by this server.
    InvalidCursor = "invalid_cursor", BAD_REQUEST, "Cursor not valid";
    /// A header cannot be understood.
    InvalidHeader = "invalid_header", BAD_REQUEST, "Header not valid";
    /// The multipart body cannot be understood.
    MalformedMultipart = "malformed_multipart", BAD_REQUEST, "Multipart body not valid";
    /// The body ended before it was complete.
    IncompleteBody = "incomplete_body", BAD_REQUEST, "Body incomplete";
    /// The request is not valid HTTP.
    BadRequest = "bad_request", BAD_REQUEST, "Request not valid";
    /// There is no task of this id, or no longer.
    TaskNotFound = "task_not_found", NOT_FOUND, "Task not found";
    /// The task has no output of this name.
    OutputNotFound = "output_not_found", NOT_FOUND, "Output not found";
    /// There is nothing at this path.
    RouteNotFound = "route_not_found", NOT_FOUND, "Nothing at this path";
    /// The path does not know this method; `Allow` lists those it knows.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The client took too long to send the next piece of the body.
    UploadTimeout = "upload_timeout", REQUEST_TIMEOUT, "Upload too slow";
    /// The task's state does not allow it.
    Conflict = "conflict", CONFLICT, "Not possible in the task's state";
    /// A precondition of the request does not hold.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "Precondition failed";
    /// The file is larger than it may be.
    InputTooLarge = "input_too_large", PAYLOAD_TOO_LARGE, "File too large";
    /// A form field other than the file is larger than it may be.
    FieldTooLarge = "field_too_large", UNPROCESSABLE_ENTITY, "Form field too large";
    /// The URL is longer than it may be.
    UriTooLong = "uri_too_long", URI_TOO_LONG, "URL too long";
    /// The body is neither a form nor an image.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Media type not supported";
    /// The range begins after the end of the file.
    RangeNotSatisfiable = "range_not_satisfiable", RANGE_NOT_SATISFIABLE, "Range not satisfiable";
    /// The form has no field `file`.
    FileMissing = "file_missing", UNPROCESSABLE_ENTITY, "File missing";
    /// The file has no bytes.
    FileEmpty = "file_empty", UNPROCESSABLE_ENTITY, "File empty";
    /// A form field is unknown, repeated, misplaced, or has a value that is not allowed.
    InvalidField = "invalid_field", UNPROCESSABLE_ENTITY, "Form field not valid";
    /// The earliest start lies too far in the future.
    NotBeforeTooFar = "not_before_too_far", UNPROCESSABLE_ENTITY, "Start too far in the future";
    /// The recipe cannot be understood, or a parameter is out of range.
    InvalidRecipe = "invalid_recipe", UNPROCESSABLE_ENTITY, "Recipe not valid";
    /// The recipe cannot be carried out on this image.
    RecipeImpossible = "recipe_impossible", UNPROCESSABLE_ENTITY, "Recipe not possible on this image";
    /// The recipe names an asset that is not in the folder of assets, or that cannot be read there.
    AssetUnusable = "asset_unusable", UNPROCESSABLE_ENTITY, "Asset not usable";
    /// The bytes are not an image of a format pixmill reads.
    NotAnImage = "not_an_image", UNPROCESSABLE_ENTITY, "Not an image";
    /// The image is of a known format that pixmill does not read, or of a kind of it that it does not.
    ImageUnsupported = "image_unsupported", UNSUPPORTED_MEDIA_TYPE, "Image not supported";
    /// The file ends before its header does.
    ImageTruncated = "image_truncated", UNPROCESSABLE_ENTITY, "Image cut off";
    /// The file contradicts its own format.
    ImageCorrupt = "image_corrupt", UNPROCESSABLE_ENTITY, "Image corrupt";
    /// The image, or the work on it, asks for more than a limit allows.
    LimitExceeded = "limit_exceeded", UNPROCESSABLE_ENTITY, "Limit exceeded";
    /// The idempotency key was used before with another image or recipe.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "Idempotency key reused";
    /// A defect in pixmill.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
    /// This gateway takes no new tasks, and was told so.
    NotAccepting = "not_accepting", SERVICE_UNAVAILABLE, "No new tasks taken";
    /// As many uploads are under way as there may be.
    Busy = "busy", SERVICE_UNAVAILABLE, "Too many uploads at once";
    /// The queue holds as many tasks as it may.
    QueueFull = "queue_full", SERVICE_UNAVAILABLE, "Queue full";
    /// The broker does not answer.
    BrokerUnavailable = "broker_unavailable", SERVICE_UNAVAILABLE, "Broker unavailable";
    /// The blob store does not answer.
    StorageUnavailable = "storage_unavailable", SERVICE_UNAVAILABLE, "Storage unavailable";
    /// The gateway is about to stop.
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE, "Shutting down";
    /// There is no room left to store anything.
    StorageFull = "storage_full", INSUFFICIENT_STORAGE, "Storage full";
}

/// What went wrong, as RFC 9457 writes it. Which members follow `request_id` depends on the code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDocument<'a> {
    /// Names the kind of problem: `urn:pixmill:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:pixmill:problem:input_too_large")]
    pub(crate) kind: String,
    /// The kind of problem for people; the same for every problem of this code.
    #[schema(value_type = String, example = "File too large")]
    pub(crate) title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 413)]
    pub(crate) status: u16,
    /// This problem for people: what was wrong, and what is allowed.
    #[schema(value_type = String, example = "the file has at least 67108865 bytes, max_input_bytes is 67108864")]
    pub(crate) detail: &'a str,
    /// For programs.
    #[schema(schema_with = problem_code_schema)]
    pub(crate) code: ProblemCode,
    /// Names the request in the server's log; also in the header `X-Request-Id`.
    #[schema(value_type = String, example = "019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22")]
    pub(crate) request_id: &'a str,
    /// The parameter, field or header that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "recipe")]
    pub(crate) parameter: Option<&'a str>,
    /// Where in the recipe it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "step 2 (blur)")]
    pub(crate) place: Option<&'a str>,
    /// The setting that sets the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "max_input_bytes")]
    pub(crate) limit_name: Option<&'static str>,
    /// The limit, in the unit its name says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, example = 67_108_864)]
    pub(crate) limit: Option<u64>,
    /// What was asked for, in the same unit; the least it can be when it is not known exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, example = 67_108_865)]
    pub(crate) actual: Option<u64>,
    /// What is allowed instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "a whole number from 0 to 9")]
    pub(crate) allowed: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_page_lists_every_code() {
        let page = include_str!("../../../docs/api.md");
        for code in ProblemCode::ALL {
            let row = format!("| `{}` | {} |", code.as_str(), code.status().as_u16());
            assert!(page.contains(&row), "docs/api.md lacks {row}");
        }
        for code in pixmill_types::FailureCode::ALL {
            let again = if code.is_permanent() { "no" } else { "yes" };
            assert!(
                page.contains(&format!("| `{code}` | {again} |")),
                "docs/api.md lacks {code}"
            );
        }
    }

    #[test]
    fn codes_are_named_once_and_say_an_error() {
        let mut names: Vec<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(!code.title().ends_with('.'));
        }
    }
}
