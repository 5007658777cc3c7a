//! What can go wrong at the broker, split by what the caller does about it.

use pixmill_types::{IllegalTransition, TaskId};

/// A call to the broker that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// There is no such task: answer 404.
    #[error("there is no task {0}")]
    NotFound(TaskId),
    /// The task is in a state that does not allow it: answer 409.
    #[error(transparent)]
    Conflict(#[from] IllegalTransition),
    /// The lease is no longer the task's: drop the work, its result can never count.
    #[error("the lease is no longer valid")]
    StaleLease,
    /// The idempotency key was used with another request: answer 422.
    #[error("the idempotency key was used before with another image or recipe")]
    KeyReused,
    /// The input was staged so long ago that the janitor may sweep it: stage it again.
    #[error("the input was staged too long ago")]
    StagedTooLong,
    /// A cursor that this broker did not make: answer 400.
    #[error("the cursor is not one of this broker's")]
    InvalidCursor,
    /// The storage under the broker has no room: answer 507, it may heal.
    #[error("the broker's storage is full")]
    StorageFull(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The broker cannot be reached or does not answer in time: answer 503, try again. Whether the call took effect
    /// is unknown.
    #[error("the broker is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stored data that cannot be understood: a defect or a foreign hand.
    #[error("the broker's data is not as expected: {0}")]
    Corrupt(String),
}
