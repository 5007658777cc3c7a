//! Workers give tasks back: done, failed, or untouched.

use pixmill_types::{EventKind, Failure, FailureCode, LeaseId, Transition};

use super::super::rows::{EncodedTask, TaskRow, to_json};
use super::super::stage::Stage;
use super::super::step::{Outcome, Step};
use super::leases::{Ended, Named, named};
use super::submit::enqueue_owed;
use crate::policy;

/// Ends the task of `lease` with the outputs in the JSON `success`.
pub(in super::super) fn complete(
    step: &mut Step<'_>,
    lease: LeaseId,
    success: String,
    follow_ups: Vec<EncodedTask>,
) -> Outcome<TaskRow> {
    let (held, mut row) = match named(step, lease, Ended::Completed)? {
        Named::Held(held, row) => (held, row),
        Named::Repeated(row) => return Ok(row),
    };
    row.stage.state().after(Transition::Complete)?;
    held.end(step, Some(Ended::Completed))?;
    finish(step, &mut row, Stage::Completed);
    row.success = Some(success);
    row.failure = None;
    step.update(&row, Stage::Running, EventKind::Completed)?;
    enqueue_owed(step, follow_ups)?;
    Ok(row)
}

/// Ends the attempt of `lease` for the reason in `failure`.
pub(in super::super) fn fail(
    step: &mut Step<'_>,
    lease: LeaseId,
    failure: &Failure,
    follow_ups: Vec<EncodedTask>,
) -> Outcome<TaskRow> {
    let (held, mut row) = match named(step, lease, Ended::Failed)? {
        Named::Held(held, row) => (held, row),
        Named::Repeated(row) => return Ok(row),
    };
    held.end(step, Some(Ended::Failed))?;
    row.failure = Some(to_json(failure)?);
    let code = failure.code;
    let follows = policy::after_failure(failure, row.attempt, row.max_attempts);
    if follows == Transition::Fail {
        fail_for_good(step, &mut row, code)?;
        enqueue_owed(step, follow_ups)?;
    } else {
        row.stage.state().after(follows)?;
        let due = step
            .now
            .after(policy::backoff(row.attempt, rand::random(), step.options));
        row.not_before = Some(due);
        row.ready_since = due;
        row.sort_key = policy::sort_key(due, row.priority, step.options);
        row.stage = Stage::queued(due, step.now);
        row.lease = None;
        step.update(&row, Stage::Running, EventKind::Retrying(code))?;
    }
    Ok(row)
}

/// Makes a dead letter of a running task whose failure is noted and whose lease has ended.
pub(in super::super) fn fail_for_good(step: &mut Step<'_>, row: &mut TaskRow, code: FailureCode) -> Outcome<()> {
    row.stage.state().after(Transition::Fail)?;
    finish(step, row, Stage::Failed);
    step.update(row, Stage::Running, EventKind::Failed(code))?;
    Ok(())
}

/// Gives the task of `lease` its old place back.
pub(in super::super) fn release(step: &mut Step<'_>, lease: LeaseId) -> Outcome<TaskRow> {
    let (held, mut row) = match named(step, lease, Ended::Released)? {
        Named::Held(held, row) => (held, row),
        Named::Repeated(row) => return Ok(row),
    };
    row.stage.state().after(Transition::Requeue)?;
    held.end(step, Some(Ended::Released))?;
    let given_up = row.attempt;
    row.stage = Stage::Ready;
    row.attempt -= 1;
    row.lease = None;
    step.update_in_attempt(given_up, &row, Stage::Running, EventKind::Released)?;
    Ok(row)
}

/// Marks the row as final now.
pub(in super::super) fn finish(step: &Step<'_>, row: &mut TaskRow, stage: Stage) {
    row.stage = stage;
    row.lease = None;
    row.finished_at = Some(step.now);
    row.expires_at = policy::expires_at(step.now, step.options);
}
