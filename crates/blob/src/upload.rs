//! One upload: gathers pieces of any size into chunks, hashes them, hands them to the backend, publishes or gives up.

use std::sync::Arc;

use bytes::Bytes;
use pixmill_types::ContentHash;
use tokio::runtime::Handle;

use crate::local::{Disk, Published, Staged, blocking};
use crate::object::ObjectUpload;
use crate::{BlobError, BlobKey};

/// Gathered in memory before anything is hashed and written, bytes: what one upload holds at most. Whatever is
/// smaller is hashed, written and published in one single hop to a blocking thread.
const CHUNK_BYTES: usize = 256 * 1024;

/// What was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Size, bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes.
    pub hash: ContentHash,
}

/// An upload that becomes visible whole, or not at all. Dropping it without `finish` leaves nothing behind, at the
/// latest after the janitor's next sweep, or when a rule of the bucket removes parts of unfinished uploads.
#[derive(Debug)]
pub struct Upload {
    chunk: Vec<u8>,
    bytes: u64,
    /// `None` after a call that failed or was cut off: there is nothing left to go on with.
    sink: Option<Sink>,
}

/// Where chunks go.
#[derive(Debug)]
pub(crate) enum Sink {
    Local(LocalSink),
    Object(ObjectSink),
}

/// A file that comes into being with the first chunk.
#[derive(Debug)]
pub(crate) struct LocalSink {
    disk: Arc<Disk>,
    key: BlobKey,
    hasher: Box<blake3::Hasher>,
    staged: Option<Staged>,
}

/// An object, and the hash of what it was given.
#[derive(Debug)]
pub(crate) struct ObjectSink {
    hasher: Box<blake3::Hasher>,
    upload: ObjectUpload,
}

impl Upload {
    pub(crate) fn new(sink: Sink) -> Self {
        Self {
            chunk: Vec::new(),
            bytes: 0,
            sink: Some(sink),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Unavailable`]. The upload is over then, and what was staged is removed.
    ///
    /// # Cancel safety
    /// Not cancel safe: after a dropped call, every other one fails and nothing is stored.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        let sink = self.sink.take().ok_or_else(is_over)?;
        self.bytes += bytes.len() as u64;
        let mut rest = &bytes[..];
        let mut sink = sink;
        while self.chunk.len() + rest.len() > CHUNK_BYTES {
            let (fits, more) = rest.split_at(CHUNK_BYTES - self.chunk.len());
            self.chunk.extend_from_slice(fits);
            (sink, self.chunk) = sink.append(std::mem::take(&mut self.chunk)).await?;
            rest = more;
        }
        if self.chunk.capacity() == 0 && !rest.is_empty() {
            self.chunk.reserve_exact(CHUNK_BYTES);
        }
        self.chunk.extend_from_slice(rest);
        self.sink = Some(sink);
        Ok(())
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Publishes: when it returns, the blob is visible under its key and survives a power cut.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Unavailable`]. Nothing stays behind then.
    ///
    /// # Cancel safety
    /// On the local disk a dropped call leaves nothing behind; elsewhere the blob may have been stored.
    pub async fn finish(mut self) -> Result<Stored, BlobError> {
        let sink = self.sink.take().ok_or_else(is_over)?;
        let last = Bytes::from(std::mem::take(&mut self.chunk));
        let hash = sink.publish(last).await?;
        Ok(Stored {
            bytes: self.bytes,
            hash,
        })
    }

    /// Gives up and removes what was staged, folders included.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the store cannot be asked to forget the upload.
    pub async fn abort(mut self) -> Result<(), BlobError> {
        match self.sink.take() {
            None | Some(Sink::Local(LocalSink { staged: None, .. })) => Ok(()),
            Some(Sink::Local(local)) => {
                blocking(move || {
                    drop(local);
                    Ok(())
                })
                .await
            }
            Some(Sink::Object(object)) => object.upload.abort().await,
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(Sink::Local(local)) = self.sink.take() else {
            return;
        };
        if local.staged.is_none() {
            return;
        }
        // Removing a file blocks. Should the runtime end before the closure runs, it is dropped, and the file goes
        // with it all the same.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(local));
        }
    }
}

impl Sink {
    pub(crate) fn local(disk: Arc<Disk>, key: BlobKey) -> Self {
        Self::Local(LocalSink {
            disk,
            key,
            hasher: Box::default(),
            staged: None,
        })
    }

    pub(crate) fn object(upload: ObjectUpload) -> Self {
        Self::Object(ObjectSink {
            hasher: Box::default(),
            upload,
        })
    }

    /// Hashes and stages a full chunk; gives back an empty buffer to fill.
    async fn append(self, mut chunk: Vec<u8>) -> Result<(Self, Vec<u8>), BlobError> {
        match self {
            Self::Local(mut local) => {
                blocking(move || {
                    local.append(&chunk)?;
                    chunk.clear();
                    Ok((Self::Local(local), chunk))
                })
                .await
            }
            Self::Object(object) => {
                let (mut object, chunk) = object.hash(Bytes::from(chunk)).await?;
                object.upload.append(chunk).await?;
                Ok((Self::Object(object), Vec::new()))
            }
        }
    }

    /// Hashes and stages `last`, then publishes all of it.
    pub(crate) async fn publish(self, last: Bytes) -> Result<ContentHash, BlobError> {
        match self {
            Self::Local(local) => {
                let (published, hash) = blocking(move || local.publish(&last)).await?;
                published.keep();
                Ok(hash)
            }
            Self::Object(object) => {
                let (mut object, last) = object.hash(last).await?;
                object.upload.append(last).await?;
                object.upload.publish().await?;
                Ok(digest(&object.hasher))
            }
        }
    }
}

impl LocalSink {
    fn append(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(bytes);
        let staged = match &mut self.staged {
            Some(staged) => staged,
            None => self.staged.insert(Staged::create(&self.disk, &self.key)?),
        };
        Ok(staged.append(bytes)?)
    }

    fn publish(mut self, last: &[u8]) -> Result<(Published, ContentHash), BlobError> {
        self.append(last)?;
        let hash = digest(&self.hasher);
        let staged = self.staged.take().ok_or_else(is_over)?;
        Ok((staged.publish()?, hash))
    }
}

impl ObjectSink {
    /// Hashing is work for the processor: it has no business on the runtime.
    async fn hash(mut self, bytes: Bytes) -> Result<(Self, Bytes), BlobError> {
        blocking(move || {
            self.hasher.update(&bytes);
            Ok((self, bytes))
        })
        .await
    }
}

fn digest(hasher: &blake3::Hasher) -> ContentHash {
    ContentHash::from_bytes(*hasher.finalize().as_bytes())
}

fn is_over() -> BlobError {
    BlobError::unavailable("the upload is over since one of its calls failed or was cut off")
}
