//! What workers say of themselves, in the registry under `workers`: who mills where, and how busy it is.
//!
//! Two versions of pixmill may read and write these records side by side. Members that a reader does not know are
//! passed over, members that a writer does not know take their default, and a record that lacks what every version
//! writes is left out of a listing rather than failing it. No clock but the broker's counts: a record says how long the
//! worker has run and how long the record lives, and the broker says when that is over.

use std::time::Duration;

use pixmill_types::{QueueName, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};

use crate::{BrokerError, Expected, Registry};

const NAMESPACE: &str = "workers";
/// The version of the records this code writes. A reader may look at it to tell what a missing member means.
const SCHEMA: u32 = 1;

/// What a worker reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// The machine or container it runs on.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// Of pixmill.
    pub version: String,
    /// The queue it takes from.
    pub queue: QueueName,
    /// Images it mills at the same time.
    pub slots: u64,
    /// Slots that are taken.
    pub busy: u64,
    /// Whether it takes no more tasks because it is about to end.
    #[serde(default)]
    pub draining: bool,
    /// How long it has run, milliseconds by its own monotonic clock.
    #[serde(default)]
    pub uptime_ms: u64,
}

/// A worker that has reported lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivingWorker {
    /// Who it is.
    pub id: WorkerId,
    /// What it said last.
    pub report: WorkerReport,
    /// When it said that.
    pub last_heartbeat: Timestamp,
}

impl LivingWorker {
    /// When it began to run, by the broker's clock.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.last_heartbeat.before(Duration::from_millis(self.report.uptime_ms))
    }
}

/// One page of the living.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerPage {
    /// In the order of their ids.
    pub workers: Vec<LivingWorker>,
    /// Pass this as `after` for the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A record as it is stored.
#[derive(Serialize, Deserialize)]
struct Record {
    schema: u32,
    /// How long the record lives from when it was written, milliseconds.
    ttl_ms: u64,
    #[serde(flatten)]
    report: WorkerReport,
}

/// Tells the others that `worker` lives, for as long as `ttl`.
///
/// # Errors
/// [`BrokerError::Unavailable`], [`BrokerError::StorageFull`].
pub async fn announce_worker(
    registry: &dyn Registry,
    worker: &WorkerId,
    report: WorkerReport,
    ttl: Duration,
) -> Result<(), BrokerError> {
    let record = Record {
        schema: SCHEMA,
        ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
        report,
    };
    let value = serde_json::to_vec(&record).map_err(|error| BrokerError::Corrupt(error.to_string()))?;
    registry
        .put_if(NAMESPACE, worker.as_str(), value, Expected::Any, Some(ttl))
        .await?;
    Ok(())
}

/// Takes back what [`announce_worker`] said: `worker` is about to end.
///
/// # Errors
/// [`BrokerError::Unavailable`].
pub async fn withdraw_worker(registry: &dyn Registry, worker: &WorkerId) -> Result<(), BrokerError> {
    registry.delete(NAMESPACE, worker.as_str(), Expected::Any).await?;
    Ok(())
}

/// Up to `limit` workers that have reported lately, whose ids follow `after`.
///
/// # Errors
/// [`BrokerError::Unavailable`].
pub async fn living_workers(
    registry: &dyn Registry,
    after: Option<&str>,
    limit: usize,
) -> Result<WorkerPage, BrokerError> {
    let entries = registry.list(NAMESPACE, after, limit).await?;
    let next = (entries.len() >= limit).then(|| entries.last().map(|(key, _)| key.clone()));
    let read = |(key, entry): (String, crate::Entry)| {
        let worker = living(&key, &entry);
        if worker.is_none() {
            tracing::debug!(worker.id = key, "a worker's record cannot be read by this version");
        }
        worker
    };
    Ok(WorkerPage {
        workers: entries.into_iter().filter_map(read).collect(),
        next: next.flatten(),
    })
}

fn living(key: &str, entry: &crate::Entry) -> Option<LivingWorker> {
    let record: Record = serde_json::from_slice(&entry.value).ok()?;
    Some(LivingWorker {
        id: key.parse().ok()?,
        report: record.report,
        last_heartbeat: entry.expires_at?.before(Duration::from_millis(record.ttl_ms)),
    })
}
