//! One request inside the writer's transaction: the connection, the time, and what the request has changed so far.
//!
//! Keeps the counters and the event log in step with the task rows. Knows no operation.

use pixmill_types::{EventKind, LeaseId, QueueName, Timestamp, WorkerId};
use rusqlite::{Connection, OptionalExtension, params};

use super::changes::Changes;
use super::error::OperationError;
use super::rows::{TaskRow, millis, signed, timestamp};
use super::stage::Stage;
use super::worker_locks::WorkerLocks;
use crate::presence::Presence;
use crate::{BrokerOptions, event_kind, policy};

/// The stored time at which somebody was last alive may lag by this part of a heartbeat interval.
const PRESENCE_LATENESS: u32 = 10;

/// What an operation returns.
pub(super) type Outcome<T> = Result<T, OperationError>;

/// What requests did to the database beyond the rows they wrote. Dropped when the request is undone.
#[derive(Debug, Default)]
pub(super) struct Effects {
    counts: Vec<(QueueName, Stage, i64)>,
    pending_deletions: i64,
    events: u64,
    /// Who is to be told after the commit.
    pub(super) changes: Changes,
}

impl Effects {
    fn count(&mut self, queue: &QueueName, stage: Stage, by: i64) {
        let known = self.counts.iter_mut().find(|row| row.0 == *queue && row.1 == stage);
        match known {
            Some(row) => row.2 += by,
            None => self.counts.push((queue.clone(), stage, by)),
        }
    }

    fn counted(&self, queue: &QueueName, stage: Stage) -> i64 {
        let row = self.counts.iter().find(|row| row.0 == *queue && row.1 == stage);
        row.map_or(0, |row| row.2)
    }

    /// Adds what a later request of the same transaction did.
    pub(super) fn absorb(&mut self, later: Self) {
        for (queue, stage, by) in later.counts {
            self.count(&queue, stage, by);
        }
        self.pending_deletions += later.pending_deletions;
        self.events += later.events;
        self.changes.absorb(later.changes);
    }

    /// Writes the counters and trims the log, once for the whole transaction.
    pub(super) fn write(&self, connection: &Connection, max_events: u64) -> rusqlite::Result<()> {
        for (queue, stage, by) in self.counts.iter().filter(|row| row.2 != 0) {
            connection
                .prepare_cached(
                    "INSERT INTO counts (queue, stage, amount) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (queue, stage) DO UPDATE SET amount = amount + excluded.amount",
                )?
                .execute(params![queue.as_str(), stage.as_str(), by])?;
        }
        if self.pending_deletions != 0 {
            connection
                .prepare_cached("UPDATE meta SET value = value + ?1 WHERE name = 'pending_deletions'")?
                .execute([self.pending_deletions])?;
        }
        if self.events > 0 {
            // Twice what was added: a log that is over its cap shrinks, and no commit pays for more than its share.
            trim_events(connection, max_events, 2 * self.events)?;
        }
        Ok(())
    }
}

/// Removes up to `limit` of the oldest events beyond `max_events`. The newest always stays.
pub(super) fn trim_events(connection: &Connection, max_events: u64, limit: u64) -> rusqlite::Result<()> {
    let bounds = connection
        .prepare_cached("SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)")?
        .query_row([], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        })?;
    let (Some(first), Some(last)) = bounds else {
        return Ok(());
    };
    let kept = i64::try_from(max_events.max(1)).unwrap_or(i64::MAX);
    let excess = (last - first + 1).saturating_sub(kept);
    if excess > 0 {
        let trimmed = excess.min(i64::try_from(limit).unwrap_or(i64::MAX));
        connection
            .prepare_cached("DELETE FROM events WHERE seq < ?1")?
            .execute([first + trimmed])?;
    }
    Ok(())
}

/// One request inside the writer's transaction.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// The writer's connection, inside a transaction and a savepoint.
    pub(super) connection: &'a Connection,
    /// The broker's settings.
    pub(super) options: &'a BrokerOptions,
    /// The broker's clock when the request was begun.
    pub(super) now: Timestamp,
    /// The locks of the workers that claim through this broker.
    pub(super) locks: &'a mut WorkerLocks,
    earlier: &'a Effects,
    effects: Effects,
}

impl<'a> Step<'a> {
    /// Begins a request after those that had `earlier` effects.
    pub(super) fn new(
        connection: &'a Connection,
        options: &'a BrokerOptions,
        locks: &'a mut WorkerLocks,
        earlier: &'a Effects,
    ) -> Self {
        Self {
            connection,
            options,
            now: options.clock.now(),
            locks,
            earlier,
            effects: Effects::default(),
        }
    }

    /// What the request did.
    pub(super) fn into_effects(self) -> Effects {
        self.effects
    }

