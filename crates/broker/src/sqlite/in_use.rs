//! Who has a database open: brokers hold a lock file beside it shared, whoever replaces the database holds it alone.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::FILE_MODE;
use super::error::OpenError;

/// The lock, held until this is dropped. Its file stays, since deleting it would let two hold it at once.
#[derive(Debug)]
pub(super) struct InUse {
    _file: File,
    path: PathBuf,
}

impl InUse {
    /// The lock of a broker: others may have it, too.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while the database is being replaced.
    pub(super) fn shared(database: &Path) -> Result<Self, OpenError> {
        Self::take(database, File::try_lock_shared)
    }

    /// The lock of whoever replaces the database.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while any broker has it open.
    pub(super) fn alone(database: &Path) -> Result<Self, OpenError> {
        Self::take(database, File::try_lock)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn take(database: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> Result<Self, OpenError> {
        let path = lock_path(database);
        let io = |source| OpenError::Io {
            action: "lock",
            path: path.clone(),
            source,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(io)?;
        match lock(&file) {
            Ok(()) => Ok(Self { _file: file, path }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: database.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}
