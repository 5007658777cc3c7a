//! The rules all brokers share, as pure functions of times and numbers: who is next, when a retry is due, how long a
//! lease lasts. Reads no clock and keeps no state.

use std::time::Duration;

use pixmill_types::{Failure, FailureCode, NewTask, Priority, Task, TaskState, Timestamp, Transition};

use crate::BrokerOptions;

/// Tasks one claim passes over because they do not fit, before it gives up.
pub(crate) const MAX_PASSED_OVER: usize = 1_000;
/// The longest page of a listing or of the event log.
pub(crate) const MAX_PAGE: usize = 1_000;

/// Where a ready task stands in its queue: smaller goes first, equal ones in the order of their arrival.
///
/// Waiting [`BrokerOptions::ageing`] is worth one priority: a task is as urgent as one that became ready
/// `priority x ageing` earlier and has none. Both age alike, so the order of two tasks never changes and the key is
/// computed once.
#[must_use]
pub(crate) fn sort_key(ready_since: Timestamp, priority: Priority, options: &BrokerOptions) -> i64 {
    let head_start = saturating_millis(options.ageing).saturating_mul(i64::from(priority.get()));
    i64::try_from(ready_since.as_millis())
        .unwrap_or(i64::MAX)
        .saturating_sub(head_start)
}

/// A task as it is when it comes in.
#[must_use]
pub(crate) fn accepted(new: NewTask, now: Timestamp) -> Task {
    Task {
        id: new.id,
        queue: new.queue,
        payload: new.payload,
        priority: new.priority,
        state: TaskState::Queued,
        attempt: 0,
        max_attempts: new.max_attempts,
        cost_bytes: new.cost_bytes,
        timeout_ms: new.timeout_ms,
        trace_parent: new.trace_parent,
        created_at: now,
        not_before: new.not_before,
        started_at: None,
        finished_at: None,
        expires_at: None,
        success: None,
        failure: None,
    }
}

/// From when on a task may be claimed.
#[must_use]
pub(crate) fn ready_since(now: Timestamp, not_before: Option<Timestamp>) -> Timestamp {
    not_before.map_or(now, |time| time.max(now))
}

/// Whether a queue with so many waiting tasks takes no more.
#[must_use]
pub(crate) fn is_full(options: &BrokerOptions, queued: u64) -> bool {
    queued >= options.max_queued
}

/// Whether the input of a submission may be swept before the task is stored.
#[must_use]
pub(crate) fn is_staged_too_long(options: &BrokerOptions, staged_for: Duration) -> bool {
    staged_for > options.max_staging_age
}

/// When an idempotency key used now is forgotten.
#[must_use]
pub(crate) fn idempotency_expiry(options: &BrokerOptions, now: Timestamp) -> Timestamp {
    now.after(options.idempotency_ttl)
}

/// What is left of a worker's free slots and memory while a claim walks its queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    slots: usize,
    bytes: u64,
    any_size: bool,
    passed_over: usize,
}

impl Offer {
    /// A worker with `slots` free slots and `bytes` free memory; an `idle` one takes a first task of any size.
    pub(crate) const fn new(slots: usize, bytes: u64, idle: bool) -> Self {
        Self {
            slots,
            bytes,
            any_size: idle,
            passed_over: 0,
        }
    }

    /// Whether it is worth to look at another task.
    pub(crate) const fn is_open(&self) -> bool {
        self.slots > 0 && self.passed_over < MAX_PASSED_OVER
    }

    /// Takes a task of this estimated size when it fits.
    pub(crate) const fn take(&mut self, cost_bytes: u64) -> bool {
        if self.slots == 0 {
            return false;
        }
        if cost_bytes > self.bytes && !self.any_size {
            self.passed_over += 1;
            return false;
        }
        self.slots -= 1;
        self.bytes = self.bytes.saturating_sub(cost_bytes);
        self.any_size = false;
        true
    }
}

/// When a lease that is taken or renewed now runs out: after [`BrokerOptions::lease`], and never past the attempt's own
/// deadline.
#[must_use]
pub(crate) fn lease_end(now: Timestamp, started_at: Timestamp, timeout_ms: u64, options: &BrokerOptions) -> Timestamp {
    now.after(options.lease).min(deadline(started_at, timeout_ms))
}

/// When an attempt is out of time.
#[must_use]
pub(crate) fn deadline(started_at: Timestamp, timeout_ms: u64) -> Timestamp {
    started_at.after(Duration::from_millis(timeout_ms))
}

/// What becomes of a task whose attempt ended with `failure`.
#[must_use]
pub(crate) fn after_failure(failure: &Failure, attempt: u32, max_attempts: u32) -> Transition {
    if failure.code.is_permanent() || attempt >= max_attempts {
        Transition::Fail
    } else {
        Transition::Requeue
    }
}

