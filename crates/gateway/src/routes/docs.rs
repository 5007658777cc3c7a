//! `/`, `/docs` and `/openapi.json`: the description of this interface, for people and for programs.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerFile, serve};

use crate::error::Problem;
use crate::openapi::problems;
use crate::problem::ProblemCode;
use crate::state::App;

/// The page needs its own scripts and styles, inline styles and images, and this server: nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: \
                      blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

problems!(DocsProblems:);

/// Leads to the documentation.
#[utoipa::path(
    get,
    path = "/",
    tag = "documentation",
    operation_id = "root",
    responses((status = 307, description = "See `/docs`.", headers(("Location" = String, description = "`/docs`."))), DocsProblems)
)]
pub(crate) async fn root() -> Redirect {
    Redirect::temporary("/docs")
}

/// Documents this interface in a page that can try everything out.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "documentation",
    operation_id = "docs",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"), DocsProblems)
)]
pub(crate) async fn docs() -> Result<Response, Problem> {
    asset("index.html")
}

/// The document as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Document(Bytes);

/// Describes this interface as OpenAPI does.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "documentation",
    operation_id = "openapi",
    responses((status = 200, description = "This document.", body = Object), DocsProblems)
)]
pub(crate) async fn openapi_json(Extension(Document(bytes)): Extension<Document>) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// Adds what `/docs` and `/openapi.json` need: the document, written once, and the files of the page.
pub(crate) fn extend(router: Router<Arc<App>>, document: &OpenApi) -> Router<Arc<App>> {
    // A document of strings, numbers and maps with text for keys always serialises.
    let json = document.to_json().unwrap_or_default();
    router
        // People type it so.
        .route("/docs/", get(root))
        .route(
            "/docs/{file}",
            get(|Path(file): Path<String>| async move { asset(&file) }),
        )
        .layer(Extension(Document(Bytes::from(json))))
}

/// A file of the page, from the binary itself.
fn asset(name: &str) -> Result<Response, Problem> {
    let config = Config::new(["/openapi.json"]).validator_url("none");
    let file = serve(name, Arc::new(config)).map_err(|error| Problem::internal(error.to_string()))?;
    let Some(SwaggerFile {
        bytes, content_type, ..
    }) = file
    else {
        return Err(Problem::new(
            ProblemCode::RouteNotFound,
            "there is nothing at this path",
        ));
    };
    let bytes = match name {
        // The page lies at `/docs`, its files below.
        "index.html" => String::from_utf8_lossy(&bytes)
            .replace("href=\"./", "href=\"/docs/")
            .replace("href=\"index.css", "href=\"/docs/index.css")
            .replace("src=\"./", "src=\"/docs/")
            .replace("<title>Swagger UI</title>", "<title>pixmill</title>")
            .into(),
        _ => Bytes::from(bytes.into_owned()),
    };
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_str(&content_type).map_err(Problem::internal)?,
        ),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, bytes).into_response())
}
