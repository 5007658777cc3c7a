//! People interfere: cancel, retry, delete.

use pixmill_types::{EventKind, TaskId, Transition};

use super::super::rows::{EncodedTask, TaskRow};
use super::super::stage::Stage;
use super::super::step::{Outcome, Step};
use super::finish::finish;
use super::leases::revoke;
use super::submit::enqueue_owed;
use crate::{BrokerError, policy};

fn find(step: &Step<'_>, task: TaskId) -> Outcome<TaskRow> {
    TaskRow::by_id(step.connection, &task)?.ok_or_else(|| BrokerError::NotFound(task).into())
}

/// Calls a task off.
pub(in super::super) fn cancel(step: &mut Step<'_>, task: TaskId, follow_ups: Vec<EncodedTask>) -> Outcome<TaskRow> {
    let mut row = find(step, task)?;
    let from = row.stage;
    if from == Stage::Cancelled {
        return Ok(row);
    }
    from.state().after(Transition::Cancel)?;
    revoke(step, &mut row)?;
    finish(step, &mut row, Stage::Cancelled);
    step.update(&row, from, EventKind::Cancelled)?;
    enqueue_owed(step, follow_ups)?;
    Ok(row)
}

/// Sends a failed task round again.
pub(in super::super) fn retry(step: &mut Step<'_>, task: TaskId) -> Outcome<TaskRow> {
    let mut row = find(step, task)?;
    row.stage.state().after(Transition::Retry)?;
    row.stage = Stage::Ready;
    row.attempt = 0;
    row.not_before = None;
    row.ready_since = step.now;
    row.sort_key = policy::sort_key(step.now, row.priority, step.options);
    row.finished_at = None;
    row.expires_at = None;
    row.failure = None;
    step.update(&row, Stage::Failed, EventKind::Retried)?;
    Ok(row)
}

/// Deletes a record, whatever its state.
pub(in super::super) fn delete(step: &mut Step<'_>, task: TaskId) -> Outcome<()> {
    let mut row = find(step, task)?;
    revoke(step, &mut row)?;
    step.remove(&row)?;
    Ok(())
}
