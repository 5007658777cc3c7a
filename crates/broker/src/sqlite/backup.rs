//! Copies of a database in use, and how one is put back.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::connection::{self, Role};
use super::error::OpenError;
use super::in_use::InUse;
use super::{filesystem, folder_of, schema};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Size of the copy, bytes.
    pub bytes: u64,
    /// Task records in it.
    pub tasks: u64,
}

/// See [`super::SqliteBroker::backup_file`].
pub(super) fn backup(source: &Path, target: &Path) -> Result<BackupReport, OpenError> {
    refuse_existing(target)?;
    let from = connection::open(source, Role::Reader).map_err(database("open", source))?;
    if schema::identify(&from, source)? == 0 {
        return Err(OpenError::Foreign {
            path: source.to_owned(),
            reason: "it is empty".to_owned(),
        });
    }
    let partial = Partial::beside(target);
    copy(&from, &partial.path)?;
    let report = validate(&partial.path)?;
    partial.publish_new(target)?;
    Ok(report)
}

/// See [`super::SqliteBroker::restore`].
pub(super) fn restore(source: &Path, target: &Path) -> Result<BackupReport, OpenError> {
    let folder = folder_of(target);
    super::make_folder(folder)?;
    filesystem::check(folder, target)?;
    let alone = InUse::alone(target)?;
    give_to_owner_of(folder, alone.path())?;
    let from = open_copy(source)?;
    validate_connection(&from, source)?;
    let partial = Partial::beside(target);
    copy(&from, &partial.path)?;
    start_new_log(&partial.path)?;
    let report = validate(&partial.path)?;
    give_to_owner_of(folder, &partial.path)?;
    retire_log(target)?;
    partial.replace(target)?;
    Ok(report)
}

fn database<'a>(action: &'static str, path: &'a Path) -> impl Fn(rusqlite::Error) -> OpenError + 'a {
    move |source| OpenError::database(action, path, source)
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> OpenError + 'a {
    move |source| OpenError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

fn exists(target: &Path) -> OpenError {
    OpenError::Exists {
        path: target.to_owned(),
    }
}

fn refuse_existing(target: &Path) -> Result<(), OpenError> {
    if fs::symlink_metadata(target).is_ok() {
        return Err(exists(target));
    }
    Ok(())
}

/// A file under another name until it is whole. Removed when it never is.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn beside(target: &Path) -> Self {
        let mut name = target.as_os_str().to_owned();
        name.push(format!(".partial-{:016x}", rand::random::<u64>()));
        Self { path: name.into() }
    }

    /// Gives the file its name, unless another file has come to have it.
    fn publish_new(self, target: &Path) -> Result<(), OpenError> {
        self.sync()?;
        fs::hard_link(&self.path, target).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(target),
            _ => io("back up to", target)(error),
        })?;
        sync_folder(target)
    }

    /// Gives the file its name, in the place of the one that had it.
    fn replace(self, target: &Path) -> Result<(), OpenError> {
        self.sync()?;
        fs::rename(&self.path, target).map_err(io("replace", target))?;
        sync_folder(target)
    }

    fn sync(&self) -> Result<(), OpenError> {
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(io("write", &self.path))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already when it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

/// What root restores belongs to whoever its folder belongs to: a service could not open it otherwise.
fn give_to_owner_of(folder: &Path, file: &Path) -> Result<(), OpenError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(folder).map_err(io("examine", folder))?;
    // A link that the service has put there is not followed: root would give away what it points to.
    lchown(file, Some(owner.uid()), Some(owner.gid())).map_err(io("give away", file))
}

fn sync_folder(file: &Path) -> Result<(), OpenError> {
    let folder = folder_of(file);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(io("write", folder))
}

/// Copies all pages in one read transaction: later commits neither delay it nor show in it.
fn copy(from: &Connection, target: &Path) -> Result<(), OpenError> {
    let mut to = Connection::open(target).map_err(database("make", target))?;
    let copied = Backup::new(from, &mut to).and_then(|backup| backup.step(-1).map(|_| ()));
    copied.map_err(database("copy to", target))?;
    // One plain file: without this, even looking at the copy would leave a log beside it.
    let mode: String = to
        .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))
        .map_err(database("finish", target))?;
    debug_assert_eq!(mode, "delete");
    to.close().map_err(|(_, source)| database("finish", target)(source))
}

fn open_copy(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(database("open", path))
}

fn validate(path: &Path) -> Result<BackupReport, OpenError> {
    validate_connection(&open_copy(path)?, path)
}

fn validate_connection(connection: &Connection, path: &Path) -> Result<BackupReport, OpenError> {
    if schema::identify(connection, path)? == 0 {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: "it is empty".to_owned(),
        });
    }
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(database("check", path))?;
    if verdict != "ok" {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            problem: verdict,
        });
    }
    let tasks: i64 = connection
        .query_row("SELECT coalesce(sum(amount), 0) FROM counts", [], |row| row.get(0))
        .map_err(database("check", path))?;
    Ok(BackupReport {
        bytes: fs::metadata(path).map_err(io("examine", path))?.len(),
        tasks: u64::try_from(tasks).unwrap_or(0),
    })
}

/// Makes cursors from the time after the backup known for what they are.
fn start_new_log(path: &Path) -> Result<(), OpenError> {
    let connection = Connection::open(path).map_err(database("open", path))?;
    connection
        .execute(
            "UPDATE meta SET value = ?1 WHERE name = 'log_epoch'",
            [i64::from(rand::random::<u32>())],
        )
        .map_err(database("prepare", path))?;
    connection
        .close()
        .map_err(|(_, source)| database("prepare", path)(source))
}

/// Removes the log of the database that is about to be replaced: SQLite would take it for the new one's.
///
/// As long as the old one is sound, its log goes into it first, so that a crash in between costs nothing.
fn retire_log(target: &Path) -> Result<(), OpenError> {
    if fs::exists(target).map_err(io("examine", target))? {
        let retired = Connection::open(target).and_then(|old| {
            let mode: String = old.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
            Ok(mode)
        });
        match retired {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => {
                return Err(OpenError::InUse {
                    path: target.to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                return Err(OpenError::InUse {
                    path: target.to_owned(),
                });
            }
            Err(error) => tracing::warn!(%error, "the database to be replaced is not sound"),
        }
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut name = target.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", Path::new(&name))(error));
            }
            _ => {}
        }
    }
    sync_folder(target)
}
