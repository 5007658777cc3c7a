//! What a reaper did, and how the log tells it.

use pixmill_types::{FailureCode, TaskId, TaskState, WorkerId};

/// What a reaper did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Attempts whose tasks are queued again.
    pub requeued: Vec<LostAttempt>,
    /// Attempts that were the last of their tasks, which failed.
    pub failed: Vec<LostAttempt>,
}

/// An attempt that ended without its worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostAttempt {
    /// The task.
    pub task: TaskId,
    /// The attempt's number; 1 is the first.
    pub attempt: u32,
    /// Who held the lease.
    pub worker: WorkerId,
    /// `timed_out` or `crashed`.
    pub code: FailureCode,
}

impl Reaped {
    /// Attempts of both kinds.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.requeued.len() + self.failed.len()
    }

    /// Writes one line of the log for each attempt.
    pub fn log(&self) {
        let outcomes = [
            (
                &self.requeued,
                "the task was taken from its worker, another attempt follows",
            ),
            (&self.failed, "the task was taken from its worker, and failed for good"),
        ];
        for (attempts, message) in outcomes {
            for lost in attempts {
                tracing::warn!(
                    task.id = %lost.task,
                    task.attempt = lost.attempt,
                    worker.id = %lost.worker,
                    failure.code = lost.code.as_str(),
                    "{message}"
                );
            }
        }
    }

    /// Adds an attempt whose task is in `state` now.
    pub(crate) fn add(&mut self, lost: LostAttempt, state: TaskState) {
        if state.is_final() {
            self.failed.push(lost);
        } else {
            self.requeued.push(lost);
        }
    }

    /// Adds what another step did.
    pub(crate) fn append(&mut self, more: Self) {
        self.requeued.extend(more.requeued);
        self.failed.extend(more.failed);
    }
}
