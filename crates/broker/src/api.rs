//! The contract every broker keeps; `conformance` tests it, one case a promise.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use pixmill_types::{
    ContentHash, Event, EventCursor, Failure, IdempotencyKey, LeaseId, NewTask, OutputImage, QueueName, RequestId,
    Task, TaskId, TaskState, Timestamp, WorkerId,
};

use crate::{BrokerError, Reaped};

/// A task to be stored.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The task. Its id was made by the submitter.
    pub task: NewTask,
    /// The client's key, when it sent one.
    pub idempotency: Option<Idempotency>,
    /// How long ago the input's upload began, by the submitter's monotonic clock.
    pub staged_for: Duration,
}

/// Makes a repeated request the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The client's key.
    pub key: IdempotencyKey,
    /// Hash of all that makes the request what it is: the image's bytes and the recipe.
    pub fingerprint: ContentHash,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// Stored now, and safe.
    Created(Box<Task>),
    /// Stored earlier under the same id or the same idempotency key; nothing changed. The caller's new input is not
    /// needed when the id differs.
    Existing(Box<Task>),
    /// Not stored: the queue holds as many tasks as it may.
    Full {
        /// Tasks in the queue.
        queued: u64,
        /// How many it may hold.
        limit: u64,
    },
}

/// A worker asks for work.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// The queue to take from.
    pub queue: QueueName,
    /// Who asks.
    pub worker: WorkerId,
    /// Names this call: asked again with the same id, the broker returns the same leases.
    pub request: RequestId,
    /// Free slots; at least 1.
    pub max_tasks: usize,
    /// Free memory budget, bytes. Tasks that do not fit are passed over.
    pub max_bytes: u64,
    /// Whether the worker runs nothing at all: then the first task it gets may be of any size.
    pub idle: bool,
    /// How long to wait for a task when none is ready.
    pub wait: Duration,
}

/// What a claim brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Leases, most urgent first; empty when nothing fits or is ready.
    pub leases: Vec<Lease>,
    /// When the next delayed task of the queue becomes ready, by the broker's clock.
    pub next_due: Option<Timestamp>,
}

/// The right to work on one task until it expires.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The fence.
    pub id: LeaseId,
    /// The task, in state running.
    pub task: Task,
    /// How long the lease lasts without a heartbeat.
    pub duration: Duration,
    /// When it expires without a heartbeat, by the broker's clock.
    pub expires_at: Timestamp,
}

/// What a heartbeat did to one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Lasts until then, by the broker's clock; never past the attempt's deadline (`started_at + timeout_ms`).
    Renewed(Timestamp),
    /// No longer valid: stop the work.
    Stale,
}

/// What a worker delivers.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The outputs, in the recipe's order. Never empty.
    pub outputs: Vec<OutputImage>,
    /// What a person should know although it worked.
    pub warnings: Vec<String>,
    /// Tasks to enqueue in the same atomic step.
    pub follow_ups: Vec<FollowUp>,
}

/// A task that a transition of another one enqueues in its own atomic step. Follow-ups pass the depth cap: they are owed.
///
/// It lies beside the task that owes it: a broker that spreads tasks has no atomic step over two places.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowUp(NewTask);

impl FollowUp {
    /// What `owner` owes: `task`, its id changed so that it lies beside that of `owner`. The same task gets the same id each
    /// time, so that a transition that is asked for again owes the same.
    #[must_use]
    pub fn of(owner: TaskId, mut task: NewTask) -> Self {
        task.id = task.id.beside(owner);
        Self(task)
    }

    /// The task, with the id it has.
    #[must_use]
    pub fn task(&self) -> &NewTask {
        &self.0
    }

    pub(crate) fn into_task(self) -> NewTask {
        self.0
    }
}

