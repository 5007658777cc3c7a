//! Where the bytes of uploads and outputs lie: one store over `object_store`, on local disk or in memory.
//!
//! Owns keys, atomic publication and deletion. Knows nothing of tasks' states, images or HTTP.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use pixmill_types::{ContentHash, LeaseId, Segment, TaskId};

/// Names one blob: `tasks/<shard>/<task id>/in/<segment>` or `tasks/<shard>/<task id>/<lease id>/<segment>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobKey(String);

impl BlobKey {
    /// The key of a task's input.
    #[must_use]
    pub fn input(task: TaskId, segment: &Segment) -> Self {
        Self(format!("tasks/{}/{task}/in/{segment}", task.shard()))
    }

    /// The key of an output that `lease` delivers.
    #[must_use]
    pub fn output(task: TaskId, lease: LeaseId, segment: &Segment) -> Self {
        Self(format!("tasks/{}/{task}/{lease}/{segment}", task.shard()))
    }

    /// The path below the store's root, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What can go wrong at the blob store, split by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("there is no blob {0}")]
    NotFound(String),
    /// The storage has no room: nothing was stored, it may heal.
    #[error("the blob store is full")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store cannot be reached, or refuses.
    #[error("the blob store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Size, bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes.
    pub hash: ContentHash,
}

/// Bytes on their way out.
pub struct BlobRead {
    /// Size of the whole blob, bytes.
    pub total_bytes: u64,
    /// The bytes asked for.
    pub stream: BoxStream<'static, Result<Bytes, BlobError>>,
}

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlobStore;

/// An upload that becomes visible whole, or not at all. Dropping it without `finish` leaves nothing behind (at the
/// latest after the janitor's next sweep).
#[derive(Debug)]
pub struct Upload;

impl BlobStore {
    /// Opens a store below `root` on the local disk, making the folder when it is missing.
    pub async fn local(_root: &Path) -> Result<Self, BlobError> {
        unimplemented!()
    }

    /// Opens an empty store in memory.
    #[must_use]
    pub fn memory() -> Self {
        unimplemented!()
    }

    /// Begins an upload that hashes as it goes; memory stays bounded whatever its size.
    pub async fn upload(&self, _key: &BlobKey) -> Result<Upload, BlobError> {
        unimplemented!()
    }

    /// Stores bytes that are already in memory, atomically and durably.
    pub async fn put(&self, _key: &BlobKey, _bytes: Bytes) -> Result<Stored, BlobError> {
        unimplemented!()
    }

    /// Reads a whole blob into memory.
    pub async fn get(&self, _key: &BlobKey) -> Result<Bytes, BlobError> {
        unimplemented!()
    }

    /// Streams a blob, or `range` of it (bytes, end excluded, within the blob).
    pub async fn read(&self, _key: &BlobKey, _range: Option<Range<u64>>) -> Result<BlobRead, BlobError> {
        unimplemented!()
    }

    /// Deletes one blob and the folders that become empty; a missing one is no error.
    pub async fn delete(&self, _key: &BlobKey) -> Result<(), BlobError> {
        unimplemented!()
    }

    /// Deletes the folder of one lease of a task: outputs that will never count.
    pub async fn delete_lease(&self, _task: TaskId, _lease: LeaseId) -> Result<(), BlobError> {
        unimplemented!()
    }

    /// Deletes all blobs of a task, staging files included; a task without any is no error.
    pub async fn delete_task(&self, _task: TaskId) -> Result<(), BlobError> {
        unimplemented!()
    }

    /// Tasks that have blobs or staging files, all of which are older than `age`. For the janitor.
    pub fn tasks_older_than(&self, _age: Duration) -> BoxStream<'static, Result<TaskId, BlobError>> {
        unimplemented!()
    }

    /// Deletes staging files that nobody has written to for `age`; returns how many.
    pub async fn sweep_staging(&self, _age: Duration) -> Result<u64, BlobError> {
        unimplemented!()
    }

    /// Whether the store answers and could store a blob now.
    pub async fn check(&self) -> Result<(), BlobError> {
        unimplemented!()
    }
}

impl Upload {
    /// Takes the next bytes.
    pub async fn write(&mut self, _bytes: Bytes) -> Result<(), BlobError> {
        unimplemented!()
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        unimplemented!()
    }

    /// Publishes: when it returns, the blob is visible under its key and survives a power cut.
    pub async fn finish(self) -> Result<Stored, BlobError> {
        unimplemented!()
    }

    /// Gives up and removes what was staged, folders included.
    pub async fn abort(self) -> Result<(), BlobError> {
        unimplemented!()
    }
}
