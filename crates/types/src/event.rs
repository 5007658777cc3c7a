//! What happened to tasks, in the order in which it happened to each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FailureCode, QueueName, TaskId, Timestamp};

/// A place in the event log. Opaque: only the broker that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventCursor(pub String);

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One transition of one task, written in the same atomic step as the transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Where the log goes on after this event.
    pub cursor: EventCursor,
    /// When it happened, by the broker's clock.
    pub at: Timestamp,
    /// The task.
    pub task: TaskId,
    /// Its queue.
    pub queue: QueueName,
    /// The attempt it happened in; 0 before the first claim.
    pub attempt: u32,
    /// What happened.
    pub kind: EventKind,
}

/// What can happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "code")]
pub enum EventKind {
    /// Accepted and stored.
    Queued,
    /// Claimed by a worker.
    Started,
    /// Given back by a draining worker; the attempt does not count.
    Released,
    /// An attempt failed for the given reason, another follows.
    Retrying(FailureCode),
    /// Done, its outputs can be fetched.
    Completed,
    /// Ended without outputs for the given reason.
    Failed(FailureCode),
    /// Called off.
    Cancelled,
    /// Sent round again by hand.
    Retried,
    /// The record was deleted or purged.
    Deleted,
}

impl EventKind {
    /// The CloudEvents type of the event, such as `task.queued`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "task.queued",
            Self::Started => "task.started",
            Self::Released => "task.released",
            Self::Retrying(_) => "task.retrying",
            Self::Completed => "task.completed",
            Self::Failed(_) => "task.failed",
            Self::Cancelled => "task.cancelled",
            Self::Retried => "task.retried",
            Self::Deleted => "task.deleted",
        }
    }
}
