//! Where a task stands in the database: its state, with queued split by whether it may be claimed now.

use pixmill_types::{TaskState, Timestamp};

/// The value of `tasks.stage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Queued, and may be claimed.
    Ready,
    /// Queued, and waits for its start time or a retry.
    Delayed,
    /// Under way.
    Running,
    /// Final.
    Completed,
    /// Final until retried.
    Failed,
    /// Final.
    Cancelled,
}

impl Stage {
    /// Every stage.
    pub(super) const ALL: [Self; 6] = [
        Self::Ready,
        Self::Delayed,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Delayed => "delayed",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The stage of that name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// The state it is a part of.
    pub(super) const fn state(self) -> TaskState {
        match self {
            Self::Ready | Self::Delayed => TaskState::Queued,
            Self::Running => TaskState::Running,
            Self::Completed => TaskState::Completed,
            Self::Failed => TaskState::Failed,
            Self::Cancelled => TaskState::Cancelled,
        }
    }

    /// Where a queued task stands that may be claimed from `ready_since` on.
    pub(super) fn queued(ready_since: Timestamp, now: Timestamp) -> Self {
        if ready_since > now { Self::Delayed } else { Self::Ready }
    }

    /// The stages that make up `state`.
    pub(super) const fn of_state(state: TaskState) -> &'static [Self] {
        match state {
            TaskState::Queued => &[Self::Ready, Self::Delayed],
            TaskState::Running => &[Self::Running],
            TaskState::Completed => &[Self::Completed],
            TaskState::Failed => &[Self::Failed],
            TaskState::Cancelled => &[Self::Cancelled],
        }
    }
}
