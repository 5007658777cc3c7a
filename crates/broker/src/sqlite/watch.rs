//! Finds out what other processes committed that were not heard: the event log is the record of it.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::changes::Changes;
use super::rows::{queue_name, task_id};
use super::step::Outcome;

/// How often the database is looked at.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Events one look reads; when there are more, everybody is woken.
const MAX_EVENTS: usize = 256;

/// What the last look saw.
#[derive(Debug, Default)]
pub(super) struct Watch {
    looked_at: Option<Instant>,
    data_version: Option<i64>,
    last_event: Option<i64>,
}

impl Watch {
    /// Looks, when it is time to; returns what may have changed since the last look. `connection` is the writer's,
    /// outside a transaction: its own commits do not change the version it sees.
    pub(super) fn look(&mut self, connection: &Connection) -> Changes {
        if self.looked_at.is_some_and(|at| at.elapsed() < LOOK_INTERVAL) {
            return Changes::default();
        }
        self.looked_at = Some(Instant::now());
        self.unheard(connection).unwrap_or_else(|error| {
            tracing::debug!(?error, "cannot see what other processes changed");
            Changes::default()
        })
    }

    fn unheard(&mut self, connection: &Connection) -> Outcome<Changes> {
        let version: i64 = connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if self.data_version == Some(version) {
            return Ok(Changes::default());
        }
        let changes = match self.last_event {
            Some(seen) => self.changes_since(connection, seen)?,
            None => self.everything(connection)?,
        };
        // Last, so that a look that failed is made again.
        self.data_version = Some(version);
        Ok(changes)
    }

    fn everything(&mut self, connection: &Connection) -> Outcome<Changes> {
        let last: Option<i64> = connection
            .prepare_cached("SELECT max(seq) FROM events")?
            .query_row([], |row| row.get(0))?;
        self.last_event = Some(last.unwrap_or(0));
        Ok(Changes::everything())
    }

    fn changes_since(&mut self, connection: &Connection, seen: i64) -> Outcome<Changes> {
        let mut changes = Changes::default();
        let mut statement =
            connection.prepare_cached("SELECT seq, task, queue FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let mut rows = statement.query([seen, MAX_EVENTS as i64 + 1])?;
        let mut last = seen;
        let mut is_whole = true;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            // Numbers have no holes, so a hole was trimmed.
            is_whole &= seq == last + 1;
            last = seq;
            changes.task(task_id(row.get(1)?)?);
            let queue: String = row.get(2)?;
            changes.queue(&queue_name(&queue)?);
        }
        if !is_whole || changes.tasks.len() > MAX_EVENTS {
            return self.everything(connection);
        }
        self.last_event = Some(last);
        lost_leases(connection, &mut changes)?;
        Ok(changes)
    }
}

/// Workers that have not been told of a lease they lost: few, and asking them once too often does no harm.
fn lost_leases(connection: &Connection, changes: &mut Changes) -> Outcome<()> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT worker FROM revocations LIMIT 100")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let worker: String = row.get(0)?;
        if let Ok(worker) = worker.parse() {
            changes.worker(&worker);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pixmill_types::{Priority, QueueName};

    use super::super::bare::{bare_writer, submit_plain, task};
    use super::*;
    use crate::BrokerOptions;

    fn look_now(watch: &mut Watch, connection: &Connection) -> Changes {
        watch.looked_at = watch.looked_at.and_then(|at| at.checked_sub(2 * LOOK_INTERVAL));
        watch.look(connection)
    }

    #[test]
    fn only_what_others_committed_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let mut here = bare_writer(folder.path(), BrokerOptions::default());
        let mut there = bare_writer(folder.path(), BrokerOptions::default());
        let mut watch = Watch::default();
        assert_eq!(look_now(&mut watch, &here.connection), Changes::everything());
        assert_eq!(look_now(&mut watch, &here.connection), Changes::default());

        let submit = |writer: &mut super::super::Writer| {
            let task = task(Priority::default(), None);
            let id = task.id;
            writer.now("submit", |step| submit_plain(step, task)).unwrap();
            id
        };
        submit(&mut here);
        assert_eq!(look_now(&mut watch, &here.connection), Changes::default(), "one's own");
        let foreign = submit(&mut there);
        let seen = look_now(&mut watch, &here.connection);
        assert!(seen.tasks.contains(&foreign) && !seen.everything, "{seen:?}");
        assert_eq!(seen.queues, [QueueName::images()]);
        assert_eq!(look_now(&mut watch, &here.connection), Changes::default());

        for _ in 0..=MAX_EVENTS {
            submit(&mut there);
        }
        assert_eq!(look_now(&mut watch, &here.connection), Changes::everything());
        submit(&mut there);
        assert_eq!(watch.look(&here.connection), Changes::default(), "it is not yet time");
    }
}
