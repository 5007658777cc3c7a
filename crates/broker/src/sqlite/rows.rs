//! Rows of the database as values, both ways. Knows the columns; decides nothing.

use pixmill_types::{
    Event, EventCursor, Failure, LeaseId, NewTask, Payload, Priority, QueueName, Success, Task, TaskId, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::stage::Stage;
use crate::{BrokerError, FollowUp, event_kind};

/// Version of the JSON in `payload`, `success` and `failure`.
const DOCUMENT_VERSION: i64 = 1;

/// The columns [`TaskRow::read`] expects, in its order.
const COLUMNS: &str = "seq, id, queue, stage, priority, attempt, max_attempts, cost_bytes, timeout_ms, created_at, \
     not_before, ready_since, sort_key, started_at, finished_at, expires_at, lease, trace_parent, document_version, \
     payload, success, failure";

/// Any 64 bits, kept in SQLite's signed integer.
pub(super) const fn signed(bits: u64) -> i64 {
    bits.cast_signed()
}

/// The bits that [`signed`] kept.
pub(super) const fn unsigned(stored: i64) -> u64 {
    stored.cast_unsigned()
}

/// A time in a column that is compared: saturates 292 million years from now.
pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time of a column.
pub(super) fn timestamp(stored: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(stored).unwrap_or(0))
}

/// A number in a column that is limited or compared.
pub(super) fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn corrupt(what: impl Into<String>) -> BrokerError {
    BrokerError::Corrupt(what.into())
}

/// The JSON text of a column.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, BrokerError> {
    serde_json::to_string(value).map_err(|error| corrupt(format!("a record cannot be written as JSON: {error}")))
}

fn from_json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, BrokerError> {
    serde_json::from_str(text).map_err(|error| corrupt(format!("column {column}: {error}")))
}

/// The task id of a column.
pub(super) fn task_id(bytes: [u8; 16]) -> Result<TaskId, BrokerError> {
    TaskId::from_bytes(bytes).ok_or_else(|| corrupt("column id: not a UUID of version 7"))
}

/// The queue name of a column.
pub(super) fn queue_name(text: &str) -> Result<QueueName, BrokerError> {
    text.parse().map_err(|error| corrupt(format!("column queue: {error}")))
}

/// A task ready to be inserted: its JSON is made where the caller runs, not on the writer's thread.
#[derive(Debug)]
pub(super) struct EncodedTask {
    /// The task.
    pub(super) task: NewTask,
    payload: String,
}

impl EncodedTask {
    /// Encodes `task`.
    pub(super) fn new(task: NewTask) -> Result<Self, BrokerError> {
        let payload = to_json(&task.payload)?;
        Ok(Self { task, payload })
    }

    /// Encodes each of `tasks`.
    pub(super) fn all(tasks: Vec<FollowUp>) -> Result<Vec<Self>, BrokerError> {
        tasks.into_iter().map(|task| Self::new(task.into_task())).collect()
    }

    /// The row of the task when it arrives at `now` and may be claimed from `ready_since` on.
    pub(super) fn into_row(self, now: Timestamp, stage: Stage, ready_since: Timestamp, sort_key: i64) -> TaskRow {
        let task = self.task;
        TaskRow {
            seq: 0,
            id: task.id,
            queue: task.queue,
            stage,
            priority: task.priority,
            attempt: 0,
            max_attempts: task.max_attempts,
            cost_bytes: task.cost_bytes,
            timeout_ms: task.timeout_ms,
            created_at: now,
            not_before: task.not_before,
            ready_since,
            sort_key,
            started_at: None,
            finished_at: None,
            expires_at: None,
            lease: None,
            trace_parent: task.trace_parent,
            document_version: DOCUMENT_VERSION,
            payload: self.payload,
            success: None,
            failure: None,
        }
    }
}

/// One row of `tasks`. Its JSON stays text until [`TaskRow::into_task`], which runs where the caller does.
#[derive(Debug, Clone)]
pub(super) struct TaskRow {
    pub(super) seq: i64,
    pub(super) id: TaskId,
    pub(super) queue: QueueName,
    pub(super) stage: Stage,
    pub(super) priority: Priority,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) cost_bytes: u64,
    pub(super) timeout_ms: u64,
    pub(super) created_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) ready_since: Timestamp,
    pub(super) sort_key: i64,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) lease: Option<LeaseId>,
    trace_parent: Option<String>,
    document_version: i64,
    payload: String,
    pub(super) success: Option<String>,
    pub(super) failure: Option<String>,
}

