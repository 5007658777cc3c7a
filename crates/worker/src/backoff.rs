//! How long to wait before asking again, and how often to complain meanwhile. Knows nothing of what is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pixmill_types::Causes;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(50);
/// The longest delay before the broker is asked again for what work waits for.
pub(crate) const LONGEST: Duration = Duration::from_secs(5);

/// Delays that double up to a limit, each with full jitter, so that many callers do not return as one.
#[derive(Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
    longest: Duration,
}

impl Backoff {
    /// Delays of at most `longest`.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self {
            ceiling: FIRST,
            longest,
        }
    }

    /// The next delay.
    pub(crate) fn next_delay(&mut self) -> Duration {
        // Never zero: a server that refuses at once must not be asked in a tight loop.
        let delay = self.ceiling.mul_f64(rand::random_range(0.1..=1.0));
        self.ceiling = (self.ceiling * 2).min(self.longest);
        delay
    }

    pub(crate) fn reset(&mut self) {
        self.ceiling = FIRST;
    }
}

/// `interval` give or take a fifth, so that loops of many workers drift apart.
pub(crate) fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(rand::random_range(0.8..=1.2))
}

/// Reports the beginning and the end of an outage, and nothing in between.
#[derive(Debug)]
pub(crate) struct Outage {
    of: &'static str,
    lasts: AtomicBool,
}

impl Outage {
    /// `of` says who misses what, such as `claim loop: broker`.
    pub(crate) const fn new(of: &'static str) -> Self {
        Self {
            of,
            lasts: AtomicBool::new(false),
        }
    }

    pub(crate) fn report(&self, error: &(dyn std::error::Error + 'static)) {
        if !self.lasts.swap(true, Ordering::Relaxed) {
            tracing::warn!(what = self.of, error = %Causes(error), "does not answer as it should, asking again until it does");
        }
    }

    pub(crate) fn over(&self) {
        // The load keeps the common case free of a write that other cores would have to see.
        if self.lasts() && self.lasts.swap(false, Ordering::Relaxed) {
            tracing::info!(what = self.of, "answers again");
        }
    }

    fn lasts(&self) -> bool {
        self.lasts.load(Ordering::Relaxed)
    }
}

/// Keeps from asking while what is asked for is known to fail: longer each time, until it works again.
#[derive(Debug)]
pub(crate) struct Pause {
    outage: Outage,
    /// Delays, and when the last one is over.
    state: Mutex<(Backoff, Option<Instant>)>,
}

impl Pause {
    pub(crate) fn new(of: &'static str) -> Self {
        Self {
            outage: Outage::new(of),
            state: Mutex::new((Backoff::up_to(LONGEST), None)),
        }
    }

    fn state(&self) -> MutexGuard<'_, (Backoff, Option<Instant>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It failed.
    pub(crate) fn pause(&self, error: &(dyn std::error::Error + 'static)) {
        self.outage.report(error);
        let mut state = self.state();
        let until = Instant::now() + state.0.next_delay();
        state.1 = state.1.max(Some(until));
    }

    /// It worked.
    pub(crate) fn over(&self) {
        if self.outage.lasts() {
            self.outage.over();
            let mut state = self.state();
            state.0.reset();
            state.1 = None;
        }
    }

    /// Whether it has not worked since it failed.
    pub(crate) fn lasts(&self) -> bool {
        self.outage.lasts()
    }

    /// Waits until it is worth trying.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn wait(&self) {
        loop {
            let until = self.state().1;
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }
}
