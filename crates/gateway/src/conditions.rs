//! Conditional and range requests (RFC 9110, sections 13 and 14) as pure functions.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use axum::http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use axum::http::{HeaderMap, HeaderName};
use pixmill_types::Timestamp;

/// What a file is known by.
#[derive(Debug, Clone)]
pub(crate) struct Validators {
    /// The strong entity tag, quotes included.
    pub(crate) etag: String,
    /// When it came to be, whole seconds.
    pub(crate) last_modified: SystemTime,
    /// Its size, bytes.
    pub(crate) bytes: u64,
}

/// How to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200 with all of it.
    Whole,
    /// 206 with these bytes.
    Part(Range<u64>),
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416.
    NotSatisfiable,
}

/// A time as HTTP dates can say it.
pub(crate) fn http_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(at.as_millis() / 1_000)
}

/// Decides how to answer, in the order of RFC 9110, section 13.2.2. Ranges are for GET only.
pub(crate) fn evaluate(headers: &HeaderMap, validators: &Validators, is_get: bool) -> Answer {
    let tags = |name: &HeaderName| headers.contains_key(name).then(|| tags_of(headers, name));
    let date = |name: &HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        httpdate::parse_http_date(text).ok()
    };
    if let Some(tags) = tags(&IF_MATCH) {
        if !tags.iter().any(|tag| tag == "*" || *tag == validators.etag) {
            return Answer::PreconditionFailed;
        }
    } else if date(&IF_UNMODIFIED_SINCE).is_some_and(|since| validators.last_modified > since) {
        return Answer::PreconditionFailed;
    }
    if let Some(tags) = tags(&IF_NONE_MATCH) {
        let matches = |tag: &String| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == validators.etag;
        if tags.iter().any(matches) {
            return Answer::NotModified;
        }
    } else if date(&IF_MODIFIED_SINCE).is_some_and(|since| validators.last_modified <= since) {
        return Answer::NotModified;
    }
    if is_get && range_applies(headers, validators) {
        return range(headers, validators.bytes);
    }
    Answer::Whole
}

fn tags_of(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().to_owned())
        .collect()
}

/// `If-Range`: the range counts only when the file is still the one the client has the rest of.
fn range_applies(headers: &HeaderMap, validators: &Validators) -> bool {
    let Some(value) = headers.get(IF_RANGE) else {
        return true;
    };
    let Ok(text) = value.to_str() else { return false };
    text == validators.etag || httpdate::parse_http_date(text).is_ok_and(|date| date == validators.last_modified)
}

/// One range of bytes. More than one, another unit, or what cannot be read is answered with the whole file.
fn range(headers: &HeaderMap, total: u64) -> Answer {
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Answer::Whole;
    };
    let spec = value.to_str().ok().and_then(|text| text.split_once('='));
    let Some((unit, spec)) = spec else { return Answer::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Answer::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Answer::Whole;
    }
    match (number(first), number(last)) {
        (Number::Value(first), Number::Value(last)) if first > last => Answer::Whole,
        (Number::Value(first), _) if first >= total => Answer::NotSatisfiable,
        (Number::Value(first), Number::Value(last)) => Answer::Part(first..last.saturating_add(1).min(total)),
        (Number::Value(first), Number::Absent) => Answer::Part(first..total),
        (Number::Absent, Number::Value(0)) => Answer::NotSatisfiable,
        (Number::Absent, Number::Value(_)) if total == 0 => Answer::NotSatisfiable,
        (Number::Absent, Number::Value(suffix)) => Answer::Part(total.saturating_sub(suffix)..total),
        (Number::Absent, Number::Absent) | (Number::Malformed, _) | (_, Number::Malformed) => Answer::Whole,
    }
}

enum Number {
    Absent,
    /// A number too large for 64 bits counts as the largest.
    Value(u64),
    Malformed,
}

fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        Number::Absent
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Number::Value(text.parse().unwrap_or(u64::MAX))
    } else {
        Number::Malformed
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const EARLIER: &str = "Tue, 24 Nov 2026 03:00:00 GMT";
    const MODIFIED: &str = "Tue, 24 Nov 2026 04:00:00 GMT";
    const LATER: &str = "Tue, 24 Nov 2026 05:00:00 GMT";

    fn check(headers: &[(HeaderName, &str)], expected: Answer) {
        let validators = Validators {
            etag: "\"abc\"".to_owned(),
            last_modified: httpdate::parse_http_date(MODIFIED).unwrap(),
            bytes: 100,
        };
        let map = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        assert_eq!(evaluate(&map, &validators, true), expected, "{headers:?}");
        if matches!(expected, Answer::Part(_) | Answer::NotSatisfiable) {
            assert_eq!(evaluate(&map, &validators, false), Answer::Whole, "HEAD {headers:?}");
        }
    }

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-9", Answer::Part(0..10)),
            ("bytes=90-", Answer::Part(90..100)),
            ("bytes=90-1000", Answer::Part(90..100)),
            ("bytes=-10", Answer::Part(90..100)),
            ("bytes=-1000", Answer::Part(0..100)),
            ("Bytes = 0 - 9", Answer::Part(0..10)),
            ("bytes=0-99999999999999999999999", Answer::Part(0..100)),
            ("bytes=100-", Answer::NotSatisfiable),
            ("bytes=-0", Answer::NotSatisfiable),
            ("bytes=99999999999999999999999-", Answer::NotSatisfiable),
            ("bytes=0-1,5-6", Answer::Whole),
            ("bytes=9-0", Answer::Whole),
            ("bytes=-", Answer::Whole),
            ("bytes=a-b", Answer::Whole),
            ("bytes=+1-2", Answer::Whole),
            ("lines=0-9", Answer::Whole),
            ("bytes", Answer::Whole),
        ] {
            check(&[(RANGE, range)], expected);
        }
    }

    #[test]
    fn preconditions() {
        let part = || Answer::Part(0..10);
        for (headers, expected) in [
            (&[][..], Answer::Whole),
            (&[(IF_NONE_MATCH, "\"abc\"")], Answer::NotModified),
            (&[(IF_NONE_MATCH, "\"x\", W/\"abc\"")], Answer::NotModified),
            (&[(IF_NONE_MATCH, "*")], Answer::NotModified),
            (&[(IF_NONE_MATCH, "\"x\"")], Answer::Whole),
            (&[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, LATER)], Answer::Whole),
            (&[(IF_MODIFIED_SINCE, MODIFIED)], Answer::NotModified),
            (&[(IF_MODIFIED_SINCE, EARLIER)], Answer::Whole),
            (&[(IF_MODIFIED_SINCE, "yesterday")], Answer::Whole),
            (&[(IF_MATCH, "\"abc\"")], Answer::Whole),
            (&[(IF_MATCH, "W/\"abc\"")], Answer::PreconditionFailed),
            (&[(IF_MATCH, "\"x\"")], Answer::PreconditionFailed),
            (&[(IF_UNMODIFIED_SINCE, EARLIER)], Answer::PreconditionFailed),
            (&[(IF_UNMODIFIED_SINCE, MODIFIED)], Answer::Whole),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, "\"abc\"")], part()),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, "\"x\"")], Answer::Whole),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, "W/\"abc\"")], Answer::Whole),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, MODIFIED)], part()),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, LATER)], Answer::Whole),
            (&[(RANGE, "bytes=0-9"), (IF_NONE_MATCH, "\"abc\"")], Answer::NotModified),
            (&[(RANGE, "bytes=0-9"), (RANGE, "bytes=0-9")], Answer::Whole),
        ] {
            check(headers, expected);
        }
    }
}
