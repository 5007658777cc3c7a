//! What SQLite reports, turned into what a caller can do about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use rustix::io::Errno;

use crate::BrokerError;

/// A database that cannot be opened, copied or put back.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite keeps its promises only on a file system of this machine.
    #[error(
        "{} lies on a network file system ({kind}), where SQLite's locks and write-ahead log cannot be relied on; choose a folder on a local disk",
        path.display()
    )]
    NetworkFileSystem {
        /// The database.
        path: PathBuf,
        /// The file system, as the system calls it.
        kind: String,
    },
    /// The file was written by a later release.
    #[error(
        "{} has database version {found}, this pixmill knows versions up to {known}; use the release that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The latest version this build can read.
        known: i64,
    },
    /// The file is no database of pixmill's.
    #[error("{} is not a pixmill database: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What gives it away.
        reason: String,
    },
    /// The file contradicts itself.
    #[error("{} is damaged: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first problem SQLite found.
        problem: String,
    },
    /// Another process, or another broker of this one, has the database open.
    #[error("{} is in use; stop every pixmill that has it open first", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The SQLite library that was linked has a known defect.
    #[error("SQLite {found} is too old, at least {required} is needed: earlier ones can corrupt a shared database")]
    SqliteTooOld {
        /// The library's version.
        found: String,
        /// The oldest that is good.
        required: &'static str,
    },
    /// A backup never takes the place of a file.
    #[error("{} exists already; name a file that does not, or remove it first", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("cannot {action} the database {}", path.display())]
    Database {
        /// What was tried: a verb.
        action: &'static str,
        /// The database.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    /// SQLite refused to `action` the database at `path`.
    pub(super) fn database(action: &'static str, path: &Path, source: rusqlite::Error) -> Self {
        Self::Database {
            action,
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// Why an operation did not do what was asked.
#[derive(Debug)]
pub(super) enum OperationError {
    /// The answer is no; the database is well.
    Refused(BrokerError),
    /// The database is not well: nothing of the transaction stands.
    Storage(rusqlite::Error),
}

impl From<BrokerError> for OperationError {
    fn from(error: BrokerError) -> Self {
        Self::Refused(error)
    }
}

impl From<pixmill_types::IllegalTransition> for OperationError {
    fn from(error: pixmill_types::IllegalTransition) -> Self {
        Self::Refused(error.into())
    }
}

impl From<rusqlite::Error> for OperationError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Refused(BrokerError::Corrupt(error.to_string())),
            rusqlite::Error::SqliteFailure(cause, _) if cause.code == ErrorCode::ConstraintViolation => {
                Self::Refused(BrokerError::Corrupt(error.to_string()))
            }
            other => Self::Storage(other),
        }
    }
}

impl From<OperationError> for BrokerError {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Refused(refusal) => refusal,
            OperationError::Storage(cause) => Self::Unavailable(Box::new(cause)),
        }
    }
}

/// A failure of the storage that every request of a transaction shares.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction failed")]
pub(super) struct StorageFailure {
    source: Arc<rusqlite::Error>,
    is_full: bool,
}

impl StorageFailure {
    /// The failure `error` of a call that the system refused for the reason `errno`.
    pub(super) fn new(error: rusqlite::Error, errno: Option<Errno>) -> Self {
        // SQLite knows one reason for a full disk. Quotas and limits are others.
        let is_full = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            Some(ErrorCode::SystemIoFailure) => {
                matches!(errno, Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG))
            }
            _ => false,
        };
        Self {
            source: Arc::new(error),
            is_full,
        }
    }
}

impl From<StorageFailure> for BrokerError {
    fn from(failure: StorageFailure) -> Self {
        if failure.is_full {
            Self::StorageFull(Box::new(failure))
        } else {
            Self::Unavailable(Box::new(failure))
        }
    }
}

/// The writer or the readers are gone: the broker is shutting down, or one of them panicked.
#[derive(Debug, thiserror::Error)]
#[error("the database threads have stopped")]
pub(super) struct Stopped;

impl From<Stopped> for BrokerError {
    fn from(stopped: Stopped) -> Self {
        Self::Unavailable(Box::new(stopped))
    }
}