/// Why an attempt whose lease expired ended: out of time, or its worker is gone.
#[must_use]
pub(crate) fn expiry_failure(now: Timestamp, started_at: Timestamp, timeout_ms: u64, worker_is_gone: bool) -> Failure {
    if now >= deadline(started_at, timeout_ms) && !worker_is_gone {
        Failure::new(
            FailureCode::TimedOut,
            format!("the attempt took longer than {timeout_ms} milliseconds"),
        )
    } else {
        Failure::new(FailureCode::Crashed, "the worker vanished in the middle of the attempt")
    }
}

/// How long a task waits after its failed attempt `attempt` (1 is the first): exponential backoff with full jitter,
/// `random x min(cap, base x 2^(attempt - 1))`, with `random` from 0 to 1.
///
/// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[must_use]
pub(crate) fn backoff(attempt: u32, random: f64, options: &BrokerOptions) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let ceiling = options
        .backoff_base
        .saturating_mul(1 << doublings)
        .min(options.backoff_cap);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// How long word of a lost lease is kept for its worker: one that does not ask for it learns from its heartbeat.
#[must_use]
pub(crate) fn revocation_kept(options: &BrokerOptions) -> Duration {
    options.lease.saturating_mul(10)
}

/// When a record finished now goes away; `None` keeps it.
#[must_use]
pub(crate) fn expires_at(finished_at: Timestamp, options: &BrokerOptions) -> Option<Timestamp> {
    options.retention.map(|retention| finished_at.after(retention))
}

/// How long reapers hold back after the broker itself was away, and how often workers renew: a third of the lease.
#[must_use]
pub(crate) fn heartbeat_interval(options: &BrokerOptions) -> Duration {
    options.lease / 3
}

fn saturating_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn priority_and_age_order_tasks() {
        let options = BrokerOptions::default();
        let key = |ready_seconds: u64, priority: u8| {
            sort_key(
                at(ready_seconds * 1_000),
                Priority::try_from(priority).unwrap(),
                &options,
            )
        };
        assert!(key(0, 5) < key(1, 5), "first come first served");
        assert!(key(30, 6) < key(0, 5), "priority first");
        assert!(key(61, 6) > key(0, 5), "a minute of waiting beats one priority");
        assert!(key(9 * 60 + 1, 9) > key(0, 0), "nothing starves");
    }

    #[test]
    fn an_offer_is_used_up_by_slots_and_bytes() {
        let taken = |mut offer: Offer, costs: &[u64]| -> Vec<u64> {
            costs.iter().copied().filter(|cost| offer.take(*cost)).collect()
        };
        let costs = [50, 60, 40, 10, 1];
        assert_eq!(taken(Offer::new(9, 100, false), &costs), [50, 40, 10]);
        assert_eq!(taken(Offer::new(2, 100, false), &costs), [50, 40]);
        assert_eq!(taken(Offer::new(9, 45, false), &costs), [40, 1]);
        assert_eq!(taken(Offer::new(9, 45, true), &costs), [50], "any size, but only once");
        assert_eq!(taken(Offer::new(9, 55, true), &costs), [50, 1]);
        assert_eq!(taken(Offer::new(0, 100, true), &costs), [0; 0]);

        let mut blocked = Offer::new(1, 0, false);
        (0..MAX_PASSED_OVER).for_each(|_| assert!(blocked.is_open() && !blocked.take(1)));
        assert!(!blocked.is_open());
    }

    #[test]
    fn a_lease_never_outlives_its_attempt() {
        let options = BrokerOptions::default();
        assert_eq!(lease_end(at(0), at(0), 60_000, &options), at(30_000));
        assert_eq!(lease_end(at(50_000), at(0), 60_000, &options), at(60_000));
        assert_eq!(lease_end(at(70_000), at(0), 60_000, &options), at(60_000));
    }

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        let options = BrokerOptions::default();
        for (attempt, seconds) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (u32::MAX, 300)] {
            assert_eq!(backoff(attempt, 1.0, &options), Duration::from_secs(seconds));
            assert_eq!(backoff(attempt, 0.0, &options), Duration::ZERO);
        }
    }

    #[test]
    fn permanent_failures_and_last_attempts_end_a_task() {
        let failure = |code| Failure::new(code, "");
        assert_eq!(
            after_failure(&failure(FailureCode::Internal), 1, 3),
            Transition::Requeue
        );
        assert_eq!(after_failure(&failure(FailureCode::Internal), 3, 3), Transition::Fail);
        assert_eq!(
            after_failure(&failure(FailureCode::ImageCorrupt), 1, 3),
            Transition::Fail
        );
        assert_eq!(expiry_failure(at(10), at(0), 100, false).code, FailureCode::Crashed);
        assert_eq!(expiry_failure(at(100), at(0), 100, false).code, FailureCode::TimedOut);
        assert_eq!(expiry_failure(at(100), at(0), 100, true).code, FailureCode::Crashed);
    }
}
