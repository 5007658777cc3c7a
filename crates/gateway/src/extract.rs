//! What handlers take from a request, with every rejection a problem.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use pixmill_types::TaskId;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::error::Problem;
use crate::problem::ProblemCode;

/// The query string.
#[derive(Debug)]
pub(crate) struct ApiQuery<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|rejection| {
                let source = std::error::Error::source(&rejection).map(ToString::to_string);
                let detail = source.unwrap_or_else(|| rejection.to_string());
                Problem::new(ProblemCode::InvalidQuery, format!("the query is not valid: {detail}"))
            })
    }
}

/// The number of items on a page: `asked`, or `default`; from 1 to `most`.
pub(crate) fn page_limit(asked: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(default);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let allowed = format!("a whole number from 1 to {most}");
    Err(Problem::new(
        ProblemCode::InvalidQuery,
        format!("limit is {limit}, allowed is {allowed}"),
    )
    .parameter("limit")
    .allowed(allowed))
}

/// The task that the path names. What is no id names no task.
#[derive(Debug)]
pub(crate) struct TaskPath(pub(crate) TaskId);

#[derive(Deserialize)]
struct TaskSegment {
    task_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for TaskPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(TaskSegment { task_id }) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::task_not_found())?;
        task_id.parse().map(Self).map_err(|_| Problem::task_not_found())
    }
}

/// The output that the path names; empty when that is no text.
#[derive(Debug)]
pub(crate) struct OutputPath(pub(crate) String);

#[derive(Deserialize)]
struct OutputSegment {
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for OutputPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let name = Path::<OutputSegment>::from_request_parts(parts, state).await;
        Ok(Self(name.map_or_else(|_| String::new(), |Path(segment)| segment.name)))
    }
}

/// A length of time in a query: `500ms`, `10s`, `2m`; a bare number is seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "{:?} is not a length of time, allowed is a whole number of up to 9 digits and ms, s or m, such as 10s",
                text.chars().take(40).collect::<String>()
            ))
        })
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if !(1..=9).contains(&digits) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(60 * number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, expected) in [
            ("10s", Some(10_000)),
            ("10", Some(10_000)),
            ("250ms", Some(250)),
            ("2m", Some(120_000)),
            ("0", Some(0)),
            ("999999999m", Some(59_999_999_940_000)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("10 s", None),
            ("10h", None),
            ("1234567890s", None),
        ] {
            assert_eq!(parse_duration(text), expected.map(Duration::from_millis), "{text:?}");
        }
    }
}
