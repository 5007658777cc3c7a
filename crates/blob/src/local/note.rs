//! The one small file beside the tasks.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use super::{Disk, FILE_MODE, sync_folder, unless_missing};
use crate::BlobKey;
use crate::error::DiskError;

impl Disk {
    /// Reads a small file whole; `None` when it is not there.
    pub(crate) fn read_note(&self, key: &BlobKey) -> Result<Option<Vec<u8>>, DiskError> {
        let path = self.path(key);
        let mut note = None;
        unless_missing(fs::read(&path).map(|bytes| note = Some(bytes))).map_err(DiskError::at("read", &path))?;
        Ok(note)
    }

    /// Writes a small file whole and durably, whatever was there. Two that write the same at once do no harm.
    pub(crate) fn write_note(&self, key: &BlobKey, note: &[u8]) -> Result<(), DiskError> {
        let path = self.path(key);
        let staging = path.with_added_extension(std::process::id().to_string());
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(FILE_MODE)
                .open(&staging)?;
            file.write_all(note)?;
            file.sync_all()?;
            fs::rename(&staging, &path)
        };
        if let Err(error) = write() {
            // Whether it can be removed or not: the next process writes over it.
            let _ = fs::remove_file(&staging);
            return Err(DiskError::new("write", path, error));
        }
        sync_folder(&self.root)
    }
}
