//! Turns images: bytes in, bytes out, on the calling thread.
//!
//! Owns headers, plans, pixels and codecs. Knows nothing of files, sockets, tasks, async or clocks other than the
//! [`Control`] it is given.

use std::fmt;
use std::time::Duration;

use pixmill_types::{Failure, ImageFormat, LimitExceeded, Limits, Recipe};

pub mod probe {
    //! Reads what a header says of an image, from the first bytes alone.
    use pixmill_types::{ImageFormat, Limits};

    use super::EngineError;

    /// What a header says.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Header {
        /// What the content is.
        pub format: ImageFormat,
        /// Width as stored, before orientation, pixels.
        pub width: u32,
        /// Height as stored, before orientation, pixels.
        pub height: u32,
        /// Frames declared; 1 for a still image.
        pub frames: u32,
    }

    impl Header {
        /// Checks width, height, frames and pixels against `limits`.
        pub fn check(&self, _limits: &Limits) -> Result<(), EngineError> {
            unimplemented!()
        }
    }

    /// Reads a header from bytes that arrive in pieces. Keeps a bounded amount of them.
    #[derive(Debug, Default)]
    pub struct Prober {}

    impl Prober {
        /// Takes the next bytes of the file; `Some` as soon as the header is complete (then stop feeding).
        pub fn feed(&mut self, _bytes: &[u8]) -> Result<Option<Header>, EngineError> {
            unimplemented!()
        }

        /// The file is over: the header, or why there is none (`ImageTruncated`, `NotAnImage`).
        pub fn finish(self) -> Result<Header, EngineError> {
            unimplemented!()
        }
    }

    /// Reads the header of a whole file.
    pub fn probe(_bytes: &[u8]) -> Result<Header, EngineError> {
        unimplemented!()
    }
}

/// Why an image was not milled, split by what its owner can do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// The bytes are not an image of a format pixmill reads. Says what they seem to be, when that is known.
    #[error("{0}")]
    NotAnImage(String),
    /// A known format, but a kind of it that pixmill does not read.
    #[error("{0}")]
    Unsupported(String),
    /// The file ends before the image does.
    #[error("{0}")]
    Truncated(String),
    /// The file contradicts its own format.
    #[error("{0}")]
    Corrupt(String),
    /// A limit would be exceeded.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The recipe cannot be carried out on this image.
    #[error("{0}")]
    Impossible(String),
    /// The [`Control`] said stop.
    #[error("stopped before it was done")]
    Stopped,
    /// A defect.
    #[error("{0}")]
    Internal(String),
}

impl EngineError {
    /// The failure to record.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        unimplemented!()
    }
}

/// Asked between pieces of work whether to go on.
pub trait Control: Sync {
    /// Whether the work is to stop now: cancelled, or out of time.
    fn should_stop(&self) -> bool;
}

/// What will be done to an image, as data. `Display` prints it for people.
#[derive(Debug, Clone)]
pub struct Plan {}

impl Plan {
    /// Estimated peak memory of carrying it out, without the input, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        unimplemented!()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!()
    }
}

/// Plans `recipe` for an image with this header. Allocates nothing of the image's size.
pub fn plan(_header: &probe::Header, _recipe: &Recipe, _limits: &Limits) -> Result<Plan, EngineError> {
    unimplemented!()
}

/// One finished output.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: ImageFormat,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
}

/// What milling one image brought.
#[derive(Debug, Clone)]
pub struct Milled {
    /// One output for each of the recipe's, in its order.
    pub outputs: Vec<Rendered>,
    /// What a person should know although it worked.
    pub warnings: Vec<String>,
    /// Time spent in each stage, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Mills one image.
pub fn mill(_input: &[u8], _recipe: &Recipe, _limits: &Limits, _control: &dyn Control) -> Result<Milled, EngineError> {
    unimplemented!()
}
