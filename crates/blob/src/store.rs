//! The store itself: sends each call to the disk or to the object store behind it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use pixmill_types::{DiskSync, InstallationId, LeaseId, TaskId};

use crate::bucket::{self, BucketOptions, Links};
use crate::key::{lease_folder, task_folder};
use crate::local::{Disk, blocking, every_shard, leases_of, sweep_shard, tasks_in_shard};
use crate::object::{self, ObjectUpload};
use crate::upload::Sink;
use crate::{BlobError, BlobKey, BlobRead, Stored, Upload, read};

/// The store. Cheap to clone.
///
/// On the local disk, files are made with mode 0640 and folders with 0750 (less what the umask takes away).
#[derive(Debug, Clone)]
pub struct BlobStore(Backend);

#[derive(Debug, Clone)]
enum Backend {
    Local(Arc<Disk>),
    Object(Arc<dyn ObjectStore>, Option<Links>),
}

impl BlobStore {
    /// Opens a store below `root` on the local disk, making the folder when it is missing.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Unavailable`] when the folders cannot be made.
    pub async fn local(root: &Path) -> Result<Self, BlobError> {
        Self::local_with(root, DiskSync::Always).await
    }

    /// The same, where blobs count as stored as `sync` says.
    ///
    /// # Errors
    /// As [`BlobStore::local`].
    pub async fn local_with(root: &Path, sync: DiskSync) -> Result<Self, BlobError> {
        let root = root.to_owned();
        let disk = blocking(move || Ok(Disk::open(&root, sync)?)).await?;
        Ok(Self(Backend::Local(Arc::new(disk))))
    }

    /// Opens an empty store in memory.
    #[must_use]
    pub fn memory() -> Self {
        Self(Backend::Object(Arc::new(InMemory::new()), None))
    }

    /// Opens a store in a bucket. Does no IO: [`BlobStore::check`] tells whether it answers.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the options make no sense.
    pub fn bucket(options: &BucketOptions) -> Result<Self, BlobError> {
        let (store, links) = bucket::open(options)?;
        Ok(Self(Backend::Object(store, Some(links))))
    }

    /// A link under which anybody can fetch the blob, past us, for as long as `valid_for`; served as `media_type` and
    /// with `disposition`, except on Azure, which knows the type by the key's extension. `None` when the store gives out
    /// none. Whether the blob is there is not looked at.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when there are no credentials to sign with.
    pub async fn link(
        &self,
        key: &BlobKey,
        media_type: &str,
        disposition: &str,
        valid_for: Duration,
    ) -> Result<Option<String>, BlobError> {
        match &self.0 {
            Backend::Local(_) | Backend::Object(_, None) => Ok(None),
            Backend::Object(_, Some(links)) => {
                let link = links.link(key.as_str(), media_type, disposition, valid_for).await?;
                Ok(Some(link))
            }
        }
    }

    /// Whether links can be signed; true of a store that gives out none.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the credentials are not of a kind, or may not.
    pub async fn check_links(&self) -> Result<(), BlobError> {
        if let Backend::Object(_, Some(links)) = &self.0 {
            links
                .link(object::PROBE, "image/png", "inline", Duration::from_secs(1))
                .await?;
        }
        Ok(())
    }

    /// Begins an upload that hashes as it goes; memory stays bounded whatever its size.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the store refuses.
    pub async fn upload(&self, key: &BlobKey) -> Result<Upload, BlobError> {
        Ok(Upload::new(self.sink(key)))
    }

    /// Stores bytes that are already in memory, atomically and durably.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Unavailable`]. Nothing stays behind then.
    ///
    /// # Cancel safety
    /// On the local disk a dropped call leaves nothing behind; elsewhere the blob may have been stored.
    pub async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<Stored, BlobError> {
        let size = bytes.len() as u64;
        let hash = self.sink(key).publish(bytes).await?;
        Ok(Stored { bytes: size, hash })
    }

