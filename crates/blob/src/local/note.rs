//! The one small file beside the tasks.

use std::fs;
use std::io::Write;

use super::stage::create_staging;
use super::{Disk, sync_folder, unless_missing};
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

    /// Writes a small file whole and durably, whatever was there. Many may at once.
    pub(crate) fn write_note(&self, key: &BlobKey, note: &[u8]) -> Result<(), DiskError> {
        let path = self.path(key);
        let (mut file, staging) = create_staging(&path)?;
        let written = file
            .write_all(note)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&staging, &path));
        if let Err(error) = written {
            // Whether it can be removed or not: it is in nobody's way.
            let _ = fs::remove_file(&staging);
            return Err(DiskError::new("write", path, error));
        }
        sync_folder(&self.root)
    }
}
