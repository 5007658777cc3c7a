//! Reads, on a reader's connection. Each is one snapshot.

use pixmill_types::{EventCursor, IdempotencyKey, QueueName, TaskId, TaskState, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::rows::{EventRow, LogPosition, TaskRow, clamped, millis, queue_name, timestamp};
use super::super::stage::Stage;
use super::super::step::Outcome;
use super::submit::{exists, remembered};
use crate::policy::MAX_PAGE;
use crate::{BrokerError, EndedQuery, ListCursor, ListQuery, QueueStats, Stats};

/// Reads one record.
pub(in super::super) fn get(connection: &Connection, task: TaskId) -> Outcome<TaskRow> {
    TaskRow::by_id(connection, &task)?.ok_or_else(|| BrokerError::NotFound(task).into())
}

/// Which of `tasks` have a record.
pub(in super::super) fn known(connection: &Connection, tasks: &[TaskId]) -> Outcome<Vec<bool>> {
    tasks.iter().map(|task| Ok(exists(connection, task)?)).collect()
}

/// Whether a client's key stands for a task that has a record.
pub(in super::super) fn is_used(connection: &Connection, key: &IdempotencyKey, now: Timestamp) -> Outcome<bool> {
    let snapshot = connection.unchecked_transaction()?;
    match remembered(&snapshot, key, now)? {
        Some((_, task)) => Ok(exists(&snapshot, &task)?),
        None => Ok(false),
    }
}

/// Rows of one page, newest first, and where the next page begins.
#[derive(Debug)]
pub(in super::super) struct RowPage {
    pub(in super::super) rows: Vec<TaskRow>,
    pub(in super::super) next: Option<ListCursor>,
}

/// Lists records, newest first.
pub(in super::super) fn list(connection: &Connection, query: &ListQuery) -> Outcome<RowPage> {
    let limit = query.limit.clamp(1, MAX_PAGE);
    let before = query.after.as_ref().map_or(Ok(i64::MAX), parse_list_cursor)?;
    let snapshot = connection.unchecked_transaction()?;
    // One more than the page tells whether there is a next one.
    let mut seqs = match (&query.queue, query.state) {
        (None, None) => newest(&snapshot, before, limit + 1)?,
        (queue, state) => newest_of(&snapshot, queue.as_ref(), state, before, limit + 1)?,
    };
    let more = seqs.len() > limit;
    seqs.truncate(limit);
    let next = seqs.last().filter(|_| more).map(|seq| ListCursor(format!("{seq:x}")));
    let mut rows = Vec::with_capacity(seqs.len());
    for seq in seqs {
        rows.extend(TaskRow::by_seq(&snapshot, seq)?);
    }
    Ok(RowPage { rows, next })
}

/// Reads failed and cancelled tasks by when they ended: one range of an index.
pub(in super::super) fn ended(connection: &Connection, query: &EndedQuery) -> Outcome<Vec<TaskRow>> {
    let select = TaskRow::select(&format!(
        "INDEXED BY tasks_ended WHERE queue = ?1 AND stage IN ('{}', '{}') AND (finished_at, id) > (?2, ?3) \
         ORDER BY finished_at, id LIMIT ?4",
        Stage::Failed.as_str(),
        Stage::Cancelled.as_str(),
    ));
    // Less than every id.
    let first: &[u8] = &[];
    let wanted = params![
        query.queue.as_str(),
        millis(query.since),
        query.after.as_ref().map_or(first, |task| task.as_bytes().as_slice()),
        clamped(query.limit.clamp(1, MAX_PAGE) as u64),
    ];
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map(wanted, TaskRow::read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn parse_list_cursor(cursor: &ListCursor) -> Result<i64, BrokerError> {
    i64::from_str_radix(&cursor.0, 16)
        .ok()
        .filter(|seq| *seq > 0 && format!("{seq:x}") == cursor.0)
        .ok_or(BrokerError::InvalidCursor)
}

fn newest(connection: &Connection, before: i64, limit: usize) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT seq FROM tasks WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2")?
        .query_map(params![before, clamped(limit as u64)], |row| row.get(0))?
        .collect()
}

/// Merges the newest of every queue and stage that is asked for: each is one range of an index.
fn newest_of(
    connection: &Connection,
    queue: Option<&QueueName>,
    state: Option<TaskState>,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let queues = match queue {
        Some(queue) => vec![queue.as_str().to_owned()],
        None => queues(connection)?,
    };
    let stages = state.map_or(&Stage::ALL[..], Stage::of_state);
    let mut seqs = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT seq FROM tasks INDEXED BY tasks_by_stage WHERE queue = ?1 AND stage = ?2 AND seq < ?3 \
         ORDER BY seq DESC LIMIT ?4",
    )?;
    for queue in &queues {
        for stage in stages {
            let wanted = params![queue, stage.as_str(), before, clamped(limit as u64)];
            for seq in statement.query_map(wanted, |row| row.get::<_, i64>(0))? {
                seqs.push(seq?);
            }
        }
    }
    seqs.sort_unstable_by(|left, right| right.cmp(left));
    seqs.truncate(limit);
    Ok(seqs)
}

fn queues(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT DISTINCT queue FROM counts ORDER BY queue")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Reads the counters, and finds the oldest through indexes.
pub(in super::super) fn stats(connection: &Connection, now: Timestamp) -> Outcome<Stats> {
    let snapshot = connection.unchecked_transaction()?;
    let mut found = Vec::new();
    for queue in queues(&snapshot)? {
        let row = queue_stats(&snapshot, queue_name(&queue)?, now)?;
        let records = row.ready + row.delayed + row.running + row.completed + row.failed + row.cancelled;
        if records > 0 {
            found.push(row);
        }
    }
    let pending: i64 = snapshot
        .prepare_cached("SELECT value FROM meta WHERE name = 'pending_deletions'")?
        .query_row([], |row| row.get(0))?;
    Ok(Stats {
        now,
        queues: found,
        pending_deletions: u64::try_from(pending).unwrap_or(0),
    })
}

fn queue_stats(connection: &Connection, queue: QueueName, now: Timestamp) -> Outcome<QueueStats> {
    let amount = |stage: Stage| -> rusqlite::Result<u64> {
        let stored: Option<i64> = connection
            .prepare_cached("SELECT amount FROM counts WHERE queue = ?1 AND stage = ?2")?
            .query_row([queue.as_str(), stage.as_str()], |row| row.get(0))
            .optional()?;
        Ok(u64::try_from(stored.unwrap_or(0)).unwrap_or(0))
    };
    let oldest = |sql: &str| -> rusqlite::Result<Option<Timestamp>> {
        let found: Option<i64> = connection
            .prepare_cached(sql)?
            .query_row([queue.as_str()], |row| row.get(0))?;
        Ok(found.map(timestamp))
    };
    // Claims and reapers make delayed tasks ready; those whose time has come since are few.
    let due: i64 = connection
        .prepare_cached("SELECT count(*) FROM tasks WHERE queue = ?1 AND stage = 'delayed' AND not_before <= ?2")?
        .query_row(params![queue.as_str(), millis(now)], |row| row.get(0))?;
    let due = u64::try_from(due).unwrap_or(0);
    let ready_since = oldest("SELECT min(ready_since) FROM tasks WHERE queue = ?1 AND stage = 'ready'")?;
    let due_since = oldest("SELECT min(not_before) FROM tasks WHERE queue = ?1 AND stage = 'delayed'")?;
    Ok(QueueStats {
        ready: amount(Stage::Ready)? + due,
        delayed: amount(Stage::Delayed)?.saturating_sub(due),
        running: amount(Stage::Running)?,
        completed: amount(Stage::Completed)?,
        failed: amount(Stage::Failed)?,
        cancelled: amount(Stage::Cancelled)?,
        oldest_ready: [ready_since, due_since.filter(|time| *time <= now)]
            .into_iter()
            .flatten()
            .min(),
        oldest_running: oldest("SELECT min(started_at) FROM leases WHERE queue = ?1")?,
        queue,
    })
}

/// [`crate::EventPage`] before its rows are read.
#[derive(Debug)]
pub(in super::super) enum EventRows {
    Events { epoch: i64, rows: Vec<EventRow> },
    Gap { resume: EventCursor },
}

/// Reads events after a cursor.
pub(in super::super) fn events(
    connection: &Connection,
    after: Option<&EventCursor>,
    task: Option<TaskId>,
    limit: usize,
) -> Outcome<EventRows> {
    let after = after.map(LogPosition::parse).transpose()?;
    let snapshot = connection.unchecked_transaction()?;
    let epoch: i64 = snapshot
        .prepare_cached("SELECT value FROM meta WHERE name = 'log_epoch'")?
        .query_row([], |row| row.get(0))?;
    let (first, last): (Option<i64>, Option<i64>) = snapshot
        .prepare_cached("SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let before_first = first.unwrap_or(1) - 1;
    let start = match after {
        None => before_first,
        Some(position) if position.epoch != epoch || position.seq < before_first => {
            let resume = LogPosition {
                epoch,
                seq: before_first,
            }
            .to_cursor();
            return Ok(EventRows::Gap { resume });
        }
        Some(position) if position.seq > last.unwrap_or(0) => return Err(BrokerError::InvalidCursor.into()),
        Some(position) => position.seq,
    };
    let rows = event_rows(&snapshot, start, task, limit.clamp(1, MAX_PAGE))?;
    Ok(EventRows::Events { epoch, rows })
}

fn event_rows(
    connection: &Connection,
    start: i64,
    task: Option<TaskId>,
    limit: usize,
) -> rusqlite::Result<Vec<EventRow>> {
    let limit = clamped(limit as u64);
    let columns = EventRow::COLUMNS;
    match task {
        None => connection
            .prepare_cached(&format!(
                "SELECT {columns} FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"
            ))?
            .query_map(params![start, limit], EventRow::read)?
            .collect(),
        Some(task) => connection
            .prepare_cached(&format!(
                "SELECT {columns} FROM events WHERE task = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
            ))?
            .query_map(params![task.as_bytes(), start, limit], EventRow::read)?
            .collect(),
    }
}
