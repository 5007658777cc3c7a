//! A clock that stands still until it is told to go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pixmill_broker::Clock;
use pixmill_types::Timestamp;

/// 2026-01-01T00:00:00Z, milliseconds since the Unix epoch: any time would do that no duration reaches back from.
const START_MS: u64 = 1_767_225_600_000;

/// A clock of which the test decides when it is what time.
#[derive(Debug)]
pub(crate) struct ManualClock {
    now_ms: AtomicU64,
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self {
            now_ms: AtomicU64::new(START_MS),
        }
    }

    /// Goes on by `by`.
    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.now_ms.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms.load(Ordering::SeqCst))
    }
}
