//! What is in the file: who made it, which version it has, and how it gets to this build's version.

use std::path::Path;

use pixmill_types::Priority;
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::OpenError;
use super::rows::timestamp;
use crate::{BrokerOptions, policy};

/// `pxml` in the file's header marks it as ours.
pub(super) const APPLICATION_ID: i64 = 0x7078_6d6c;
/// One a version: the first makes version 1 of an empty file. Never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_ended.sql"),
];
/// SQLite before this can corrupt a database in WAL mode that several connections write to.
const OLDEST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// The version this build writes.
pub(super) const fn latest_version() -> i64 {
    MIGRATIONS.len() as i64
}

/// Refuses an SQLite with a known defect.
///
/// # Errors
/// [`OpenError::SqliteTooOld`].
pub(super) fn check_library() -> Result<(), OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE.0 {
        return Err(OpenError::SqliteTooOld {
            found: rusqlite::version().to_owned(),
            required: OLDEST_SQLITE.1,
        });
    }
    Ok(())
}

/// Why the first look into the file failed.
pub(super) fn unreadable(path: &Path, source: rusqlite::Error) -> OpenError {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::Foreign {
            path: path.to_owned(),
            reason: "it is not an SQLite file".to_owned(),
        },
        _ => OpenError::database("open", path, source),
    }
}

/// Refuses a file that is not ours or is of a later release; returns its version, 0 for an empty file.
///
/// # Errors
/// [`OpenError::Foreign`], [`OpenError::Newer`], [`OpenError::Database`].
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let read = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables = || connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let values = read("application_id").and_then(|id| Ok((id, read("user_version")?, tables()?)));
    let (application_id, version, tables) = values.map_err(|source| unreadable(path, source))?;
    if (application_id, version, tables) == (0, 0, 0) {
        return Ok(0);
    }
    if application_id != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: format!("its application id is {application_id:#x}, expected {APPLICATION_ID:#x}"),
        });
    }
    if version > latest_version() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: version,
            known: latest_version(),
        });
    }
    Ok(version)
}

/// Brings the file to this build's version, in one transaction.
///
/// # Errors
/// As [`identify`].
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let database = |source| OpenError::database("migrate", path, source);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(database)?;
    // Again, now that no other process can be at it.
    let version = identify(&transaction, path)?;
    let done = usize::try_from(version).unwrap_or(0);
    let migrated = MIGRATIONS[done..]
        .iter()
        .try_for_each(|migration| transaction.execute_batch(migration))
        .and_then(|()| transaction.pragma_update(None, "application_id", APPLICATION_ID))
        .and_then(|()| transaction.pragma_update(None, "user_version", latest_version()));
    migrated.and_then(|()| transaction.commit()).map_err(database)
}

/// Puts the queues in order anew when the speed of ageing was changed: it is part of every sort key.
pub(super) fn apply_ageing(connection: &mut Connection, options: &BrokerOptions) -> rusqlite::Result<()> {
    let wanted = i64::try_from(options.ageing.as_millis()).unwrap_or(i64::MAX);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known: i64 = transaction.query_row("SELECT value FROM meta WHERE name = 'ageing_ms'", [], |row| row.get(0))?;
    if known == wanted {
        return Ok(());
    }
    {
        let mut select = transaction
            .prepare("SELECT seq, priority, ready_since FROM tasks WHERE stage IN ('ready', 'delayed', 'running')")?;
        let mut update = transaction.prepare("UPDATE tasks SET sort_key = ?1 WHERE seq = ?2")?;
        let placed: Vec<(i64, u8, i64)> = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (seq, priority, since) in placed {
            let priority = Priority::try_from(priority).unwrap_or_default();
            update.execute(params![policy::sort_key(timestamp(since), priority, options), seq])?;
        }
    }
    transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'ageing_ms'", [wanted])?;
    transaction.commit()
}