impl TaskRow {
    /// `SELECT` of all columns, to be followed by a condition.
    pub(super) fn select(condition: &str) -> String {
        format!("SELECT {COLUMNS} FROM tasks {condition}")
    }

    /// The row numbered `seq`.
    pub(super) fn by_seq(connection: &Connection, seq: i64) -> rusqlite::Result<Option<Self>> {
        static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| TaskRow::select("WHERE seq = ?1"));
        let mut statement = connection.prepare_cached(&SQL)?;
        statement.query_row([seq], Self::read).optional()
    }

    /// The row of the task `id`.
    pub(super) fn by_id(connection: &Connection, id: &TaskId) -> rusqlite::Result<Option<Self>> {
        static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| TaskRow::select("WHERE id = ?1"));
        let mut statement = connection.prepare_cached(&SQL)?;
        statement.query_row([id.as_bytes()], Self::read).optional()
    }

    /// Reads a row of [`TaskRow::select`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let foreign = |index: usize, what: &str| {
            rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Null, what.into())
        };
        let time = |index: usize| -> rusqlite::Result<Option<Timestamp>> {
            Ok(row.get::<_, Option<i64>>(index)?.map(timestamp))
        };
        Ok(Self {
            seq: row.get(0)?,
            id: TaskId::from_bytes(row.get(1)?).ok_or_else(|| foreign(1, "not a UUID of version 7"))?,
            queue: row
                .get_ref(2)?
                .as_str()?
                .parse()
                .map_err(|_| foreign(2, "not a queue name"))?,
            stage: Stage::from_name(row.get_ref(3)?.as_str()?).ok_or_else(|| foreign(3, "not a stage"))?,
            priority: Priority::try_from(row.get::<_, u8>(4)?).map_err(|_| foreign(4, "not a priority"))?,
            attempt: row.get(5)?,
            max_attempts: row.get(6)?,
            cost_bytes: unsigned(row.get(7)?),
            timeout_ms: unsigned(row.get(8)?),
            created_at: timestamp(row.get(9)?),
            not_before: time(10)?,
            ready_since: timestamp(row.get(11)?),
            sort_key: row.get(12)?,
            started_at: time(13)?,
            finished_at: time(14)?,
            expires_at: time(15)?,
            lease: row
                .get::<_, Option<i64>>(16)?
                .map(|bits| LeaseId::from_bits(unsigned(bits))),
            trace_parent: row.get(17)?,
            document_version: row.get(18)?,
            payload: row.get(19)?,
            success: row.get(20)?,
            failure: row.get(21)?,
        })
    }

    /// Stores the row, and gives it its number.
    pub(super) fn insert(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO tasks (id, queue, stage, priority, attempt, max_attempts, cost_bytes, timeout_ms, \
             created_at, not_before, ready_since, sort_key, trace_parent, document_version, payload) \
             VALUES (:id, :queue, :stage, :priority, :attempt, :max_attempts, :cost_bytes, :timeout_ms, \
             :created_at, :not_before, :ready_since, :sort_key, :trace_parent, :document_version, :payload)",
        )?;
        self.seq = statement.insert(named_params! {
            ":id": self.id.as_bytes(),
            ":queue": self.queue.as_str(),
            ":stage": self.stage.as_str(),
            ":priority": self.priority.get(),
            ":attempt": self.attempt,
            ":max_attempts": self.max_attempts,
            ":cost_bytes": signed(self.cost_bytes),
            ":timeout_ms": signed(self.timeout_ms),
            ":created_at": millis(self.created_at),
            ":not_before": self.not_before.map(millis),
            ":ready_since": millis(self.ready_since),
            ":sort_key": self.sort_key,
            ":trace_parent": self.trace_parent,
            ":document_version": self.document_version,
            ":payload": self.payload,
        })?;
        Ok(())
    }

    /// Stores what a transition may have changed.
    pub(super) fn update(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "UPDATE tasks SET stage = :stage, attempt = :attempt, not_before = :not_before, \
             ready_since = :ready_since, sort_key = :sort_key, started_at = :started_at, \
             finished_at = :finished_at, expires_at = :expires_at, lease = :lease, success = :success, \
             failure = :failure WHERE seq = :seq",
        )?;
        let columns: &[(&str, &dyn ToSql)] = named_params! {
            ":stage": self.stage.as_str(),
            ":attempt": self.attempt,
            ":not_before": self.not_before.map(millis),
            ":ready_since": millis(self.ready_since),
            ":sort_key": self.sort_key,
            ":started_at": self.started_at.map(millis),
            ":finished_at": self.finished_at.map(millis),
            ":expires_at": self.expires_at.map(millis),
            ":lease": self.lease.map(|lease| signed(lease.bits())),
            ":success": self.success,
            ":failure": self.failure,
            ":seq": self.seq,
        };
        statement.execute(columns)?;
        Ok(())
    }

    /// The record as callers see it.
    pub(super) fn into_task(self) -> Result<Task, BrokerError> {
        if self.document_version > DOCUMENT_VERSION {
            let found = self.document_version;
            return Err(corrupt(format!(
                "task {} was written by a later release (document version {found})",
                self.id
            )));
        }
        let payload: Payload = from_json("payload", &self.payload)?;
        let success: Option<Success> = self.success.map(|text| from_json("success", &text)).transpose()?;
        let failure: Option<Failure> = self.failure.map(|text| from_json("failure", &text)).transpose()?;
        Ok(Task {
            id: self.id,
            queue: self.queue,
            payload,
            priority: self.priority,
            state: self.stage.state(),
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            cost_bytes: self.cost_bytes,
            timeout_ms: self.timeout_ms,
            trace_parent: self.trace_parent,
            created_at: self.created_at,
            not_before: self.not_before,
            started_at: self.started_at,
            finished_at: self.finished_at,
            expires_at: self.expires_at,
            success,
            failure,
        })
    }
}

