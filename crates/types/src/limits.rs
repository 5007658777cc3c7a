//! What one image may cost. Checked against headers before anything is allocated.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Upper bounds for one image and its milling. A bound is inclusive: a value equal to it passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of the uploaded file, bytes.
    pub max_input_bytes: u64,
    /// Width x height x frames of the input, pixels.
    pub max_pixels: u64,
    /// Width of the input, pixels.
    pub max_width: u32,
    /// Height of the input, pixels.
    pub max_height: u32,
    /// Frames of the input.
    pub max_frames: u32,
    /// Width x height x frames of one output, pixels.
    pub max_output_pixels: u64,
    /// Estimated memory of one task, bytes.
    pub max_task_memory_bytes: u64,
    /// Wall-clock time of one attempt, milliseconds.
    pub task_timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_input_bytes: 64 * 1024 * 1024,
            max_pixels: 100_000_000,
            max_width: 30_000,
            max_height: 30_000,
            max_frames: 1_000,
            max_output_pixels: 100_000_000,
            max_task_memory_bytes: 2 * 1024 * 1024 * 1024,
            task_timeout_ms: 60_000,
        }
    }
}

impl Limits {
    /// Wall-clock time of one attempt.
    #[must_use]
    pub const fn task_timeout(&self) -> Duration {
        Duration::from_millis(self.task_timeout_ms)
    }

    /// Checks `actual` against the limit `name`.
    ///
    /// # Errors
    /// [`LimitExceeded`] with both numbers when `actual` is larger.
    pub const fn check(&self, name: LimitName, actual: u64) -> Result<(), LimitExceeded> {
        let limit = self.get(name);
        if actual > limit {
            Err(LimitExceeded { name, limit, actual })
        } else {
            Ok(())
        }
    }

    /// The value of one limit, in its own unit.
    #[must_use]
    pub const fn get(&self, name: LimitName) -> u64 {
        match name {
            LimitName::InputBytes => self.max_input_bytes,
            LimitName::Pixels => self.max_pixels,
            LimitName::Width => self.max_width as u64,
            LimitName::Height => self.max_height as u64,
            LimitName::Frames => self.max_frames as u64,
            LimitName::OutputPixels => self.max_output_pixels,
            LimitName::TaskMemoryBytes => self.max_task_memory_bytes,
        }
    }
}

/// Names one field of [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitName {
    /// [`Limits::max_input_bytes`].
    InputBytes,
    /// [`Limits::max_pixels`].
    Pixels,
    /// [`Limits::max_width`].
    Width,
    /// [`Limits::max_height`].
    Height,
    /// [`Limits::max_frames`].
    Frames,
    /// [`Limits::max_output_pixels`].
    OutputPixels,
    /// [`Limits::max_task_memory_bytes`].
    TaskMemoryBytes,
}

impl LimitName {
    /// The name of the setting, as people write it.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::InputBytes => "max_input_bytes",
            Self::Pixels => "max_pixels",
            Self::Width => "max_width",
            Self::Height => "max_height",
            Self::Frames => "max_frames",
            Self::OutputPixels => "max_output_pixels",
            Self::TaskMemoryBytes => "max_task_memory_bytes",
        }
    }

    const fn what_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::InputBytes => ("the file", "bytes"),
            Self::Pixels => ("the image", "pixels over all frames"),
            Self::Width => ("the image", "pixels of width"),
            Self::Height => ("the image", "pixels of height"),
            Self::Frames => ("the image", "frames"),
            Self::OutputPixels => ("an output", "pixels over all frames"),
            Self::TaskMemoryBytes => ("the work", "bytes of memory, estimated"),
        }
    }
}

/// An image asks for more than a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitExceeded {
    /// Which limit.
    pub name: LimitName,
    /// Its value, in its own unit.
    pub limit: u64,
    /// What the image asks for, in the same unit.
    pub actual: u64,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, unit) = self.name.what_and_unit();
        write!(
            f,
            "{what} has {} {unit}, {} is {}",
            self.actual,
            self.name.setting(),
            self.limit
        )
    }
}

impl std::error::Error for LimitExceeded {}