/// Which tasks to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only tasks in this state.
    pub state: Option<TaskState>,
    /// Only tasks of this queue.
    pub queue: Option<QueueName>,
    /// Go on after this page.
    pub after: Option<ListCursor>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// Which tasks that ended without a result to read, in the order they ended, those of one millisecond by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedQuery {
    /// Tasks of this queue.
    pub queue: QueueName,
    /// Tasks that ended then or later, by the broker's clock.
    pub since: Timestamp,
    /// Of those that ended at `since`, only the ones with a larger id. The next page goes on after the last task of this
    /// one: since its end, after its id.
    pub after: Option<TaskId>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// A place in a listing. Opaque: only the broker that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCursor(pub String);

/// One page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The tasks, newest first.
    pub tasks: Vec<Task>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<ListCursor>,
}

/// Which events to read, oldest first.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// After this one; `None` starts at the oldest that is kept.
    pub after: Option<EventCursor>,
    /// Only events of this task.
    pub task: Option<TaskId>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
    /// How long to wait for the first event when there is none.
    pub wait: Duration,
}

/// What reading the event log brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventPage {
    /// Events in order; empty when none came in time.
    Events(Vec<Event>),
    /// Events after the cursor were trimmed and are lost to this reader; it goes on with the oldest that is kept.
    Gap {
        /// Pass this as `after` to go on.
        resume: EventCursor,
    },
}

/// The state of all queues at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The broker's clock.
    pub now: Timestamp,
    /// One row a queue, by name. A queue without tasks has none.
    pub queues: Vec<QueueStats>,
    /// Records whose blobs are still to be deleted.
    pub pending_deletions: u64,
}

/// The state of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStats {
    /// Its name.
    pub queue: QueueName,
    /// Tasks ready to be claimed.
    pub ready: u64,
    /// Tasks that wait for their start time or a retry.
    pub delayed: u64,
    /// Tasks under way.
    pub running: u64,
    /// Records of completed tasks.
    pub completed: u64,
    /// Records of failed tasks: the dead letters.
    pub failed: u64,
    /// Records of cancelled tasks.
    pub cancelled: u64,
    /// Since when the longest-waiting ready task could have been claimed.
    pub oldest_ready: Option<Timestamp>,
    /// When the longest-running attempt began.
    pub oldest_running: Option<Timestamp>,
}

/// Durable named queues of tasks.
///
/// Every method is one atomic step. What `Ok` says is durable before it is said. Time is the broker's clock.
///
/// # Cancel safety
/// Dropping a future leaves open whether its step happened, and never a half of it. Every call may be repeated: with
/// the same ids it has the same effect once.
#[async_trait]
pub trait Broker: Send + Sync + fmt::Debug {
    /// Stores a task, its place in the queue and the event `task.queued`.
    ///
    /// # Errors
    /// [`BrokerError::KeyReused`], [`BrokerError::StagedTooLong`], [`BrokerError::StorageFull`],
    /// [`BrokerError::Unavailable`] (then whether it was stored is unknown: ask again or keep the input).
    async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError>;

    /// Leases ready tasks: by priority, raised by age, then by arrival. Waits when there are none.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`], [`BrokerError::StorageFull`].
    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, BrokerError>;

    /// Renews leases, one answer each in the order given. An expired lease that nobody has reaped may still renew;
    /// never past the attempt's deadline.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn heartbeat(&self, worker: &WorkerId, leases: &[LeaseId]) -> Result<Vec<Renewal>, BrokerError>;

