//! Workers take tasks.

use std::time::Duration;

use pixmill_types::{EventKind, LeaseId, QueueName, Timestamp, Transition};
use rusqlite::{OptionalExtension, params};

use super::super::rows::{TaskRow, millis, signed, timestamp, unsigned};
use super::super::stage::Stage;
use super::super::step::{Outcome, Step};
use super::leases::{LeaseRow, orphan};
use crate::policy::{self, Offer};
use crate::{BrokerError, ClaimRequest, Claimed, Lease};

/// Delayed tasks one claim makes ready when their time has come.
const MAX_PROMOTED: i64 = 256;

/// [`Lease`] before its task's JSON is read.
#[derive(Debug)]
pub(in super::super) struct Grant {
    lease: LeaseId,
    row: TaskRow,
    duration: Duration,
    expires_at: Timestamp,
}

/// [`Claimed`] before its tasks' JSON is read.
#[derive(Debug)]
pub(in super::super) struct ClaimAnswer {
    /// What was granted, most urgent first.
    pub(in super::super) grants: Vec<Grant>,
    /// When the next delayed task is due.
    pub(in super::super) next_due: Option<Timestamp>,
}

impl ClaimAnswer {
    /// The answer as callers see it.
    pub(in super::super) fn decode(self) -> Result<Claimed, BrokerError> {
        let decode = |grant: Grant| {
            Ok(Lease {
                id: grant.lease,
                task: grant.row.into_task()?,
                duration: grant.duration,
                expires_at: grant.expires_at,
            })
        };
        Ok(Claimed {
            leases: self
                .grants
                .into_iter()
                .map(decode)
                .collect::<Result<_, BrokerError>>()?,
            next_due: self.next_due,
        })
    }
}

/// Leases what fits, or what the same request was granted before.
pub(in super::super) fn claim(step: &mut Step<'_>, request: &ClaimRequest) -> Outcome<ClaimAnswer> {
    // Before anything is leased: a reaper that sees the lease must find the lock.
    if let Err(error) = step.locks.hold(&request.worker) {
        return Err(BrokerError::Unavailable(Box::new(error)).into());
    }
    step.note_presence()?;
    let next_due = promote(step, &request.queue)?;
    let mut grants = granted_before(step, request)?;
    if grants.is_empty() {
        for seq in choose(step, request)? {
            grants.push(grant(step, request, seq)?);
        }
    }
    Ok(ClaimAnswer { grants, next_due })
}

/// Makes delayed tasks ready whose time has come; returns when the next one is due.
pub(in super::super) fn promote(step: &mut Step<'_>, queue: &QueueName) -> Outcome<Option<Timestamp>> {
    let first = next_delayed(step, queue)?;
    if first.is_none_or(|time| time > step.now) {
        return Ok(first);
    }
    let due: Vec<i64> = step
        .connection
        .prepare_cached(
            "SELECT seq FROM tasks WHERE queue = ?1 AND stage = 'delayed' AND not_before <= ?2 \
             ORDER BY not_before LIMIT ?3",
        )?
        .query_map(params![queue.as_str(), millis(step.now), MAX_PROMOTED], |row| {
            row.get(0)
        })?
        .collect::<rusqlite::Result<_>>()?;
    for seq in due {
        step.connection
            .prepare_cached("UPDATE tasks SET stage = 'ready' WHERE seq = ?1")?
            .execute([seq])?;
        step.recount(queue, Stage::Delayed, Stage::Ready);
    }
    Ok(next_delayed(step, queue)?)
}

fn next_delayed(step: &Step<'_>, queue: &QueueName) -> rusqlite::Result<Option<Timestamp>> {
    let first: Option<i64> = step
        .connection
        .prepare_cached("SELECT min(not_before) FROM tasks WHERE queue = ?1 AND stage = 'delayed'")?
        .query_row([queue.as_str()], |row| row.get(0))?;
    Ok(first.map(timestamp))
}

fn granted_before(step: &Step<'_>, request: &ClaimRequest) -> Outcome<Vec<Grant>> {
    let held: Vec<LeaseRow> = step
        .connection
        .prepare_cached(
            "SELECT lease, seq, worker, started_at, expires_at FROM leases WHERE request = ?1 AND worker = ?2",
        )?
        .query_map(
            params![signed(request.request.bits()), request.worker.as_str()],
            LeaseRow::read,
        )?
        .collect::<rusqlite::Result<_>>()?;
    let mut grants = Vec::with_capacity(held.len());
    for lease in held {
        let row = TaskRow::by_seq(step.connection, lease.seq)?.ok_or_else(|| orphan(lease.lease))?;
        grants.push(Grant {
            lease: lease.lease,
            row,
            duration: step.options.lease,
            expires_at: lease.expires_at,
        });
    }
    grants.sort_by_key(|grant| (grant.row.sort_key, grant.row.seq));
    Ok(grants)
}

/// Finds the most urgent tasks that fit. Reads an index only, and only a bounded part of it.
fn choose(step: &Step<'_>, request: &ClaimRequest) -> rusqlite::Result<Vec<i64>> {
    let mut statement = step.connection.prepare_cached(
        "SELECT seq, cost_bytes FROM tasks INDEXED BY tasks_ready WHERE queue = ?1 AND stage = 'ready' \
         ORDER BY sort_key, seq",
    )?;
    let mut rows = statement.query([request.queue.as_str()])?;
    let mut chosen = Vec::new();
    let mut offer = Offer::new(request.max_tasks, request.max_bytes, request.idle);
    while offer.is_open()
        && let Some(row) = rows.next()?
    {
        if offer.take(unsigned(row.get(1)?)) {
            chosen.push(row.get(0)?);
        }
    }
    Ok(chosen)
}

fn grant(step: &mut Step<'_>, request: &ClaimRequest, seq: i64) -> Outcome<Grant> {
    let mut row = TaskRow::by_seq(step.connection, seq)?
        .ok_or_else(|| BrokerError::Corrupt(format!("row {seq} is in an index and not in its table")))?;
    row.stage.state().after(Transition::Claim)?;
    let expires_at = policy::lease_end(step.now, step.now, row.timeout_ms, step.options);
    let lease = LeaseRow {
        lease: LeaseId::from_bits(rand::random()),
        seq,
        worker: request.worker.clone(),
        started_at: step.now,
        expires_at,
    };
    lease.insert(step, row.queue.as_str(), request.request)?;
    row.stage = Stage::Running;
    row.attempt += 1;
    row.started_at = Some(step.now);
    row.lease = Some(lease.lease);
    step.update(&row, Stage::Ready, EventKind::Started)?;
    Ok(Grant {
        lease: lease.lease,
        row,
        duration: step.options.lease,
        expires_at,
    })
}

/// Whether any task of `queue` is ready.
pub(in super::super) fn any_ready(step: &Step<'_>, queue: &QueueName) -> rusqlite::Result<bool> {
    let found: Option<i64> = step
        .connection
        .prepare_cached("SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE queue = ?1 AND stage = 'ready' LIMIT 1")?
        .query_row([queue.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}
