//! The store over anything that `object_store` speaks to. Atomic publication and durability are the other side's.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutPayload,
};
use pixmill_types::{LeaseId, TaskId};
use tokio::runtime::Handle;

use crate::key::{TASKS, lease_named, task_folder, task_in_shard};
use crate::read::outside;
use crate::{BlobError, BlobKey, BlobRead};

/// Size of one part of a large upload, bytes. S3 takes no less than 5 MiB, and 10,000 parts at most.
const PART_BYTES: usize = 8 << 20;

/// Listed when asking whether the store answers; nothing ever lies there. A listing, since a bucket that is missing and
/// one that is empty answer a request for an object alike.
pub(crate) const PROBE: &str = "probe";

/// An upload to an object store: one request up to a part's size, several above.
#[derive(Debug)]
pub(crate) struct ObjectUpload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    part: Vec<Bytes>,
    part_bytes: usize,
    multipart: Option<Box<dyn MultipartUpload>>,
}

impl ObjectUpload {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, key: &BlobKey) -> Self {
        Self {
            store,
            path: path(key),
            part: Vec::new(),
            part_bytes: 0,
            multipart: None,
        }
    }

    pub(crate) async fn append(&mut self, mut bytes: Bytes) -> Result<(), BlobError> {
        loop {
            let room = PART_BYTES - self.part_bytes;
            // A part that is just full may be the last, or all there is.
            let last = bytes.len() <= room;
            let fits = bytes.split_to(bytes.len().min(room));
            self.part_bytes += fits.len();
            self.part.push(fits);
            if last {
                return Ok(());
            }
            self.put_part().await?;
        }
    }

    async fn put_part(&mut self) -> Result<(), BlobError> {
        let payload = self.take_part();
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            None => {
                let options = PutMultipartOptions::default();
                let begun = self.store.put_multipart_opts(&self.path, options).await?;
                self.multipart.insert(begun)
            }
        };
        Ok(multipart.put_part(payload).await?)
    }

    pub(crate) async fn publish(mut self) -> Result<(), BlobError> {
        let payload = self.take_part();
        match &mut self.multipart {
            None => {
                self.store.put(&self.path, payload).await?;
            }
            Some(multipart) => {
                if payload.content_length() > 0 {
                    multipart.put_part(payload).await?;
                }
                multipart.complete().await?;
            }
        }
        self.multipart = None;
        Ok(())
    }

    pub(crate) async fn abort(mut self) -> Result<(), BlobError> {
        match self.multipart.take() {
            Some(mut multipart) => Ok(multipart.abort().await?),
            None => Ok(()),
        }
    }

    fn take_part(&mut self) -> PutPayload {
        self.part_bytes = 0;
        std::mem::take(&mut self.part).into_iter().collect()
    }
}

impl Drop for ObjectUpload {
    /// Has the store forget the parts of an upload that failed or was cut off. When that fails, or nobody is left to
    /// ask, a rule of the bucket removes them.
    fn drop(&mut self) {
        let (Some(mut multipart), Ok(runtime)) = (self.multipart.take(), Handle::try_current()) else {
            return;
        };
        let path = self.path.clone();
        runtime.spawn(async move {
            if let Err(error) = multipart.abort().await {
                tracing::debug!(%path, %error, "parts of an upload are left to the store's own rules");
            }
        });
    }
}

pub(crate) async fn get(store: &dyn ObjectStore, key: &BlobKey) -> Result<Bytes, BlobError> {
    let failed = |error| BlobError::reading(key, error);
    store
        .get(&path(key))
        .await
        .map_err(failed)?
        .bytes()
        .await
        .map_err(failed)
}

