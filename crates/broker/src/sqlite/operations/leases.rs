//! Rows of `leases` and `ended_leases`: who holds what, and what was accepted of whom.

use pixmill_types::{LeaseId, RequestId, Timestamp, WorkerId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::rows::{TaskRow, millis, signed, timestamp, unsigned};
use super::super::step::{Outcome, Step};
use crate::policy;
use crate::{BrokerError, Renewal};

/// A lease in force.
#[derive(Debug)]
pub(in super::super) struct LeaseRow {
    pub(in super::super) lease: LeaseId,
    pub(in super::super) seq: i64,
    pub(in super::super) worker: WorkerId,
    pub(in super::super) started_at: Timestamp,
    pub(in super::super) expires_at: Timestamp,
}

/// How a lease was given up by its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Ended {
    Completed,
    Failed,
    Released,
}

impl Ended {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Released => "released",
        }
    }
}

impl LeaseRow {
    /// The columns [`LeaseRow::read`] expects, in its order.
    pub(in super::super) const COLUMNS: &'static str = "lease, seq, worker, started_at, expires_at";

    /// Reads a row of [`LeaseRow::COLUMNS`].
    pub(in super::super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let worker = row.get_ref(2)?.as_str()?.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok(Self {
            lease: LeaseId::from_bits(unsigned(row.get(0)?)),
            seq: row.get(1)?,
            worker,
            started_at: timestamp(row.get(3)?),
            expires_at: timestamp(row.get(4)?),
        })
    }

    /// The lease, when it is in force.
    pub(in super::super) fn find(connection: &Connection, lease: LeaseId) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT lease, seq, worker, started_at, expires_at FROM leases WHERE lease = ?1")?
            .query_row([signed(lease.bits())], Self::read)
            .optional()
    }

    /// Puts the lease in force, for the request that claimed it.
    pub(in super::super) fn insert(&self, step: &Step<'_>, queue: &str, request: RequestId) -> rusqlite::Result<()> {
        step.connection
            .prepare_cached(
                "INSERT INTO leases (lease, seq, queue, worker, request, started_at, expires_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                signed(self.lease.bits()),
                self.seq,
                queue,
                self.worker.as_str(),
                signed(request.bits()),
                millis(self.started_at),
                millis(self.expires_at),
            ])?;
        Ok(())
    }

    /// Takes the lease out of force. `ended` is remembered, so that the holder may repeat its call; a lease that was
    /// taken away is forgotten.
    pub(in super::super) fn end(&self, step: &Step<'_>, ended: Option<Ended>) -> rusqlite::Result<()> {
        let bits = signed(self.lease.bits());
        step.connection
            .prepare_cached("DELETE FROM leases WHERE lease = ?1")?
            .execute([bits])?;
        if let Some(ended) = ended {
            step.connection
                .prepare_cached("INSERT INTO ended_leases (lease, seq, ended) VALUES (?1, ?2, ?3)")?
                .execute(params![bits, self.seq, ended.as_str()])?;
        }
        Ok(())
    }
}

/// The lease a call names, with its task.
#[derive(Debug)]
pub(in super::super) enum Named {
    /// In force: the call may take effect.
    Held(LeaseRow, TaskRow),
    /// Given up by the very same call, made before; the record as it is now.
    Repeated(TaskRow),
}

/// Finds the lease that a call ending it by `ended` names.
pub(in super::super) fn named(step: &Step<'_>, lease: LeaseId, ended: Ended) -> Outcome<Named> {
    if let Some(held) = LeaseRow::find(step.connection, lease)? {
        let row = TaskRow::by_seq(step.connection, held.seq)?.ok_or_else(|| orphan(lease))?;
        return Ok(Named::Held(held, row));
    }
    let seq: Option<i64> = step
        .connection
        .prepare_cached("SELECT seq FROM ended_leases WHERE lease = ?1 AND ended = ?2")?
        .query_row(params![signed(lease.bits()), ended.as_str()], |row| row.get(0))
        .optional()?;
    let row = match seq {
        Some(seq) => TaskRow::by_seq(step.connection, seq)?,
        None => None,
    };
    row.map(Named::Repeated).ok_or_else(|| BrokerError::StaleLease.into())
}

/// A lease whose task has no record.
pub(in super::super) fn orphan(lease: LeaseId) -> BrokerError {
    BrokerError::Corrupt(format!("lease {lease} belongs to no task"))
}

/// Takes the lease of a running task away, and leaves word for its holder.
pub(in super::super) fn revoke(step: &mut Step<'_>, row: &mut TaskRow) -> Outcome<()> {
    if let Some(lease) = row.lease.take()
        && let Some(held) = LeaseRow::find(step.connection, lease)?
    {
        held.end(step, None)?;
        step.revoke(&held.worker, lease)?;
    }
    Ok(())
}

/// Renews the leases of `worker`.
pub(in super::super) fn heartbeat(step: &mut Step<'_>, worker: &WorkerId, leases: &[LeaseId]) -> Outcome<Vec<Renewal>> {
    step.note_presence()?;
    leases.iter().map(|lease| renew(step, worker, *lease)).collect()
}

fn renew(step: &Step<'_>, worker: &WorkerId, lease: LeaseId) -> Outcome<Renewal> {
    let Some(held) = LeaseRow::find(step.connection, lease)?.filter(|held| held.worker == *worker) else {
        return Ok(Renewal::Stale);
    };
    let timeout_ms: Option<i64> = step
        .connection
        .prepare_cached("SELECT timeout_ms FROM tasks WHERE seq = ?1")?
        .query_row([held.seq], |row| row.get(0))
        .optional()?;
    let timeout_ms = unsigned(timeout_ms.ok_or_else(|| orphan(lease))?);
    let expires_at = policy::lease_end(step.now, held.started_at, timeout_ms, step.options);
    step.connection
        .prepare_cached("UPDATE leases SET expires_at = ?1 WHERE lease = ?2")?
        .execute(params![millis(expires_at), signed(lease.bits())])?;
    Ok(Renewal::Renewed(expires_at))
}

/// The leases that `worker` lost and has not been told of.
pub(in super::super) fn revoked(connection: &Connection, worker: &WorkerId) -> Outcome<Vec<LeaseId>> {
    let mut statement =
        connection.prepare_cached("SELECT lease FROM revocations WHERE worker = ?1 ORDER BY seq LIMIT 1000")?;
    let rows = statement.query_map([worker.as_str()], |row| row.get(0))?;
    rows.map(|bits| Ok(LeaseId::from_bits(unsigned(bits?)))).collect()
}

/// Reads and forgets the leases that `worker` lost.
pub(in super::super) fn take_revoked(step: &mut Step<'_>, worker: &WorkerId) -> Outcome<Vec<LeaseId>> {
    let lost = revoked(step.connection, worker)?;
    for lease in &lost {
        step.connection
            .prepare_cached("DELETE FROM revocations WHERE worker = ?1 AND lease = ?2")?
            .execute(params![worker.as_str(), signed(lease.bits())])?;
    }
    Ok(lost)
}
