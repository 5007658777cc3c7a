//! Why a task ended without outputs: a stable code for programs, a message for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::LimitExceeded;

/// The stable code of a failure. Codes are never renamed or reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The bytes are not an image of a format pixmill reads.
    NotAnImage,
    /// The image is of a known format that pixmill does not read, or of a kind of it that it does not.
    ImageUnsupported,
    /// The file ends before the image does.
    ImageTruncated,
    /// The file contradicts its own format.
    ImageCorrupt,
    /// The image asks for more than a limit allows.
    LimitExceeded,
    /// The recipe cannot be carried out on this image.
    RecipeImpossible,
    /// One attempt took longer than it may.
    TimedOut,
    /// The worker vanished in the middle of the last attempt.
    Crashed,
    /// The input was no longer in the blob store.
    InputMissing,
    /// The blob store did not take or give bytes.
    StorageUnavailable,
    /// A defect in pixmill.
    Internal,
}

impl FailureCode {
    /// Every code.
    pub const ALL: [Self; 11] = [
        Self::NotAnImage,
        Self::ImageUnsupported,
        Self::ImageTruncated,
        Self::ImageCorrupt,
        Self::LimitExceeded,
        Self::RecipeImpossible,
        Self::TimedOut,
        Self::Crashed,
        Self::InputMissing,
        Self::StorageUnavailable,
        Self::Internal,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnImage => "not_an_image",
            Self::ImageUnsupported => "image_unsupported",
            Self::ImageTruncated => "image_truncated",
            Self::ImageCorrupt => "image_corrupt",
            Self::LimitExceeded => "limit_exceeded",
            Self::RecipeImpossible => "recipe_impossible",
            Self::TimedOut => "timed_out",
            Self::Crashed => "crashed",
            Self::InputMissing => "input_missing",
            Self::StorageUnavailable => "storage_unavailable",
            Self::Internal => "internal",
        }
    }

    /// The code of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// Whether another attempt on the same input must end the same way, so that none is made.
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        match self {
            Self::NotAnImage
            | Self::ImageUnsupported
            | Self::ImageTruncated
            | Self::ImageCorrupt
            | Self::LimitExceeded
            | Self::RecipeImpossible
            | Self::InputMissing => true,
            Self::TimedOut | Self::Crashed | Self::StorageUnavailable | Self::Internal => false,
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an attempt, or a whole task, ended without outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs.
    pub code: FailureCode,
    /// For people: lower case, no full stop, never a path of the server or a secret.
    pub message: String,
    /// The limit that was exceeded, when `code` is [`FailureCode::LimitExceeded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitExceeded>,
}

impl Failure {
    /// Makes a failure without a limit.
    #[must_use]
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            limit: None,
        }
    }
}

impl From<LimitExceeded> for Failure {
    fn from(limit: LimitExceeded) -> Self {
        Self {
            code: FailureCode::LimitExceeded,
            message: limit.to_string(),
            limit: Some(limit),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
