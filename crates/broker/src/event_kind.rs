//! Kinds of events by the names they are stored under.

use pixmill_types::{EventKind, FailureCode};

/// The code of the failure that an event of this kind carries.
pub(crate) const fn code(kind: EventKind) -> Option<FailureCode> {
    match kind {
        EventKind::Retrying(code) | EventKind::Failed(code) => Some(code),
        EventKind::Queued
        | EventKind::Started
        | EventKind::Released
        | EventKind::Completed
        | EventKind::Cancelled
        | EventKind::Retried
        | EventKind::Deleted => None,
    }
}

/// The kind of that name and code.
pub(crate) fn parse(name: &str, code: Option<&str>) -> Option<EventKind> {
    let with_code = |make: fn(FailureCode) -> EventKind| code.and_then(FailureCode::from_name).map(make);
    match name {
        "task.retrying" => with_code(EventKind::Retrying),
        "task.failed" => with_code(EventKind::Failed),
        plain => [
            EventKind::Queued,
            EventKind::Started,
            EventKind::Released,
            EventKind::Completed,
            EventKind::Cancelled,
            EventKind::Retried,
            EventKind::Deleted,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == plain),
    }
}
