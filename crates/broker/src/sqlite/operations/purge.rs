//! What has had its time goes.

use pixmill_types::TaskId;
use rusqlite::{Connection, params};

use super::super::rows::{TaskRow, clamped, millis, task_id};
use super::super::step::{Outcome, Step, trim_events};
use super::leases::revoke;

/// What storing a task writes to the log when it comes alone: a dozen pages of tables and indexes, and some to spare.
const PROBE_BYTES: i64 = 64 * 1024;

/// Forgets what leaves nothing to be done: `?1` is the time, `?2` how many rows at most.
const FORGET: [&str; 2] = [
    "DELETE FROM idempotency WHERE key IN \
     (SELECT key FROM idempotency WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    "DELETE FROM registry WHERE (namespace, key) IN (SELECT namespace, key FROM registry \
     WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
];

/// Deletes up to `limit` expired records, idempotency keys and registry entries together, in this order, and returns how
/// many. Trims the log by as much, which is not counted: every commit trims it.
pub(in super::super) fn purge(step: &mut Step<'_>, limit: usize) -> Outcome<u64> {
    let mut purged = purge_records(step, limit)?;
    for forget in FORGET {
        let left = clamped((limit as u64).saturating_sub(purged));
        let mut statement = step.connection.prepare_cached(forget)?;
        purged += statement.execute(params![millis(step.now), left])? as u64;
    }
    trim_events(step.connection, step.options.max_events, limit as u64)?;
    Ok(purged)
}

fn purge_records(step: &mut Step<'_>, limit: usize) -> Outcome<u64> {
    let expired: Vec<i64> = step
        .connection
        .prepare_cached("SELECT seq FROM tasks WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2")?
        .query_map(params![millis(step.now), clamped(limit as u64)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut purged = 0;
    for seq in expired {
        if let Some(mut row) = TaskRow::by_seq(step.connection, seq)? {
            revoke(step, &mut row)?;
            step.remove(&row)?;
            purged += 1;
        }
    }
    Ok(purged)
}

/// Up to `limit` tasks whose blobs are still to be deleted, oldest first.
pub(in super::super) fn pending_deletions(connection: &Connection, limit: usize) -> Outcome<Vec<TaskId>> {
    let mut statement = connection.prepare_cached("SELECT task FROM deletions ORDER BY seq LIMIT ?1")?;
    let rows = statement.query_map([clamped(limit as u64)], |row| row.get(0))?;
    rows.map(|bytes| Ok(task_id(bytes?)?)).collect()
}

/// Forgets the notes of tasks whose blobs are gone.
pub(in super::super) fn deletions_done(step: &mut Step<'_>, tasks: &[TaskId]) -> Outcome<()> {
    for task in tasks {
        let gone = step
            .connection
            .prepare_cached("DELETE FROM deletions WHERE task = ?1")?
            .execute([task.as_bytes()])?;
        step.pending_deletions(-i64::try_from(gone).unwrap_or(0));
    }
    Ok(())
}

/// Writes about as much as storing a task does: fails when that would.
pub(in super::super) fn probe(step: &mut Step<'_>) -> Outcome<()> {
    step.connection
        .prepare_cached("INSERT OR REPLACE INTO probe (rowid, filler) VALUES (1, zeroblob(?1))")?
        .execute([PROBE_BYTES])?;
    Ok(())
}
