//! What can go wrong, and which of the callers' three reactions an error of the disk or the store calls for.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::BlobKey;

/// What can go wrong at the blob store, split by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("there is no blob {0}")]
    NotFound(String),
    /// The storage has no room: nothing was stored, it may heal.
    #[error("the blob store is full")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// The store cannot be reached, or refuses.
    #[error("the blob store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl BlobError {
    pub(crate) fn unavailable(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(reason.into())
    }

    /// An error of reading `key` from an object store.
    pub(crate) fn reading(key: &BlobKey, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound(key.as_str().to_owned()),
            other => Self::from(other),
        }
    }
}

/// A call to the local disk that failed, with what it was about.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub(crate) struct DiskError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl DiskError {
    pub(crate) fn new(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self {
            action,
            path: path.into(),
            source,
        }
    }

    /// For `map_err`: says what was done to which path when it failed.
    pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::new(action, path, source)
    }

    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl From<DiskError> for BlobError {
    fn from(error: DiskError) -> Self {
        if is_full(&error.source) {
            Self::Full(Box::new(error))
        } else {
            Self::Unavailable(Box::new(error))
        }
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if current.downcast_ref::<io::Error>().is_some_and(is_full) {
                return Self::Full(Box::new(error));
            }
            cause = current.source();
        }
        Self::Unavailable(Box::new(error))
    }
}

/// No space, no quota, or past the size a file may have: more room would heal it.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_room_would_heal_are_full() {
        let full = [
            rustix::io::Errno::NOSPC,
            rustix::io::Errno::DQUOT,
            rustix::io::Errno::FBIG,
        ];
        for errno in full {
            let disk = DiskError::new("write", "/data", errno.into());
            assert!(matches!(BlobError::from(disk), BlobError::Full(_)), "{errno}");
            let wrapped = object_store::Error::Generic {
                store: "test",
                source: Box::new(io::Error::from(errno)),
            };
            assert!(matches!(BlobError::from(wrapped), BlobError::Full(_)), "{errno}");
        }
        for errno in [
            rustix::io::Errno::IO,
            rustix::io::Errno::ROFS,
            rustix::io::Errno::ACCESS,
        ] {
            let disk = DiskError::new("write", "/data", errno.into());
            assert!(matches!(BlobError::from(disk), BlobError::Unavailable(_)), "{errno}");
        }
    }
}
