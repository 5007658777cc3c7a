//! Leases end without their holders: by time, or because the holder's process is gone.

use std::collections::HashMap;

use pixmill_types::{EventKind, FailureCode, Transition, WorkerId};
use rusqlite::params;

use super::super::rows::{TaskRow, clamped, millis, to_json};
use super::super::stage::Stage;
use super::super::step::{Outcome, Step};
use super::finish::fail_for_good;
use super::leases::{LeaseRow, orphan};
use crate::presence::Presence;
use crate::{LostAttempt, Reaped, policy};

/// Word of a lost lease waits this many lease lengths for its worker; a heartbeat tells the same anyway.
const REVOCATION_LEASES: u32 = 10;

/// Expires up to `limit` leases.
pub(in super::super) fn reap(step: &mut Step<'_>, limit: usize) -> Outcome<Reaped> {
    let mut reaped = Reaped::default();
    let presence = step.note_presence()?;
    for (lease, gone) in expired(step, presence, limit)? {
        let mut row = TaskRow::by_seq(step.connection, lease.seq)?.ok_or_else(|| orphan(lease.lease))?;
        lease.end(step, None)?;
        if !gone {
            step.revoke(&lease.worker, lease.lease)?;
        }
        row.lease = None;
        let code = expire(step, &mut row, gone)?;
        let lost = LostAttempt {
            task: row.id,
            attempt: row.attempt,
            worker: lease.worker,
            code,
        };
        reaped.add(lost, row.stage.state());
    }
    forget_revocations(step, limit)?;
    Ok(reaped)
}

/// The leases to expire, and whether their holder is known to be gone.
fn expired(step: &Step<'_>, presence: Presence, limit: usize) -> Outcome<Vec<(LeaseRow, bool)>> {
    let sql = format!("SELECT {} FROM leases ORDER BY expires_at", LeaseRow::COLUMNS);
    let mut statement = step.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut gone: HashMap<WorkerId, bool> = HashMap::new();
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let lease = LeaseRow::read(row)?;
        let is_gone = match gone.get(&lease.worker) {
            Some(known) => *known,
            None => {
                let known = is_gone(step, &lease.worker);
                gone.insert(lease.worker.clone(), known);
                known
            }
        };
        if is_gone || presence.is_expired(lease.expires_at, step.now) {
            found.push((lease, is_gone));
        }
    }
    Ok(found)
}

fn is_gone(step: &Step<'_>, worker: &WorkerId) -> bool {
    // A lock that cannot be looked at says nothing: time decides.
    step.locks.is_gone(worker).unwrap_or_else(|error| {
        tracing::warn!(worker.id = %worker, %error, "cannot tell whether a worker is alive");
        false
    })
}

/// Queues a running task again, or fails it after its last attempt; returns what became of the attempt.
fn expire(step: &mut Step<'_>, row: &mut TaskRow, worker_is_gone: bool) -> Outcome<FailureCode> {
    let started_at = row.started_at.unwrap_or(step.now);
    let failure = policy::expiry_failure(step.now, started_at, row.timeout_ms, worker_is_gone);
    row.failure = Some(to_json(&failure)?);
    let follows = policy::after_failure(&failure, row.attempt, row.max_attempts);
    if follows == Transition::Fail {
        fail_for_good(step, row, failure.code)?;
        return Ok(failure.code);
    }
    row.stage.state().after(follows)?;
    row.stage = Stage::Ready;
    row.sort_key = policy::sort_key(row.ready_since, row.priority, step.options);
    step.update(row, Stage::Running, EventKind::Retrying(failure.code))?;
    Ok(failure.code)
}

fn forget_revocations(step: &Step<'_>, limit: usize) -> Outcome<()> {
    let before = step.now.before(step.options.lease.saturating_mul(REVOCATION_LEASES));
    step.connection
        .prepare_cached(
            "DELETE FROM revocations WHERE seq IN \
             (SELECT seq FROM revocations WHERE at <= ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![millis(before), clamped(limit as u64)])?;
    Ok(())
}
