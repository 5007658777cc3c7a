//! Keeps tasks safe and in order: the traits [`Broker`] and [`Registry`], and their implementations.
//!
//! Owns queues, leases, retries, dead letters and the event log. Knows nothing of images, blobs or HTTP.

mod api;
mod changes;
mod error;
mod event_kind;
mod hub;
mod memory;
mod options;
pub(crate) mod policy;
mod presence;
mod reaped;
mod redis;
mod registry;
mod sqlite;
mod workers;

pub use self::redis::{RedisBroker, RedisOpenError, RedisOptions, RedisUsage};
pub use api::{
    Broker, ClaimRequest, Claimed, Completion, EndedQuery, EventPage, EventQuery, FollowUp, Idempotency, Lease,
    ListCursor, ListQuery, Page, QueueStats, Renewal, Stats, Submission, Submitted,
};
pub use error::BrokerError;
pub use memory::MemoryBroker;
pub use options::{BrokerOptions, Clock, SystemClock};
pub use reaped::{LostAttempt, Reaped};
pub use registry::{Entry, Expected, PutOutcome, Registry};
pub use sqlite::{BackupReport, OpenError, SqliteBroker};
pub use workers::{LivingWorker, WorkerPage, WorkerReport, announce_worker, living_workers, withdraw_worker};
