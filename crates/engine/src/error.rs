//! Why milling failed, and how that is recorded.
//!
//! Owns the split by what the owner of the image can do. Knows nothing of retries: [`FailureCode`] says which codes
//! are worth another attempt.

use pixmill_types::{Failure, FailureCode, LimitExceeded};

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
    /// The [`Control`](crate::Control) said stop.
    #[error("stopped before it was done")]
    Stopped,
    /// A defect, or memory that could not be had.
    #[error("{0}")]
    Internal(String),
}

impl EngineError {
    /// The failure to record. [`EngineError::Stopped`] is recorded as out of time: who cancelled a task records that
    /// himself.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        let code = match self {
            Self::NotAnImage(_) => FailureCode::NotAnImage,
            Self::Unsupported(_) => FailureCode::ImageUnsupported,
            Self::Truncated(_) => FailureCode::ImageTruncated,
            Self::Corrupt(_) => FailureCode::ImageCorrupt,
            Self::Limit(exceeded) => return Failure::from(*exceeded),
            Self::Impossible(_) => FailureCode::RecipeImpossible,
            Self::Stopped => FailureCode::TimedOut,
            Self::Internal(_) => FailureCode::Internal,
        };
        Failure::new(code, self.to_string())
    }
}
