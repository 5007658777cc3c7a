//! The worker's metrics: names, help and units. Handles are looked up once, so that counting costs an atomic.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics::{SharedString, histogram};
use pixmill_types::TaskState;

const TASKS: &str = "pixmill_worker_attempts_total";
const STAGE_SECONDS: &str = "pixmill_worker_stage_seconds";
const ENGINE_SECONDS: &str = "pixmill_engine_stage_seconds";
const SLOTS: &str = "pixmill_worker_slots";
const BUSY_SLOTS: &str = "pixmill_worker_slots_busy";
const MEMORY_BUDGET: &str = "pixmill_worker_memory_budget_bytes";
const MEMORY: &str = "pixmill_worker_memory_used_bytes";
const HEARTBEATS: &str = "pixmill_worker_heartbeats_total";
const STALE_LEASES: &str = "pixmill_worker_stale_leases_total";
const REAPED: &str = "pixmill_worker_reaped_tasks_total";
const PURGED: &str = "pixmill_worker_purged_records_total";
const BLOBS_DELETED: &str = "pixmill_worker_blob_deletions_total";

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Delivered.
    Completed,
    /// Failed, and the task with it.
    Failed,
    /// Failed; another attempt follows.
    Retried,
    /// Given back in a drain.
    Released,
    /// The lease was not this worker's any more.
    Revoked,
    /// The broker did not say in time what became of it.
    Unknown,
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Completed,
        Self::Failed,
        Self::Retried,
        Self::Released,
        Self::Revoked,
        Self::Unknown,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Released => "released",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// Handles of all metrics, bound to the recorder that is installed when they are made.
pub(crate) struct Metrics {
    attempts: [Counter; Outcome::ALL.len()],
    pub(crate) reading: Histogram,
    pub(crate) milling: Histogram,
    pub(crate) writing: Histogram,
    pub(crate) slots: Gauge,
    pub(crate) busy_slots: Gauge,
    pub(crate) memory_budget: Gauge,
    pub(crate) memory: Gauge,
    pub(crate) heartbeats: Counter,
    pub(crate) stale_leases: Counter,
    pub(crate) reaped_requeued: Counter,
    pub(crate) reaped_failed: Counter,
    pub(crate) purged: Counter,
    pub(crate) deleted: Counter,
    pub(crate) orphans: Counter,
    pub(crate) staging_files: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        describe();
        Self {
            attempts: Outcome::ALL.map(|outcome| counter!(TASKS, "outcome" => outcome.as_str())),
            reading: histogram!(STAGE_SECONDS, "stage" => "reading"),
            milling: histogram!(STAGE_SECONDS, "stage" => "milling"),
            writing: histogram!(STAGE_SECONDS, "stage" => "writing"),
            slots: gauge!(SLOTS),
            busy_slots: gauge!(BUSY_SLOTS),
            memory_budget: gauge!(MEMORY_BUDGET),
            memory: gauge!(MEMORY),
            heartbeats: counter!(HEARTBEATS),
            stale_leases: counter!(STALE_LEASES),
            reaped_requeued: counter!(REAPED, "to" => TaskState::Queued.as_str()),
            reaped_failed: counter!(REAPED, "to" => TaskState::Failed.as_str()),
            purged: counter!(PURGED),
            deleted: counter!(BLOBS_DELETED, "reason" => "record_deleted"),
            orphans: counter!(BLOBS_DELETED, "reason" => "no_record"),
            staging_files: counter!(BLOBS_DELETED, "reason" => "staging_abandoned"),
        }
    }

    pub(crate) fn attempt_ended(&self, outcome: Outcome) {
        self.attempts[outcome as usize].increment(1);
    }

    /// Records what the engine itself measured.
    pub(crate) fn engine_stages(&self, timings: &[(&'static str, Duration)]) {
        for (stage, time) in timings {
            histogram!(ENGINE_SECONDS, "stage" => SharedString::const_str(stage)).record(time.as_secs_f64());
        }
    }
}

fn describe() {
    describe_counter!(TASKS, Unit::Count, "Attempts at tasks that ended, by outcome.");
    describe_histogram!(
        STAGE_SECONDS,
        Unit::Seconds,
        "Wall-clock time of one stage of an attempt: reading the input, milling, writing the outputs."
    );
    describe_histogram!(
        ENGINE_SECONDS,
        Unit::Seconds,
        "Wall-clock time of one stage inside the engine."
    );
    describe_gauge!(SLOTS, Unit::Count, "Images that can be milled at the same time.");
    describe_gauge!(
        BUSY_SLOTS,
        Unit::Count,
        "Slots taken by a task that is being read or milled."
    );
    describe_gauge!(
        MEMORY_BUDGET,
        Unit::Bytes,
        "Memory that tasks under way may be estimated to take together."
    );
    describe_gauge!(
        MEMORY,
        Unit::Bytes,
        "Memory that tasks under way are estimated to take."
    );
    describe_counter!(HEARTBEATS, Unit::Count, "Leases renewed by heartbeats.");
    describe_counter!(
        STALE_LEASES,
        Unit::Count,
        "Leases found to be no longer this worker's, by a heartbeat or when delivering."
    );
    describe_counter!(
        REAPED,
        Unit::Count,
        "Tasks taken from workers that no longer renew their leases, by where they went."
    );
    describe_counter!(
        PURGED,
        Unit::Count,
        "Expired records of tasks, idempotency keys and other entries removed."
    );
    describe_counter!(
        BLOBS_DELETED,
        Unit::Count,
        "Tasks whose files the upkeep deleted, and abandoned staging files it deleted, by reason."
    );
}
