//! What workers and their reaper ask for: claim, renew, give back, expire.

use pixmill_types::{EventKind, Failure, LeaseId, Success, Task, Timestamp, Transition, WorkerId};

use super::state::{Ended, Held, Named, State};
use crate::policy::{self, Offer};
use crate::{BrokerError, ClaimRequest, Claimed, Completion, FollowUp, Lease, LostAttempt, Reaped, Renewal};

impl State {
    /// Leases what fits, or what the same call was granted before.
    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Result<Claimed, BrokerError> {
        self.presence.note(&self.options, self.now);
        let mut leases = self.granted_before(request)?;
        if leases.is_empty() {
            for seq in self.choose(request) {
                leases.push(self.grant(request, seq)?);
            }
        }
        let next_due = self.queues.get(&request.queue).and_then(|queue| queue.next_due());
        Ok(Claimed { leases, next_due })
    }

    fn granted_before(&self, request: &ClaimRequest) -> Result<Vec<Lease>, BrokerError> {
        let mut granted = Vec::new();
        for (id, held) in &self.leases {
            if held.request == request.request && held.worker == request.worker {
                let record = self.record(held.seq)?;
                granted.push((
                    (record.sort_key, record.seq),
                    self.lease(*id, &record.task, held.expires_at),
                ));
            }
        }
        granted.sort_by_key(|(place, _)| *place);
        Ok(granted.into_iter().map(|(_, lease)| lease).collect())
    }

    fn choose(&self, request: &ClaimRequest) -> Vec<u64> {
        let mut offer = Offer::new(request.max_tasks, request.max_bytes, request.idle);
        let mut chosen = Vec::new();
        let queue = self.queues.get(&request.queue);
        for (seq, cost_bytes) in queue.into_iter().flat_map(|queue| queue.ready()) {
            if !offer.is_open() {
                break;
            }
            if offer.take(cost_bytes) {
                chosen.push(seq);
            }
        }
        chosen
    }

    fn grant(&mut self, request: &ClaimRequest, seq: u64) -> Result<Lease, BrokerError> {
        let (id, now) = (LeaseId::from_bits(rand::random()), self.now);
        let task = self.transition(seq, Transition::Claim, EventKind::Started, |record| {
            record.task.attempt += 1;
            record.task.started_at = Some(now);
            record.lease = Some(id);
        })?;
        let expires_at = policy::lease_end(now, now, task.timeout_ms, &self.options);
        let held = Held {
            seq,
            worker: request.worker.clone(),
            request: request.request,
            expires_at,
        };
        self.leases.insert(id, held);
        Ok(self.lease(id, &task, expires_at))
    }

    fn lease(&self, id: LeaseId, task: &Task, expires_at: Timestamp) -> Lease {
        Lease {
            id,
            task: task.clone(),
            duration: self.options.lease,
            expires_at,
        }
    }

    /// Renews the leases of `worker`.
    pub(super) fn heartbeat(&mut self, worker: &WorkerId, leases: &[LeaseId]) -> Vec<Renewal> {
        self.presence.note(&self.options, self.now);
        leases.iter().map(|lease| self.renew(worker, *lease)).collect()
    }

    fn renew(&mut self, worker: &WorkerId, lease: LeaseId) -> Renewal {
        let held = self.leases.get_mut(&lease).filter(|held| held.worker == *worker);
        let Some((held, record)) = held.and_then(|held| self.records.get(&held.seq).map(|record| (held, record)))
        else {
            return Renewal::Stale;
        };
        let started_at = record.task.started_at.unwrap_or(self.now);
        held.expires_at = policy::lease_end(self.now, started_at, record.task.timeout_ms, &self.options);
        Renewal::Renewed(held.expires_at)
    }

