//! What every broker needs to be told, and the clock it counts by.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pixmill_types::{DiskSync, Timestamp};

/// Settings shared by every implementation.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// Tasks that may wait in one queue, delayed ones included.
    pub max_queued: u64,
    /// Waiting this long raises a task by one priority, so that nothing starves.
    pub ageing: Duration,
    /// First delay before a retry; doubles with each attempt, full jitter.
    pub backoff_base: Duration,
    /// Longest delay before a retry.
    pub backoff_cap: Duration,
    /// How long records and files of finished tasks are kept; `None` keeps them.
    pub retention: Option<Duration>,
    /// How long an idempotency key is remembered.
    pub idempotency_ttl: Duration,
    /// A submission whose input was staged longer ago than this is refused; half the janitor's sweep age.
    pub max_staging_age: Duration,
    /// Events kept; older ones are trimmed.
    pub max_events: u64,
    /// When the embedded database counts a change as stored. A server of its own has settings of its own.
    pub sync: DiskSync,
    /// The broker's clock; tests put a manual one here.
    pub clock: Arc<dyn Clock>,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            max_queued: 100_000,
            ageing: Duration::from_secs(60),
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(300),
            retention: None,
            idempotency_ttl: Duration::from_secs(24 * 60 * 60),
            max_staging_age: Duration::from_secs(12 * 60 * 60),
            max_events: 1_000_000,
            sync: DiskSync::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Tells the time to a broker.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time that a broker on a server of its own is told to count by; `None` lets it count by that server's clock.
    fn told(&self) -> Option<Timestamp> {
        Some(self.now())
    }
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn told(&self) -> Option<Timestamp> {
        None
    }
}
