//! The attempts under way, by lease, and how each is told to stop. Knows nothing of what an attempt does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use pixmill_broker::Lease;
use pixmill_types::LeaseId;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Revocations remembered that arrived before the lease they are about.
const EARLY_REVOCATIONS: usize = 256;

/// Why an attempt is to end before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// The lease is void: cancelled, deleted, or somebody else's by now.
    Revoked,
    /// It took longer than it may.
    TimedOut,
    /// The worker goes away.
    Drained,
}

/// One attempt under way.
pub(crate) struct Attempt {
    pub(crate) lease: Lease,
    /// When it has taken as long as it may, counted from when this worker learnt of the lease.
    pub(crate) deadline: Instant,
    stop: OnceLock<StopReason>,
    stopped: Notify,
}

impl Attempt {
    fn new(lease: Lease) -> Self {
        let timeout = Duration::from_millis(lease.task.timeout_ms);
        let now = Instant::now();
        Self {
            lease,
            deadline: now.checked_add(timeout).unwrap_or(now + FAR),
            stop: OnceLock::new(),
            stopped: Notify::new(),
        }
    }

    /// Tells it to stop. The first reason stands.
    pub(crate) fn stop(&self, reason: StopReason) {
        if self.stop.set(reason).is_ok() {
            self.stopped.notify_one();
        }
    }

    /// Why it is to stop, if it is.
    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        self.stop.get().copied()
    }

    /// Waits until it is told to stop. For one waiter at a time: the attempt itself.
    pub(crate) async fn stopped(&self) -> StopReason {
        loop {
            if let Some(reason) = self.stop_reason() {
                return reason;
            }
            self.stopped.notified().await;
        }
    }
}

/// Stands for "never" where a point in time is needed.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The attempts under way.
pub(crate) struct Running {
    inner: Mutex<Inner>,
    /// The shortest lease seen; the heartbeat goes by it.
    shortest_lease: watch::Sender<Option<Duration>>,
}

#[derive(Default)]
struct Inner {
    attempts: HashMap<LeaseId, Arc<Attempt>>,
    /// A revocation overtakes the reply to the claim when the two travel side by side.
    revoked_early: VecDeque<LeaseId>,
    /// Attempts that begin now are stopped for this reason at once.
    closed: Option<StopReason>,
}

impl Running {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            shortest_lease: watch::Sender::new(None),
        }
    }

    /// Enters an attempt; it leaves when the value is dropped. `None` when this lease is under way already.
    pub(crate) fn enter(self: &Arc<Self>, lease: Lease) -> Option<Registration> {
        let (id, duration) = (lease.id, lease.duration);
        let attempt = Arc::new(Attempt::new(lease));
        {
            let mut inner = self.lock();
            if inner.attempts.contains_key(&id) {
                return None;
            }
            if let Some(place) = inner.revoked_early.iter().position(|revoked| *revoked == id) {
                inner.revoked_early.remove(place);
                attempt.stop(StopReason::Revoked);
            }
            if let Some(reason) = inner.closed {
                attempt.stop(reason);
            }
            inner.attempts.insert(id, Arc::clone(&attempt));
        }
        self.shortest_lease.send_if_modified(|shortest| {
            let shorter = shortest.is_none_or(|shortest| duration < shortest);
            if shorter {
                *shortest = Some(duration);
            }
            shorter
        });
        Some(Registration {
            running: Arc::clone(self),
            attempt,
        })
    }

    /// Stops the attempt of a lease that is void.
    pub(crate) fn revoke(&self, lease: LeaseId) {
        let mut inner = self.lock();
        if let Some(attempt) = inner.attempts.get(&lease) {
            attempt.stop(StopReason::Revoked);
            return;
        }
        if inner.revoked_early.len() == EARLY_REVOCATIONS {
            inner.revoked_early.pop_front();
        }
        inner.revoked_early.push_back(lease);
    }

    /// Stops the attempt of a lease that a heartbeat found void. One that has ended meanwhile needs no remembering.
    pub(crate) fn stop_if_running(&self, lease: LeaseId) {
        if let Some(attempt) = self.lock().attempts.get(&lease) {
            attempt.stop(StopReason::Revoked);
        }
    }

    /// Stops all attempts, and those that may still begin.
    pub(crate) fn close(&self, reason: StopReason) {
        let mut inner = self.lock();
        inner.closed = Some(reason);
        for attempt in inner.attempts.values() {
            attempt.stop(reason);
        }
    }

    /// The leases under way.
    pub(crate) fn leases(&self) -> Vec<LeaseId> {
        self.lock().attempts.keys().copied().collect()
    }

    /// Tells the length of the shortest lease seen, and each time a shorter one comes.
    pub(crate) fn shortest_lease(&self) -> watch::Receiver<Option<Duration>> {
        self.shortest_lease.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt's entry among those under way.
pub(crate) struct Registration {
    running: Arc<Running>,
    attempt: Arc<Attempt>,
}

impl Registration {
    pub(crate) fn attempt(&self) -> &Arc<Attempt> {
        &self.attempt
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.running.lock().attempts.remove(&self.attempt.lease.id);
    }
}