    /// Tasks of `queue` in `stage` now.
    pub(super) fn amount(&self, queue: &QueueName, stage: Stage) -> rusqlite::Result<u64> {
        let stored: Option<i64> = self
            .connection
            .prepare_cached("SELECT amount FROM counts WHERE queue = ?1 AND stage = ?2")?
            .query_row([queue.as_str(), stage.as_str()], |row| row.get(0))
            .optional()?;
        let amount = stored.unwrap_or(0) + self.earlier.counted(queue, stage) + self.effects.counted(queue, stage);
        Ok(u64::try_from(amount).unwrap_or(0))
    }

    /// Stores a task that is not there yet, with its event.
    pub(super) fn insert(&mut self, row: &mut TaskRow) -> rusqlite::Result<()> {
        row.insert(self.connection)?;
        self.effects.count(&row.queue, row.stage, 1);
        self.effects.changes.queue(&row.queue);
        self.event(row.attempt, row, EventKind::Queued)
    }

    /// Stores what a transition from the stage `from` made of `row`, with its event.
    pub(super) fn update(&mut self, row: &TaskRow, from: Stage, kind: EventKind) -> rusqlite::Result<()> {
        self.update_in_attempt(row.attempt, row, from, kind)
    }

    /// The same for a transition that happened in another attempt than the one the row counts now.
    pub(super) fn update_in_attempt(
        &mut self,
        attempt: u32,
        row: &TaskRow,
        from: Stage,
        kind: EventKind,
    ) -> rusqlite::Result<()> {
        row.update(self.connection)?;
        self.recount(&row.queue, from, row.stage);
        if matches!(row.stage, Stage::Ready | Stage::Delayed) {
            self.effects.changes.queue(&row.queue);
        }
        self.event(attempt, row, kind)
    }

    /// Counts a task of `queue` that went from one stage to another.
    pub(super) fn recount(&mut self, queue: &QueueName, from: Stage, to: Stage) {
        self.effects.count(queue, from, -1);
        self.effects.count(queue, to, 1);
    }

    /// Replaces a record by a note that its blobs are to be deleted. Its lease, if any, is the caller's to end.
    pub(super) fn remove(&mut self, row: &TaskRow) -> rusqlite::Result<()> {
        let connection = self.connection;
        connection
            .prepare_cached("DELETE FROM tasks WHERE seq = ?1")?
            .execute([row.seq])?;
        connection
            .prepare_cached("DELETE FROM ended_leases WHERE seq = ?1")?
            .execute([row.seq])?;
        let noted = connection
            .prepare_cached("INSERT OR IGNORE INTO deletions (task) VALUES (?1)")?
            .execute([row.id.as_bytes()])?;
        self.pending_deletions(i64::try_from(noted).unwrap_or(0));
        self.effects.count(&row.queue, row.stage, -1);
        self.event(row.attempt, row, EventKind::Deleted)
    }

    /// Counts notes of blobs to delete that came or went.
    pub(super) fn pending_deletions(&mut self, by: i64) {
        self.effects.pending_deletions += by;
    }

    /// Notes that somebody claims, renews or reaps; returns what that says about the broker's absence.
    pub(super) fn note_presence(&mut self) -> rusqlite::Result<Presence> {
        let stored = self
            .connection
            .prepare_cached("SELECT last_alive, grace_until FROM presence")?
            .query_row([], |row| {
                Ok(Presence {
                    last_alive: timestamp(row.get(0)?),
                    grace_until: timestamp(row.get(1)?),
                })
            })
            .optional()?;
        let mut presence = stored.unwrap_or_else(|| Presence::new(self.now));
        presence.note(self.options, self.now);
        // A claim that finds nothing should not cost a commit: the time is stored a little late.
        let late = policy::heartbeat_interval(self.options) / PRESENCE_LATENESS;
        let is_news = stored.is_none_or(|stored| {
            stored.grace_until != presence.grace_until || self.now.since(stored.last_alive) > late
        });
        if is_news {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO presence (rowid, last_alive, grace_until) VALUES (1, ?1, ?2)")?
                .execute([millis(presence.last_alive), millis(presence.grace_until)])?;
        }
        Ok(presence)
    }

    /// Leaves word for `worker` that `lease` was taken from it.
    pub(super) fn revoke(&mut self, worker: &WorkerId, lease: LeaseId) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("INSERT INTO revocations (worker, lease, at) VALUES (?1, ?2, ?3)")?
            .execute(params![worker.as_str(), signed(lease.bits()), millis(self.now)])?;
        self.effects.changes.worker(worker);
        Ok(())
    }

    fn event(&mut self, attempt: u32, row: &TaskRow, kind: EventKind) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO events (at, task, queue, attempt, kind, code) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                millis(self.now),
                row.id.as_bytes(),
                row.queue.as_str(),
                attempt,
                kind.as_str(),
                event_kind::code(kind).map(|code| code.as_str()),
            ])?;
        self.effects.events += 1;
        self.effects.changes.task(row.id);
        Ok(())
    }
}
