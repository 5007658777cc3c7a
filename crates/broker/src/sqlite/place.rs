//! Whether a path still leads to the database that was opened there.
//!
//! A folder that was removed, moved aside or mounted over leaves its open files usable: SQLite would go on committing to one that
//! nobody finds after a restart, and every such task would have been acknowledged.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::ffi;

/// Where the database was opened, and which file that was.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// Device and number of the file.
    file: (u64, u64),
}

impl Place {
    /// The place of the database at `path`, which is open.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: std::path::absolute(path)?,
            file: identity(path)?,
        })
    }

    /// Fails as SQLite does for a file that it finds moved, where the path leads elsewhere or nowhere.
    pub(super) fn check(&self) -> Result<(), rusqlite::Error> {
        match identity(&self.path) {
            Ok(found) if found == self.file => Ok(()),
            Ok(_) => Err(self.moved("another file is")),
            Err(error) => Err(self.moved(&format!("it cannot be found ({error})"))),
        }
    }

    fn moved(&self, how: &str) -> rusqlite::Error {
        let path = self.path.display();
        rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_READONLY_DBMOVED),
            Some(format!(
                "the database is no longer at {path}, {how} there: its folder was moved, removed or mounted over"
            )),
        )
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| identity_of(&found))
}

/// Device and number, which no other file has while this one is open.
pub(super) fn identity_of(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