    /// Reads a whole blob into memory that is not soon read again: on the local disk it leaves the page cache.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] and [`BlobError::Unavailable`].
    pub async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        match &self.0 {
            Backend::Local(disk) => read::whole_file_once(key, disk.path(key)).await,
            Backend::Object(store, _) => object::get(&**store, key).await,
        }
    }

    /// Streams a blob, or `range` of it (bytes, end excluded, within the blob).
    ///
    /// # Errors
    /// [`BlobError::NotFound`], and [`BlobError::Unavailable`], also for a range that does not lie within the blob.
    pub async fn read(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<BlobRead, BlobError> {
        match &self.0 {
            Backend::Local(disk) => read::file(key, disk.path(key), range).await,
            Backend::Object(store, _) => object::read(&**store, key, range).await,
        }
    }

    /// Deletes one blob and the folders that become empty; a missing one is no error.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        match &self.0 {
            Backend::Local(disk) => {
                let key = key.clone();
                on_disk(disk, move |disk| Ok(disk.delete(&key)?)).await
            }
            Backend::Object(store, _) => object::delete(&**store, key).await,
        }
    }

    /// Deletes the folder of one lease of a task: outputs that will never count.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn delete_lease(&self, task: TaskId, lease: LeaseId) -> Result<(), BlobError> {
        match &self.0 {
            Backend::Local(disk) => on_disk(disk, move |disk| Ok(disk.delete_lease(task, lease)?)).await,
            Backend::Object(store, _) => object::delete_folder(&**store, &lease_folder(task, lease)).await,
        }
    }

    /// The leases of a task that have a folder, in no particular order: what attempts delivered, or left behind when
    /// they died before they could tidy up.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn leases(&self, task: TaskId) -> Result<Vec<LeaseId>, BlobError> {
        match &self.0 {
            Backend::Local(disk) => on_disk(disk, move |disk| Ok(leases_of(&disk, task)?)).await,
            Backend::Object(store, _) => object::leases_of(&**store, task).await,
        }
    }

    /// Deletes all blobs of a task, staging files included; a task without any is no error.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn delete_task(&self, task: TaskId) -> Result<(), BlobError> {
        match &self.0 {
            Backend::Local(disk) => on_disk(disk, move |disk| Ok(disk.delete_task(task)?)).await,
            Backend::Object(store, _) => object::delete_folder(&**store, &task_folder(task)).await,
        }
    }

    /// Tasks that have blobs or staging files, all of which are older than `age`. For the janitor.
    ///
    /// On the local disk an empty folder of a task counts like a file in it. Memory is bounded by the largest of the
    /// 256 shards.
    pub fn tasks_older_than(&self, age: Duration) -> BoxStream<'static, Result<TaskId, BlobError>> {
        let disk = match &self.0 {
            Backend::Local(disk) => Arc::clone(disk),
            Backend::Object(store, _) => return object::tasks_older_than(&**store, age),
        };
        stream::iter(every_shard())
            .then(move |shard| {
                let disk = Arc::clone(&disk);
                blocking(move || Ok(tasks_in_shard(&disk, &shard, age)))
            })
            .flat_map(|found| {
                let tasks = match found {
                    Ok(tasks) => tasks.into_iter().map(|task| task.map_err(BlobError::from)).collect(),
                    Err(error) => vec![Err(error)],
                };
                stream::iter(tasks)
            })
            .boxed()
    }

    /// Deletes staging files that nobody has written to for `age`; returns how many.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]; what could be swept is.
    pub async fn sweep_staging(&self, age: Duration) -> Result<u64, BlobError> {
        let Backend::Local(disk) = &self.0 else {
            // Parts of an unfinished upload are invisible there, and expire by the store's own rules.
            return Ok(0);
        };
        let mut swept = 0;
        let mut first_error = None;
        for shard in every_shard() {
            match on_disk(disk, move |disk| Ok(sweep_shard(&disk, &shard, age)?)).await {
                Ok(count) => swept += count,
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(swept), Err)
    }

    /// The installation whose blobs these are; `None` before [`BlobStore::note_installation`].
    ///
    /// # Errors
    /// [`BlobError::Unavailable`], also when the note cannot be read.
    pub async fn installation(&self) -> Result<Option<InstallationId>, BlobError> {
        let key = BlobKey::installation();
        let found = match &self.0 {
            Backend::Local(disk) => on_disk(disk, move |disk| Ok(disk.read_note(&key)?)).await?,
            Backend::Object(store, _) => match object::get(&**store, &key).await {
                Ok(note) => Some(note.into()),
                Err(BlobError::NotFound(_)) => None,
                Err(error) => return Err(error),
            },
        };
        let parse = |note: Vec<u8>| String::from_utf8_lossy(&note).parse().map_err(BlobError::unavailable);
        found.map(parse).transpose()
    }

    /// Notes durably whose blobs these are, in place of what was noted before.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Unavailable`].
    pub async fn note_installation(&self, id: InstallationId) -> Result<(), BlobError> {
        let key = BlobKey::installation();
        let note = format!("{id}\n");
        match &self.0 {
            Backend::Local(disk) => on_disk(disk, move |disk| Ok(disk.write_note(&key, note.as_bytes())?)).await,
            Backend::Object(..) => self.put(&key, note.into()).await.map(drop),
        }
    }

    /// Whether the store answers and could store a blob now.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Unavailable`].
    pub async fn check(&self) -> Result<(), BlobError> {
        match &self.0 {
            Backend::Local(disk) => on_disk(disk, |disk| disk.check()).await,
            Backend::Object(store, _) => object::check(&**store).await,
        }
    }

    fn sink(&self, key: &BlobKey) -> Sink {
        match &self.0 {
            Backend::Local(disk) => Sink::local(Arc::clone(disk), key.clone()),
            Backend::Object(store, _) => Sink::object(ObjectUpload::new(Arc::clone(store), key)),
        }
    }
}

async fn on_disk<T: Send + 'static>(
    disk: &Arc<Disk>,
    work: impl FnOnce(Arc<Disk>) -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    let disk = Arc::clone(disk);
    blocking(move || work(disk)).await
}