    /// Ends the task with outputs.
    pub(super) fn complete(&mut self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError> {
        let seq = match self.named(lease, Ended::Completed)? {
            Named::Held(seq) => seq,
            Named::Repeated(task) => return Ok(*task),
        };
        let success = Success {
            lease,
            outputs: completion.outputs,
            warnings: completion.warnings,
        };
        let task = self.transition(seq, Transition::Complete, EventKind::Completed, |record| {
            record.task.success = Some(success);
            record.task.failure = None;
        })?;
        self.end(lease, Ended::Completed);
        self.enqueue_owed(completion.follow_ups);
        Ok(task)
    }

    /// Ends the attempt without outputs.
    pub(super) fn fail(
        &mut self,
        lease: LeaseId,
        failure: Failure,
        follow_ups: Vec<FollowUp>,
    ) -> Result<Task, BrokerError> {
        let seq = match self.named(lease, Ended::Failed)? {
            Named::Held(seq) => seq,
            Named::Repeated(task) => return Ok(*task),
        };
        let attempt = self.record(seq)?.task.attempt;
        let delay = policy::backoff(attempt, rand::random(), &self.options);
        let due = self.now.after(delay);
        let task = self.end_attempt(seq, failure, Some(due))?;
        self.end(lease, Ended::Failed);
        if task.state.is_final() {
            self.enqueue_owed(follow_ups);
        }
        Ok(task)
    }

    /// Queues a running task again, for `due` or at its old place, or fails it when no attempt may follow.
    fn end_attempt(&mut self, seq: u64, failure: Failure, due: Option<Timestamp>) -> Result<Task, BrokerError> {
        let task = &self.record(seq)?.task;
        let priority = task.priority;
        let transition = policy::after_failure(&failure, task.attempt, task.max_attempts);
        let kind = if transition == Transition::Fail {
            EventKind::Failed(failure.code)
        } else {
            EventKind::Retrying(failure.code)
        };
        let place = due
            .filter(|_| transition == Transition::Requeue)
            .map(|due| (due, policy::sort_key(due, priority, &self.options)));
        self.transition(seq, transition, kind, |record| {
            record.task.failure = Some(failure);
            if let Some((due, sort_key)) = place {
                record.task.not_before = Some(due);
                record.ready_since = due;
                record.sort_key = sort_key;
            }
        })
    }

    /// Gives the task its old place back.
    pub(super) fn release(&mut self, lease: LeaseId) -> Result<Task, BrokerError> {
        let seq = match self.named(lease, Ended::Released)? {
            Named::Held(seq) => seq,
            Named::Repeated(task) => return Ok(*task),
        };
        let task = self.transition(seq, Transition::Requeue, EventKind::Released, |record| {
            record.task.attempt -= 1;
        })?;
        self.end(lease, Ended::Released);
        Ok(task)
    }

    /// Takes the leases that `worker` lost and has not been told of.
    pub(super) fn take_revoked(&mut self, worker: &WorkerId) -> Vec<LeaseId> {
        let lost = self.revoked.remove(worker).unwrap_or_default();
        lost.into_iter().map(|(lease, _)| lease).collect()
    }

    /// Expires up to `limit` leases that ran out.
    pub(super) fn reap(&mut self, limit: usize) -> Result<Reaped, BrokerError> {
        self.presence.note(&self.options, self.now);
        self.forget_revocations();
        let mut reaped = Reaped::default();
        let is_expired = |held: &&Held| self.presence.is_expired(held.expires_at, self.now);
        let expired = self.leases.values().filter(is_expired);
        let mut expired: Vec<(Timestamp, u64, WorkerId)> = expired
            .map(|held| (held.expires_at, held.seq, held.worker.clone()))
            .collect();
        expired.sort_unstable();
        for (_, seq, worker) in expired.into_iter().take(limit) {
            let task = &self.record(seq)?.task;
            let started_at = task.started_at.unwrap_or(self.now);
            let failure = policy::expiry_failure(self.now, started_at, task.timeout_ms, false);
            let lost = LostAttempt {
                task: task.id,
                attempt: task.attempt,
                worker,
                code: failure.code,
            };
            let task = self.end_attempt(seq, failure, None)?;
            self.revoke(seq);
            reaped.add(lost, task.state);
        }
        Ok(reaped)
    }

    fn forget_revocations(&mut self) {
        let before = self.now.before(policy::revocation_kept(&self.options));
        self.revoked.retain(|_, lost| {
            lost.retain(|(_, at)| *at >= before);
            !lost.is_empty()
        });
    }
}