pub(crate) async fn read(
    store: &dyn ObjectStore,
    key: &BlobKey,
    range: Option<Range<u64>>,
) -> Result<BlobRead, BlobError> {
    // A range that is empty or outside cannot be asked of every store, and gives no whole size.
    let within = range.as_ref().filter(|range| range.start < range.end);
    let options = GetOptions {
        range: within.cloned().map(GetRange::Bounded),
        head: range.is_some() && within.is_none(),
        ..GetOptions::default()
    };
    let found = store
        .get_opts(&path(key), options)
        .await
        .map_err(|error| BlobError::reading(key, error))?;
    let total_bytes = found.meta.size;
    if let Some(range) = &range {
        if range.start > range.end || range.end > total_bytes {
            return Err(outside(range, total_bytes));
        }
        if range.is_empty() {
            return Ok(BlobRead {
                total_bytes,
                stream: stream::empty().boxed(),
            });
        }
    }
    Ok(BlobRead {
        total_bytes,
        stream: found.into_stream().map_err(BlobError::from).boxed(),
    })
}

pub(crate) async fn delete(store: &dyn ObjectStore, key: &BlobKey) -> Result<(), BlobError> {
    unless_missing(store.delete(&path(key)).await)
}

/// Deletes everything below `folder`.
pub(crate) async fn delete_folder(store: &dyn ObjectStore, folder: &str) -> Result<(), BlobError> {
    let below = store.list(Some(&Path::from(folder)));
    let mut deleted = store.delete_stream(below.map_ok(|blob| blob.location).boxed());
    while let Some(result) = deleted.next().await {
        unless_missing(result.map(drop))?;
    }
    Ok(())
}

/// The leases that have blobs of `task`.
pub(crate) async fn leases_of(store: &dyn ObjectStore, task: TaskId) -> Result<Vec<LeaseId>, BlobError> {
    let below = store.list_with_delimiter(Some(&Path::from(task_folder(task)))).await?;
    let folders = below.common_prefixes.iter();
    Ok(folders
        .filter_map(|folder| folder.filename().and_then(lease_named))
        .collect())
}

pub(crate) async fn check(store: &dyn ObjectStore) -> Result<(), BlobError> {
    store.list_with_delimiter(Some(&Path::from(PROBE))).await?;
    Ok(())
}

/// Tasks all of whose blobs are older than `age`. Relies on a listing in the order of keys, as all services and memory give it.
pub(crate) fn tasks_older_than(
    store: &dyn ObjectStore,
    age: Duration,
) -> BoxStream<'static, Result<TaskId, BlobError>> {
    let now = SystemTime::now();
    let blobs = store.list(Some(&Path::from(TASKS))).try_filter_map(move |blob| {
        let old = is_old(&blob, now, age);
        async move { Ok(task_of(&blob.location).map(|task| (task, old))) }
    });
    // Marks the end of the listing, so that the last task comes out as well.
    let ended = blobs.map(|blob| blob.map(Some)).chain(stream::once(async { Ok(None) }));
    let grouped = ended.scan(None::<(TaskId, bool)>, |group, blob| {
        let next = match blob {
            Err(error) => return std::future::ready(Some(Some(Err(BlobError::from(error))))),
            Ok(next) => next,
        };
        let finished = match (group.take(), next) {
            (Some((task, old)), Some((same, also_old))) if task == same => {
                *group = Some((task, old && also_old));
                None
            }
            (finished, next) => {
                *group = next;
                finished
            }
        };
        std::future::ready(Some(finished.and_then(|(task, old)| old.then_some(Ok(task)))))
    });
    grouped.filter_map(std::future::ready).boxed()
}

/// The keys are made of characters that `object_store` takes as they are.
fn path(key: &BlobKey) -> Path {
    Path::from(key.as_str())
}

/// The task a blob belongs to; `None` for what is not ours.
fn task_of(location: &Path) -> Option<TaskId> {
    let mut parts = location.as_ref().strip_prefix(TASKS)?.strip_prefix('/')?.split('/');
    task_in_shard(parts.next()?, parts.next()?)
}

fn is_old(blob: &ObjectMeta, now: SystemTime, age: Duration) -> bool {
    let modified = SystemTime::from(blob.last_modified);
    now.duration_since(modified).unwrap_or_default() >= age
}

fn unless_missing(result: object_store::Result<()>) -> Result<(), BlobError> {
    match result {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        other => Ok(other?),
    }
}
