//! The store on a local disk: folders, atomic and durable publication, deletion, and the walks of the janitor.
//!
//! Everything here blocks; callers come through [`blocking`]. It is our own code and not `object_store`'s
//! `LocalFileSystem` for the reasons in `docs/adr/0001-local-blobs-are-written-by-our-own-code.md`.

mod delete;
mod folders;
mod note;
mod stage;
mod walk;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pixmill_types::DiskSync;

use crate::error::DiskError;
use crate::key::TASKS;
use crate::{BlobError, BlobKey};
use folders::Unsynced;

pub(crate) use stage::{Published, Staged};
pub(crate) use walk::{every_shard, leases_of, sweep_shard, tasks_in_shard};

/// Owner reads and writes, the group reads, nobody else sees the images.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// Room below which the store counts as full, bytes: less than one photo.
const LEAST_FREE_BYTES: u64 = 1 << 20;

/// A folder on a local disk that holds blobs.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    sync: DiskSync,
    unsynced: Arc<Unsynced>,
    /// The installation was seen to be noted here.
    is_noted: AtomicBool,
}

impl Disk {
    /// Makes the root and the 256 shards where they are missing, durably. They are never removed again, so an upload
    /// need not ask whether somebody else's shard has reached the disk yet.
    pub(crate) fn open(root: &Path, sync: DiskSync) -> Result<Self, DiskError> {
        let root = std::path::absolute(root).map_err(DiskError::at("resolve", root))?;
        make_root(&root)?;
        let disk = Self {
            root,
            sync,
            unsynced: Arc::default(),
            is_noted: AtomicBool::new(false),
        };
        disk.make_shards()?;
        Ok(disk)
    }

    /// Where the blob `key` lies.
    pub(crate) fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    fn tasks(&self) -> PathBuf {
        self.root.join(TASKS)
    }

    fn make_shards(&self) -> Result<(), DiskError> {
        let tasks = self.tasks();
        make_folder(&tasks)?;
        for shard in every_shard() {
            make_folder(&tasks.join(shard))?;
        }
        // Also when nothing was missing: whoever made them may have died before syncing.
        sync_folder(&tasks)?;
        sync_folder(&self.root)
    }

    /// Whether a blob could be written now, without writing one: the folder takes entries, the file system has blocks
    /// and inodes left. Quotas are not looked at.
    pub(crate) fn check(&self) -> Result<(), BlobError> {
        use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
        self.check_note()?;
        let tasks = self.tasks();
        let failed = |errno: rustix::io::Errno| DiskError::new("write to", &tasks, errno.into());
        access(&tasks, Access::WRITE_OK | Access::EXEC_OK).map_err(failed)?;
        let space = statvfs(&tasks).map_err(failed)?;
        if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(failed(rustix::io::Errno::ROFS).into());
        }
        let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
        // Some file systems make inodes as they need them and report none at all.
        let no_inodes = space.f_files > 0 && space.f_favail == 0;
        if free_bytes < LEAST_FREE_BYTES || no_inodes {
            return Err(failed(rustix::io::Errno::NOSPC).into());
        }
        Ok(())
    }
}

/// Runs `work` on a thread that may block.
///
/// # Cancel safety
/// When the future is dropped, `work` still runs to its end and its result is dropped there.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(BlobError::unavailable(cancelled)),
        },
    }
}

/// Makes `root` and its missing ancestors, and syncs every folder that got a new entry.
fn make_root(root: &Path) -> Result<(), DiskError> {
    let missing: Vec<&Path> = root.ancestors().take_while(|folder| !folder.exists()).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(root)
        // Told to be there where it cannot be looked at: why not says more.
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => root.metadata().err().unwrap_or(error),
            _ => error,
        })
        .map_err(DiskError::at("make folder", root))?;
    for made in missing {
        if let Some(parent) = made.parent() {
            sync_folder(parent)?;
        }
    }
    Ok(())
}

/// Makes one folder; says whether it was missing.
fn make_folder(folder: &Path) -> Result<bool, DiskError> {
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(DiskError::new("make folder", folder, error)),
    }
}

/// Makes the entries of `folder` durable.
fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(DiskError::at("sync folder", folder))
}

/// Removes `folder` if nothing is left in it. Otherwise, or when somebody else was faster, there is nothing to do.
fn remove_if_empty(folder: &Path) {
    match fs::remove_dir(folder) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {}
        Err(error) => tracing::warn!(folder = %folder.display(), %error, "cannot remove an empty folder"),
    }
}

/// Turns "it is gone already" into success.
fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
