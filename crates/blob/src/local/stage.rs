//! Publication: write a staging file, sync it, rename it, sync the folders. Whatever is given up on the way is removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fail::fail_point;
use pixmill_types::DiskSync;

use super::folders::Folders;
use super::{Disk, FILE_MODE, unless_missing};
use crate::BlobKey;
use crate::error::DiskError;

/// How often folders are made again when a concurrent removal takes them away between two calls.
const FOLDER_ATTEMPTS: usize = 16;

/// Stands between a blob's name and the number of a staging file; no [`pixmill_types::Segment`] contains it.
pub(super) const STAGING_MARK: char = '#';

/// A file that is removed on drop, with the folders made for it.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// `None` once it is kept.
    folders: Option<Folders>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.folders.is_none() {
            return;
        }
        if let Err(error) = unless_missing(fs::remove_file(&self.file)) {
            tracing::warn!(file = %self.file.display(), %error, "cannot remove what was staged, the janitor will");
        }
    }
}

/// A blob that is being written and that nobody can see yet. Dropping it removes it, folders included.
#[derive(Debug)]
pub(crate) struct Staged {
    // Closed before the place is removed: fields drop in order.
    file: File,
    place: Place,
    destination: PathBuf,
    sync: DiskSync,
}

/// A blob that is visible and durable, and that is removed on drop unless it is kept: the caller may have left while
/// it was published.
#[derive(Debug)]
pub(crate) struct Published(Place);

impl Published {
    /// Leaves the blob where it is.
    pub(crate) fn keep(mut self) {
        if let Some(folders) = self.0.folders.take() {
            folders.keep();
        }
    }
}

impl Staged {
    /// Opens a staging file beside where `key` will be.
    pub(crate) fn create(disk: &Disk, key: &BlobKey) -> Result<Self, DiskError> {
        let destination = disk.path(key);
        disk.check_note()?;
        let missing = || DiskError::new("make folder", &destination, io::ErrorKind::NotFound.into());
        let leaf = destination.parent().ok_or_else(missing)?;
        let task = leaf.parent().ok_or_else(missing)?;
        for _ in 0..FOLDER_ATTEMPTS {
            let folders = match Folders::make(&disk.unsynced, [task, leaf]) {
                Ok(folders) => folders,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    // Somebody removed the shard by hand, or the task's folder in between.
                    disk.make_shards()?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match create_staging(&destination) {
                Ok((file, path)) => {
                    let place = Place {
                        file: path,
                        folders: Some(folders),
                    };
                    return Ok(Self {
                        file,
                        place,
                        destination,
                        sync: disk.sync,
                    });
                }
                // An upload that gave up removed the folder it had made before our file was in it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(missing())
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file
            .write_all(bytes)
            .map_err(DiskError::at("write", &self.place.file))
    }

    /// Makes the blob visible and durable. The order of the calls is what keeps the promise: content before name,
    /// name before return.
    pub(crate) fn publish(self) -> Result<Published, DiskError> {
        let Self {
            file,
            mut place,
            destination,
            sync,
        } = self;
        fail_point!("blob.staged", |_| std::process::abort());
        if sync == DiskSync::Always {
            file.sync_all().map_err(DiskError::at("sync", &place.file))?;
        }
        drop(file);
        fail_point!("blob.synced", |_| std::process::abort());
        fs::rename(&place.file, &destination).map_err(DiskError::at("publish", &destination))?;
        place.file = destination;
        fail_point!("blob.renamed", |_| std::process::abort());
        if let Some(folders) = &place.folders
            && sync == DiskSync::Always
        {
            folders.sync()?;
        }
        fail_point!("blob.published", |_| std::process::abort());
        Ok(Published(place))
    }
}

/// Opens the first staging file of `destination` that nobody else uses.
pub(super) fn create_staging(destination: &Path) -> Result<(File, PathBuf), DiskError> {
    let mut number = 1_u64;
    loop {
        let mut name = destination.as_os_str().to_owned();
        name.push(format!("{STAGING_MARK}{number}"));
        let path = PathBuf::from(name);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path);
        match opened {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(DiskError::new("create", path, error)),
        }
    }
}
