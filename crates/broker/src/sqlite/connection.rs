//! How a connection to the database is opened and set up, and how long it waits for another process.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// How long a connection waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the checkpointer waits. While it waits for a reader to end, a backup say, it holds the lock that writers
/// need, so it gives up soon and tries again later.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(100);
/// First pause of a connection that waits; doubles up to [`BUSY_PAUSE_MAX`].
const BUSY_PAUSE_MIN: Duration = Duration::from_micros(100);
/// Longest pause of a connection that waits.
const BUSY_PAUSE_MAX: Duration = Duration::from_millis(5);
/// What is left of a log that had to grow, once it starts anew, bytes.
const LOG_MAX_BYTES: i64 = 64 * 1024 * 1024;
/// Statements a connection keeps prepared: more than there are.
const STATEMENTS: usize = 128;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that writes; makes the file when there is none.
    Writer,
    /// Reads only.
    Reader,
    /// Moves the write-ahead log into the database.
    Checkpointer,
}

/// Opens a connection.
///
/// # Errors
/// As SQLite reports them.
pub(super) fn open(path: &Path, role: Role) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if role == Role::Writer {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut connection = Connection::open_with_flags(path, flags)?;
    let patience = match role {
        Role::Writer | Role::Reader => BUSY_TIMEOUT,
        Role::Checkpointer => CHECKPOINT_TIMEOUT,
    };
    wait_when_busy(&mut connection, patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans must not depend on bound values: SQLite would plan some statements anew at every use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The checkpointer's thread does what an automatic checkpoint would do in the middle of somebody's commit.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS a plain fsync leaves the bytes in the drive's cache. Elsewhere these have no effect.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    match role {
        Role::Writer => {
            connection.pragma_update(None, "cache_size", -8 * 1024)?;
            connection.pragma_update(None, "journal_size_limit", LOG_MAX_BYTES)?;
        }
        Role::Reader => {
            connection.pragma_update(None, "cache_size", -2 * 1024)?;
            connection.pragma_update(None, "query_only", true)?;
        }
        Role::Checkpointer => {}
    }
    Ok(connection)
}

/// Lets a connection try again, after short pauses of random length and for as long as `patience`, while another one
/// holds the lock it needs.
fn wait_when_busy(connection: &mut Connection, patience: Duration) -> rusqlite::Result<()> {
    let mut began = Instant::now();
    connection.busy_handler(Some(move |tries: i32| {
        if tries == 0 {
            began = Instant::now();
        }
        if began.elapsed() >= patience {
            return false;
        }
        let doubled = BUSY_PAUSE_MIN
            .saturating_mul(1 << tries.clamp(0, 10))
            .min(BUSY_PAUSE_MAX);
        thread::sleep(doubled.mul_f64(rand::random_range(0.5..1.0)));
        true
    }))
}
