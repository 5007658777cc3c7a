//! One stage of a plan, for those who show plans.

use std::fmt;
use std::time::Duration;

use crate::pixels::Shape;

/// One stage of a plan.
#[derive(Debug, Clone)]
pub struct Stage {
    pub(super) name: &'static str,
    pub(super) detail: String,
    pub(super) includes: Vec<&'static str>,
    pub(super) output: Option<usize>,
    pub(super) from: Option<usize>,
    pub(super) result: Shape,
    pub(super) memory_bytes: u64,
    pub(super) time: Duration,
}

impl Stage {
    /// `decode`, the name of a step, or `encode`; `stream` for all of them at once.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What exactly it does, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Steps of the recipe that this stage does along the way, so that none of its own is needed.
    #[must_use]
    pub fn includes(&self) -> &[&'static str] {
        &self.includes
    }

    /// The index of the output it works for; `None` for what all outputs share.
    #[must_use]
    pub fn output(&self) -> Option<usize> {
        self.output
    }

    /// The index of the output whose picture it begins with, as that is before it is encoded; `None` for the picture that
    /// the stage before it yields, or that all outputs share.
    #[must_use]
    pub fn from(&self) -> Option<usize> {
        self.from
    }

    /// Width of what it yields, pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.result.width
    }

    /// Height of what it yields, pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.result.height
    }

    /// Estimated memory while it runs, with everything else that is held then but the input, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// How long it takes on [`Plan::machine`](super::Plan::machine), a rough estimate.
    #[must_use]
    pub fn estimated_time(&self) -> Duration {
        self.time
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<10} {}", self.name, self.detail)?;
        if !self.includes.is_empty() {
            write!(f, " (does {})", self.includes.join(", "))?;
        }
        write!(
            f,
            " -> {} ({}, {})",
            self.result,
            Megabytes(self.memory_bytes),
            Milliseconds(self.time)
        )
    }
}

/// Bytes, shown in millions.
pub(super) struct Megabytes(pub(super) u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MB", self.0 as f64 / 1e6)
    }
}

/// A time, shown in milliseconds to two digits that count.
pub(super) struct Milliseconds(pub(super) Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_secs_f64() * 1e3;
        let digits = if milliseconds < 0.995 {
            2
        } else {
            usize::from(milliseconds < 9.95)
        };
        write!(f, "{milliseconds:.digits$} ms")
    }
}
