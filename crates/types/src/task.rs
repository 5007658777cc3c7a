//! The record of a task: what was asked for, where it stands, what came of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    ContentHash, DisplayName, Failure, FileFormat, ImageFormat, LeaseId, Recipe, Segment, TaskId, TaskState, Timestamp,
};

/// Attempts a task gets unless its submitter says otherwise.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// A named queue: 1 to 64 lower-case ASCII letters, digits, `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(String);

/// The text is not a queue name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a queue name: expected 1 to 64 lower-case ASCII letters, digits, '-' or '_'")]
pub struct InvalidQueueName;

impl QueueName {
    /// The queue of image tasks.
    #[must_use]
    pub fn images() -> Self {
        Self("images".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueueName {
    type Err = InvalidQueueName;

    fn from_str(text: &str) -> Result<Self, InvalidQueueName> {
        let well_formed = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidQueueName)
        }
    }
}

impl TryFrom<String> for QueueName {
    type Error = InvalidQueueName;

    fn try_from(text: String) -> Result<Self, InvalidQueueName> {
        text.parse()
    }
}

impl From<QueueName> for String {
    fn from(name: QueueName) -> Self {
        name.0
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How urgent a task is: 0 (whenever there is nothing else) to 9 (before all others), 5 unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

/// The number is not a priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("priority {0} is out of range, allowed are 0 to 9")]
pub struct InvalidPriority(pub u8);

impl Priority {
    /// The least urgent.
    pub const MIN: Self = Self(0);
    /// The most urgent.
    pub const MAX: Self = Self(9);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(5)
    }
}

impl TryFrom<u8> for Priority {
    type Error = InvalidPriority;

    fn try_from(number: u8) -> Result<Self, InvalidPriority> {
        if number <= Self::MAX.0 {
            Ok(Self(number))
        } else {
            Err(InvalidPriority(number))
        }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// A client's key that makes a repeated request the same request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

/// The text is not an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an idempotency key: expected 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let well_formed = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidIdempotencyKey;

    fn try_from(text: String) -> Result<Self, InvalidIdempotencyKey> {
        text.parse()
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

/// What a task is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Payload {
    /// Turn one image into outputs.
    Mill(Mill),
}

/// One image and what to make of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mill {
    /// The uploaded image.
    pub input: InputImage,
    /// What to make of it.
    pub recipe: Recipe,
}

/// An uploaded image as its header describes it. Its bytes lie in the blob store under the task's id and `segment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputImage {
    /// The client's file name, to show.
    pub name: DisplayName,
    /// The name it is stored under.
    pub segment: Segment,
    /// Size, bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes.
    pub hash: ContentHash,
    /// What the content is.
    pub format: ImageFormat,
    /// Width as stored, before orientation, pixels.
    pub width: u32,
    /// Height as stored, before orientation, pixels.
    pub height: u32,
    /// Frames the header declares; 1 for a still image.
    pub frames: u32,
}

/// One finished output. Its bytes lie in the blob store under the task's id, the lease and `segment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputImage {
    /// The name it is stored and served under; unique within the task.
    pub segment: Segment,
    /// Size, bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes; the ETag.
    pub hash: ContentHash,
    /// What it holds.
    pub format: FileFormat,
    /// Width of the picture, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
}

/// What a completed task delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    /// The claim that delivered: the folder its outputs lie in.
    pub lease: LeaseId,
    /// The outputs, in the recipe's order. Never empty.
    pub outputs: Vec<OutputImage>,
    /// What a person should know although it worked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A task as its submitter describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTask {
    /// Made by the submitter, so that repeating the call is harmless.
    pub id: TaskId,
    /// The queue to wait in.
    pub queue: QueueName,
    /// What to do.
    pub payload: Payload,
    /// How urgent it is.
    pub priority: Priority,
    /// Claimed at the earliest then.
    pub not_before: Option<Timestamp>,
    /// Attempts before it is a dead letter; at least 1.
    pub max_attempts: u32,
    /// Estimated memory of milling it, bytes; counts against a worker's budget.
    pub cost_bytes: u64,
    /// Wall-clock time one attempt may take, milliseconds. Its lease is never renewed past that.
    pub timeout_ms: u64,
    /// W3C `traceparent` of the request that made it.
    pub trace_parent: Option<String>,
}

/// The full record of a task, as the broker keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its name.
    pub id: TaskId,
    /// Its queue.
    pub queue: QueueName,
    /// What to do.
    pub payload: Payload,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub state: TaskState,
    /// Attempts begun and not released; the one under way counts. 0 before the first claim.
    pub attempt: u32,
    /// Attempts before it is a dead letter.
    pub max_attempts: u32,
    /// Estimated memory of milling it, bytes.
    pub cost_bytes: u64,
    /// Wall-clock time one attempt may take, milliseconds.
    pub timeout_ms: u64,
    /// W3C `traceparent` of the request that made it.
    pub trace_parent: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Claimed at the earliest then: a delayed start, or the backoff before a retry.
    pub not_before: Option<Timestamp>,
    /// When the attempt under way, or the last one, began.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// When the record and its files go away; absent when they are kept.
    pub expires_at: Option<Timestamp>,
    /// What it delivered; present exactly when `state` is completed.
    pub success: Option<Success>,
    /// Why the last attempt failed that did; present when `state` is failed, and after it until the task is completed.
    pub failure: Option<Failure>,
}
