//! The life of a task. Every legal transition stands in [`TaskState::after`] and nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for a worker, or for its start time.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Its outputs can be fetched. Final.
    Completed,
    /// Its last attempt failed, or it can never succeed; listed as a dead letter until retried or expired.
    Failed,
    /// Somebody called it off. Final.
    Cancelled,
}

/// What can happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// A worker takes its lease.
    Claim,
    /// The holder of the lease delivers the outputs.
    Complete,
    /// The attempt ends without outputs and another follows: a retry, a release or an expired lease.
    Requeue,
    /// The last attempt ends without outputs, or no further attempt could change the outcome.
    Fail,
    /// Somebody calls it off.
    Cancel,
    /// Somebody sends a failed task round again.
    Retry,
}

/// The transition is not possible from the state the task is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot {transition} a task that is {state}")]
pub struct IllegalTransition {
    /// The state the task is in.
    pub state: TaskState,
    /// What was asked for.
    pub transition: Transition,
}

impl TaskState {
    /// Every state, in the order of a task's life.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after `transition`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when a task in this state cannot take it.
    pub const fn after(self, transition: Transition) -> Result<Self, IllegalTransition> {
        match (self, transition) {
            (Self::Queued, Transition::Claim) => Ok(Self::Running),
            (Self::Running, Transition::Complete) => Ok(Self::Completed),
            (Self::Running, Transition::Requeue) | (Self::Failed, Transition::Retry) => Ok(Self::Queued),
            (Self::Running, Transition::Fail) => Ok(Self::Failed),
            (Self::Queued | Self::Running, Transition::Cancel) => Ok(Self::Cancelled),
            (state, transition) => Err(IllegalTransition { state, transition }),
        }
    }

    /// Whether nothing but a retry by hand can move the task on.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claim => "claim",
            Self::Complete => "complete",
            Self::Requeue => "requeue",
            Self::Fail => "fail",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_is_as_the_table_says() {
        use TaskState::*;
        use Transition::*;
        let legal = [
            (Queued, Claim, Running),
            (Queued, Cancel, Cancelled),
            (Running, Complete, Completed),
            (Running, Requeue, Queued),
            (Running, Fail, Failed),
            (Running, Cancel, Cancelled),
            (Failed, Retry, Queued),
        ];
        for state in TaskState::ALL {
            for transition in [Claim, Complete, Requeue, Fail, Cancel, Retry] {
                let expected = legal
                    .iter()
                    .find(|(from, by, _)| (*from, *by) == (state, transition))
                    .map(|row| row.2);
                assert_eq!(state.after(transition).ok(), expected, "{state} {transition}");
            }
        }
        assert_eq!(
            Completed.after(Cancel).unwrap_err().to_string(),
            "cannot cancel a task that is completed"
        );
    }
}
