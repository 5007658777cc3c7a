//! Small values by namespace and key.

use std::time::Duration;

use pixmill_types::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::rows::{clamped, millis, timestamp, unsigned};
use super::super::step::{Outcome, Step};
use crate::{Entry, Expected, PutOutcome};

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        value: row.get("value")?,
        version: unsigned(row.get("version")?),
        expires_at: row.get::<_, Option<i64>>("expires_at")?.map(timestamp),
    })
}

/// Reads one entry that has not expired.
pub(in super::super) fn get(
    connection: &Connection,
    namespace: &str,
    key: &str,
    now: Timestamp,
) -> Outcome<Option<Entry>> {
    let found = connection
        .prepare_cached(
            "SELECT value, version, expires_at FROM registry WHERE namespace = ?1 AND key = ?2 \
             AND (expires_at IS NULL OR expires_at > ?3)",
        )?
        .query_row(params![namespace, key, millis(now)], entry)
        .optional()?;
    Ok(found)
}

/// A conditional write.
#[derive(Debug)]
pub(in super::super) struct Put {
    pub(in super::super) namespace: String,
    pub(in super::super) key: String,
    pub(in super::super) value: Vec<u8>,
    pub(in super::super) expected: Expected,
    pub(in super::super) ttl: Option<Duration>,
}

/// Writes one entry when what is expected is found.
pub(in super::super) fn put_if(step: &mut Step<'_>, put: Put) -> Outcome<PutOutcome> {
    let found = get(step.connection, &put.namespace, &put.key, step.now)?;
    if !matches(put.expected, found.as_ref()) {
        return Ok(PutOutcome::Found(found));
    }
    // One counter for all keys, so that a version does not come back after its key was deleted.
    let version: i64 = step
        .connection
        .prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'registry_version' RETURNING value")?
        .query_row([], |row| row.get(0))?;
    let expires_at = put.ttl.map(|ttl| millis(step.now.after(ttl)));
    step.connection
        .prepare_cached(
            "INSERT OR REPLACE INTO registry (namespace, key, value, version, expires_at) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![put.namespace, put.key, put.value, version, expires_at])?;
    Ok(PutOutcome::Stored(unsigned(version)))
}

fn matches(expected: Expected, found: Option<&Entry>) -> bool {
    match expected {
        Expected::Any => true,
        Expected::Absent => found.is_none(),
        Expected::Version(version) => found.is_some_and(|entry| entry.version == version),
    }
}

/// Entries of a namespace whose keys follow `after`.
pub(in super::super) fn list(
    connection: &Connection,
    namespace: &str,
    after: Option<&str>,
    limit: usize,
    now: Timestamp,
) -> Outcome<Vec<(String, Entry)>> {
    // Two texts, so that each is one range of the primary key.
    let from = if after.is_some() { "key > ?2" } else { "key >= ?2" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT key, value, version, expires_at FROM registry WHERE namespace = ?1 AND {from} \
         AND (expires_at IS NULL OR expires_at > ?3) ORDER BY key LIMIT ?4"
    ))?;
    let wanted = params![namespace, after.unwrap_or_default(), millis(now), clamped(limit as u64)];
    let rows = statement.query_map(wanted, |row| Ok((row.get("key")?, entry(row)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Deletes one entry when what is expected is found.
pub(in super::super) fn delete(step: &mut Step<'_>, namespace: &str, key: &str, expected: Expected) -> Outcome<bool> {
    let found = get(step.connection, namespace, key, step.now)?;
    if found.is_none() || !matches(expected, found.as_ref()) {
        return Ok(false);
    }
    step.connection
        .prepare_cached("DELETE FROM registry WHERE namespace = ?1 AND key = ?2")?
        .execute([namespace, key])?;
    Ok(true)
}