/// A place in the event log: which log, and which row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogPosition {
    /// Changes when a backup is put back, so that a cursor from the lost future is not taken for one of now.
    pub(super) epoch: i64,
    /// The event's number; 0 is before the first.
    pub(super) seq: i64,
}

impl LogPosition {
    /// As callers see it.
    pub(super) fn to_cursor(self) -> EventCursor {
        EventCursor(format!("{:08x}-{}", self.epoch, self.seq))
    }

    /// Reads what [`LogPosition::to_cursor`] wrote.
    pub(super) fn parse(cursor: &EventCursor) -> Result<Self, BrokerError> {
        let parse = || {
            let (epoch, seq) = cursor.0.split_once('-')?;
            let position = Self {
                epoch: i64::from_str_radix(epoch, 16).ok()?,
                seq: seq.parse().ok()?,
            };
            (position.to_cursor() == *cursor && position.seq >= 0).then_some(position)
        };
        parse().ok_or(BrokerError::InvalidCursor)
    }
}

/// One row of `events`, as far as SQL can tell.
#[derive(Debug)]
pub(super) struct EventRow {
    seq: i64,
    at: i64,
    task: [u8; 16],
    queue: String,
    attempt: u32,
    kind: String,
    code: Option<String>,
}

impl EventRow {
    /// The columns [`EventRow::read`] expects, in its order.
    pub(super) const COLUMNS: &'static str = "seq, at, task, queue, attempt, kind, code";

    /// Reads a row of [`EventRow::COLUMNS`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            task: row.get(2)?,
            queue: row.get(3)?,
            attempt: row.get(4)?,
            kind: row.get(5)?,
            code: row.get(6)?,
        })
    }

    /// The event as callers see it, in the log `epoch`.
    pub(super) fn into_event(self, epoch: i64) -> Result<Event, BrokerError> {
        let kind = event_kind::parse(&self.kind, self.code.as_deref())
            .ok_or_else(|| corrupt(format!("event {}: kind {:?} is unknown", self.seq, self.kind)))?;
        Ok(Event {
            cursor: LogPosition { epoch, seq: self.seq }.to_cursor(),
            at: timestamp(self.at),
            task: task_id(self.task)?,
            queue: queue_name(&self.queue)?,
            attempt: self.attempt,
            kind,
        })
    }
}
