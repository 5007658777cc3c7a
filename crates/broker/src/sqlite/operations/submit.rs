//! Tasks come in: by a client, or owed by another task.

use pixmill_types::{ContentHash, IdempotencyKey, TaskId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::rows::{EncodedTask, TaskRow, millis, task_id};
use super::super::stage::Stage;
use super::super::step::{Outcome, Step};
use crate::policy;
use crate::{BrokerError, Idempotency, Submission, Submitted};

/// A submission whose JSON is made.
#[derive(Debug)]
pub(in super::super) struct EncodedSubmission {
    task: EncodedTask,
    idempotency: Option<Idempotency>,
    staged_for: std::time::Duration,
}

impl EncodedSubmission {
    /// Encodes `submission`.
    pub(in super::super) fn new(submission: Submission) -> Result<Self, BrokerError> {
        Ok(Self {
            task: EncodedTask::new(submission.task)?,
            idempotency: submission.idempotency,
            staged_for: submission.staged_for,
        })
    }
}

/// [`Submitted`] before its JSON is read.
#[derive(Debug)]
pub(in super::super) enum SubmitAnswer {
    Created(TaskRow),
    Existing(TaskRow),
    Full { queued: u64, limit: u64 },
}

impl SubmitAnswer {
    /// The answer as callers see it.
    pub(in super::super) fn decode(self) -> Result<Submitted, BrokerError> {
        Ok(match self {
            Self::Created(row) => Submitted::Created(Box::new(row.into_task()?)),
            Self::Existing(row) => Submitted::Existing(Box::new(row.into_task()?)),
            Self::Full { queued, limit } => Submitted::Full { queued, limit },
        })
    }
}

/// Stores a client's task, unless it is there already or there is no room.
pub(in super::super) fn submit(step: &mut Step<'_>, submission: EncodedSubmission) -> Outcome<SubmitAnswer> {
    let EncodedSubmission {
        task,
        idempotency,
        staged_for,
    } = submission;
    if let Some(row) = TaskRow::by_id(step.connection, &task.task.id)? {
        return Ok(SubmitAnswer::Existing(row));
    }
    if let Some(wanted) = &idempotency
        && let Some((fingerprint, earlier)) = remembered(step.connection, &wanted.key, step.now)?
        && let Some(row) = TaskRow::by_id(step.connection, &earlier)?
    {
        if fingerprint != wanted.fingerprint {
            return Err(BrokerError::KeyReused.into());
        }
        return Ok(SubmitAnswer::Existing(row));
    }
    if policy::is_staged_too_long(step.options, staged_for) {
        return Err(BrokerError::StagedTooLong.into());
    }
    let queue = &task.task.queue;
    let queued = step.amount(queue, Stage::Ready)? + step.amount(queue, Stage::Delayed)?;
    if policy::is_full(step.options, queued) {
        let limit = step.options.max_queued;
        return Ok(SubmitAnswer::Full { queued, limit });
    }
    if let Some(wanted) = &idempotency {
        remember(step, wanted, &task.task.id)?;
    }
    Ok(SubmitAnswer::Created(enqueue(step, task)?))
}

/// Enqueues the tasks a transition owes. Those that are there already came with the same call made before.
pub(in super::super) fn enqueue_owed(step: &mut Step<'_>, tasks: Vec<EncodedTask>) -> Outcome<()> {
    for task in tasks {
        if !exists(step.connection, &task.task.id)? {
            enqueue(step, task)?;
        }
    }
    Ok(())
}

/// Whether the task has a record.
pub(in super::super) fn exists(connection: &Connection, task: &TaskId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM tasks WHERE id = ?1")?
        .exists([task.as_bytes()])
}

fn enqueue(step: &mut Step<'_>, task: EncodedTask) -> rusqlite::Result<TaskRow> {
    let (priority, not_before) = (task.task.priority, task.task.not_before);
    let ready_since = policy::ready_since(step.now, not_before);
    let stage = Stage::queued(ready_since, step.now);
    let sort_key = policy::sort_key(ready_since, priority, step.options);
    let mut row = task.into_row(step.now, stage, ready_since, sort_key);
    step.insert(&mut row)?;
    Ok(row)
}

/// The request that a client's key was used with, and what came of it, unless that is forgotten.
pub(super) fn remembered(
    connection: &Connection,
    key: &IdempotencyKey,
    now: Timestamp,
) -> Outcome<Option<(ContentHash, TaskId)>> {
    let found: Option<([u8; 32], [u8; 16])> = connection
        .prepare_cached("SELECT fingerprint, task FROM idempotency WHERE key = ?1 AND expires_at > ?2")?
        .query_row(params![key.as_str(), millis(now)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((fingerprint, task)) => Ok(Some((ContentHash::from_bytes(fingerprint), task_id(task)?))),
        None => Ok(None),
    }
}

fn remember(step: &Step<'_>, wanted: &Idempotency, task: &TaskId) -> rusqlite::Result<()> {
    let forgotten_at = policy::idempotency_expiry(step.options, step.now);
    step.connection
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (key, fingerprint, task, expires_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            wanted.key.as_str(),
            wanted.fingerprint.as_bytes(),
            task.as_bytes(),
            millis(forgotten_at),
        ])?;
    Ok(())
}
