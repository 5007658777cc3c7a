//! The OpenAPI document beside the routes: what all of them share.
//!
//! Problems are described from the same table that answers them, so that the two cannot disagree.

use std::collections::BTreeMap;

use pixmill_types::{FailureCode, FileFormat, ImageFormat, TaskState};
use serde_json::{Value, json};
use utoipa::openapi::encoding::EncodingBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::schema::{AllOfBuilder, Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Header, HeaderBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

use crate::problem::{ProblemCode, ProblemDocument};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "pixmill",
        description = "An image pipeline: uploads become durable tasks, workers mill the images.\n\n\
            Every error is a problem document (RFC 9457) with a stable `code`. Every response names its request in \
            `X-Request-Id`; a request may bring its own. What cannot be read as HTTP at all is refused before it gets \
            here, with 400, 414 or 431 and no body; a connection that is too slow to say what it wants is closed."
    ),
    components(schemas(ProblemDocument)),
    tags(
        (name = "upload", description = "Upload an image, ask how far it is."),
        (name = "tasks", description = "Tasks with all they can be told and asked."),
        (name = "outputs", description = "Finished files."),
        (name = "operations", description = "For those who run it."),
        (name = "documentation", description = "This."),
    )
)]
struct Base;

/// The document before any route is added.
pub(crate) fn base() -> OpenApi {
    Base::openapi()
}

/// Adds what every response has.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete, &mut item.head];
        for operation in operations.into_iter().flatten() {
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && let Some(RefOr::T(form)) = body.content.get_mut("multipart/form-data")
            {
                let images = EncodingBuilder::new().content_type(Some("image/png, image/jpeg, image/webp"));
                form.encoding.insert("file".to_owned(), images.build());
            }
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    response.headers.insert(
                        "X-Request-Id".to_owned(),
                        RefOr::T(text_header("Names the request in the log.")),
                    );
                }
            }
        }
    }
    document
}

/// Declares a type that stands, in `responses(…)`, for problems of these codes and those of every route.
macro_rules! problems {
    ($name:ident: $($code:ident),* $(,)? $(; and those of $base:ident)?) => {
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl $name {
            fn codes() -> Vec<$crate::problem::ProblemCode> {
                let codes = [$($crate::problem::ProblemCode::$code),*];
                codes.into_iter()$(.chain($base::codes()))?.collect()
            }
        }

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                $crate::openapi::problem_responses(&Self::codes())
            }
        }
    };
}
pub(crate) use problems;

/// Problems that any route may answer.
const EVERYWHERE: [ProblemCode; 3] = [ProblemCode::BadRequest, ProblemCode::UriTooLong, ProblemCode::Internal];

/// One response for each status of `codes`.
pub(crate) fn problem_responses(codes: &[ProblemCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in codes.iter().chain(&EVERYWHERE) {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(problem_response(status, &codes))))
        .collect()
}

fn problem_response(status: u16, codes: &[ProblemCode]) -> Response {
    let names: Vec<_> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let narrowed = ObjectBuilder::new()
        .property(
            "status",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .enum_values(Some([status])),
        )
        .property(
            "code",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(codes.iter().map(|code| code.as_str()))),
        );
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name(ProblemDocument::name()))
        .item(narrowed);
    let content = ContentBuilder::new()
        .schema(Some(schema))
        .examples_from_iter(codes.iter().map(|code| (code.as_str(), example(*code))));
    let mut response = ResponseBuilder::new()
        .description(format!("{}.", names.join(", ")))
        .content("application/problem+json", content.build());
    if matches!(status, 503 | 507) {
        response = response.header(
            "Retry-After",
            text_header("Seconds after which to try again, when that may help."),
        );
    }
    if status == 416 {
        response = response.header("Content-Range", text_header("How many bytes there are."));
    }
    response.build()
}

fn example(code: ProblemCode) -> Example {
    ExampleBuilder::new()
        .summary(code.title())
        .value(Some(json!({
            "type": format!("urn:pixmill:problem:{}", code.as_str()),
            "title": code.title(),
            "status": code.status().as_u16(),
            "detail": "what was wrong, and what is allowed",
            "code": code.as_str(),
            "request_id": example_task_id(),
        })))
        .build()
}

fn text_header(about: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .description(Some(about))
        .build()
}

fn words<'a>(about: &str, words: impl IntoIterator<Item = &'a str>) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .enum_values(Some(words))
        .into()
}

pub(crate) fn state_schema() -> Schema {
    words("Where a task is in its life.", TaskState::ALL.map(TaskState::as_str))
}

pub(crate) fn format_schema() -> Schema {
    words("An image format.", ImageFormat::ALL.map(ImageFormat::as_str))
}

pub(crate) fn file_format_schema() -> Schema {
    words("An image format, or `info` for facts as JSON.", FileFormat::names())
}

pub(crate) fn problem_code_schema() -> Schema {
    words(
        "The stable code of a problem. Codes are never renamed or reused.",
        ProblemCode::ALL.iter().map(|code| code.as_str()),
    )
}

pub(crate) fn failure_code_schema() -> Schema {
    words("Why an attempt failed.", FailureCode::ALL.map(FailureCode::as_str))
}

pub(crate) fn example_task_id() -> Value {
    json!("019ab3f0-8c1e-7a43-9b64-2f7e6f0c1d22")
}

pub(crate) fn example_hash() -> Value {
    json!("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
}