    /// Ends the task with outputs and enqueues the follow-ups. Repeating an accepted completion succeeds.
    ///
    /// # Errors
    /// [`BrokerError::StaleLease`], [`BrokerError::StorageFull`], [`BrokerError::Unavailable`].
    async fn complete(&self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError>;

    /// Ends the attempt without outputs: queued again with backoff, or failed when the failure is permanent or the
    /// attempts are used up (only then the follow-ups are enqueued). Repeating an accepted failure succeeds.
    ///
    /// # Errors
    /// [`BrokerError::StaleLease`], [`BrokerError::StorageFull`], [`BrokerError::Unavailable`].
    async fn fail(&self, lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError>;

    /// Gives the task back at once, at its old place, without burning the attempt. The lease is never valid again.
    /// Repeating an accepted release succeeds.
    ///
    /// # Errors
    /// [`BrokerError::StaleLease`], [`BrokerError::StorageFull`], [`BrokerError::Unavailable`].
    async fn release(&self, lease: LeaseId) -> Result<Task, BrokerError>;

    /// Waits up to `wait` for leases of `worker` that were revoked (cancelled, deleted, reaped) since the last call,
    /// and returns them. Best effort: a heartbeat tells the same later.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn revoked(&self, worker: &WorkerId, wait: Duration) -> Result<Vec<LeaseId>, BrokerError>;

    /// Calls a queued or running task off; its lease is void at once. A cancelled task is returned as it is.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`], [`BrokerError::Conflict`], [`BrokerError::StorageFull`],
    /// [`BrokerError::Unavailable`].
    async fn cancel(&self, task: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError>;

    /// Sends a failed task round again, its attempts starting anew.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`], [`BrokerError::Conflict`], [`BrokerError::StorageFull`],
    /// [`BrokerError::Unavailable`].
    async fn retry(&self, task: TaskId) -> Result<Task, BrokerError>;

    /// Replaces the record of a task, whatever its state, by a note that its blobs are to be deleted. A running one
    /// loses its lease.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`], [`BrokerError::StorageFull`], [`BrokerError::Unavailable`].
    async fn delete(&self, task: TaskId) -> Result<(), BrokerError>;

    /// Reads one record.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`], [`BrokerError::Unavailable`].
    async fn get(&self, task: TaskId) -> Result<Task, BrokerError>;

    /// Reads one record once it is final, or as it is when `wait` is over.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`], [`BrokerError::Unavailable`].
    async fn wait(&self, task: TaskId, wait: Duration) -> Result<Task, BrokerError>;

    /// Which of `tasks` have a record, one answer each in the order given; the janitor's question.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError>;

    /// Whether a client's key stands for a task that has a record: a submission with that key would store nothing.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn is_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError>;

    /// Lists records, newest first.
    ///
    /// # Errors
    /// [`BrokerError::InvalidCursor`], [`BrokerError::Unavailable`].
    async fn list(&self, query: ListQuery) -> Result<Page, BrokerError>;

    /// Reads failed and cancelled tasks by when they ended.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn ended(&self, query: EndedQuery) -> Result<Vec<Task>, BrokerError>;

    /// Counts records and finds the oldest.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn stats(&self) -> Result<Stats, BrokerError>;

    /// Reads the event log. The order holds per task.
    ///
    /// # Errors
    /// [`BrokerError::InvalidCursor`], [`BrokerError::Unavailable`].
    async fn events(&self, query: EventQuery) -> Result<EventPage, BrokerError>;

    /// Expires up to `limit` leases that ran out, or whose local worker is known to be gone: queued again, or failed
    /// (`timed_out` when the attempt's own deadline had passed, `crashed` otherwise) after the last attempt. Expires
    /// nobody by time within one heartbeat interval (a third of the lease) after the broker itself was away.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn reap(&self, limit: usize) -> Result<Reaped, BrokerError>;

    /// Deletes up to `limit` things that have had their time: records, as [`Broker::delete`] does, then idempotency
    /// keys, registry entries and whatever else the broker kept for a while only. Returns how many of all kinds
    /// together: nothing is left when they are fewer than `limit`.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn purge(&self, limit: usize) -> Result<u64, BrokerError>;

    /// Up to `limit` tasks whose records are gone and whose blobs are still to be deleted.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn pending_deletions(&self, limit: usize) -> Result<Vec<TaskId>, BrokerError>;

    /// Says that the blobs of these tasks are gone. Unknown ids are ignored.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn deletions_done(&self, tasks: &[TaskId]) -> Result<(), BrokerError>;

    /// Whether the broker answers and could store a task now.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`], [`BrokerError::StorageFull`].
    async fn check(&self) -> Result<(), BrokerError>;
}
