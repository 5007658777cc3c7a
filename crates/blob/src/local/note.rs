//! The one small file beside the tasks.

use std::fs;
use std::io::Write;
use std::sync::atomic::Ordering;

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
        self.saw(key, note.is_some());
        Ok(note)
    }

    /// Whether the folder still says whose it is, if it once did: one that was removed and made again, or lies where something
    /// was mounted, takes files that nobody will find.
    pub(crate) fn check_note(&self) -> Result<(), DiskError> {
        if !self.is_noted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let path = self.path(&BlobKey::installation());
        let gone = DiskError::at("find what says whose folder this is,", &path);
        fs::metadata(&path).map(drop).map_err(gone)
    }

    fn saw(&self, key: &BlobKey, is_there: bool) {
        if is_there && *key == BlobKey::installation() {
            self.is_noted.store(true, Ordering::Relaxed);
        }
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
        sync_folder(&self.root)?;
        self.saw(key, true);
        Ok(())
    }
}
