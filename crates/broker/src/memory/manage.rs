//! What clients and the janitor ask for: submit, call off, send round again, look up, clean up.

use pixmill_types::{EventKind, IdempotencyKey, Task, TaskId, TaskState, Transition};

use super::state::State;
use crate::{BrokerError, EndedQuery, FollowUp, ListCursor, ListQuery, Page, Stats, Submission, Submitted, policy};

impl State {
    /// Stores a client's task, unless it is there already or there is no room.
    pub(super) fn submit(&mut self, submission: Submission) -> Result<Submitted, BrokerError> {
        let Submission {
            task,
            idempotency,
            staged_for,
        } = submission;
        if let Some(seq) = self.by_id.get(&task.id) {
            return self.existing(*seq);
        }
        if let Some(wanted) = &idempotency
            && let Some(used) = self.keys.get(&wanted.key, self.now)
            && let Some(seq) = self.by_id.get(&used.task)
        {
            if used.idempotency.fingerprint != wanted.fingerprint {
                return Err(BrokerError::KeyReused);
            }
            return self.existing(*seq);
        }
        if policy::is_staged_too_long(&self.options, staged_for) {
            return Err(BrokerError::StagedTooLong);
        }
        let queued = self.queues.get(&task.queue).map_or(0, |queue| queue.queued());
        if policy::is_full(&self.options, queued) {
            let limit = self.options.max_queued;
            return Ok(Submitted::Full { queued, limit });
        }
        if let Some(idempotency) = idempotency {
            let expires_at = policy::idempotency_expiry(&self.options, self.now);
            self.keys.remember(idempotency, task.id, expires_at);
        }
        Ok(Submitted::Created(Box::new(self.enqueue(task))))
    }

    /// Whether a key stands for a task that has a record.
    pub(super) fn is_used(&self, key: &IdempotencyKey) -> bool {
        let used = self.keys.get(key, self.now);
        used.is_some_and(|used| self.by_id.contains_key(&used.task))
    }

    fn existing(&self, seq: u64) -> Result<Submitted, BrokerError> {
        Ok(Submitted::Existing(Box::new(self.record(seq)?.task.clone())))
    }

    /// Calls a task off.
    pub(super) fn cancel(&mut self, id: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        let seq = self.find(id)?;
        let task = &self.record(seq)?.task;
        if task.state == TaskState::Cancelled {
            return Ok(task.clone());
        }
        let task = self.transition(seq, Transition::Cancel, EventKind::Cancelled, |_| {})?;
        self.revoke(seq);
        self.enqueue_owed(follow_ups);
        Ok(task)
    }

    /// Sends a failed task round again.
    pub(super) fn retry(&mut self, id: TaskId) -> Result<Task, BrokerError> {
        let seq = self.find(id)?;
        let now = self.now;
        let sort_key = policy::sort_key(now, self.record(seq)?.task.priority, &self.options);
        self.transition(seq, Transition::Retry, EventKind::Retried, |record| {
            record.ready_since = now;
            record.sort_key = sort_key;
            record.task.attempt = 0;
            record.task.not_before = None;
            record.task.finished_at = None;
            record.task.failure = None;
        })
    }

    /// Deletes a record, whatever its state.
    pub(super) fn delete(&mut self, id: TaskId) -> Result<(), BrokerError> {
        let seq = self.find(id)?;
        self.remove(seq);
        Ok(())
    }

    /// Reads one record.
    pub(super) fn get(&self, id: TaskId) -> Result<Task, BrokerError> {
        Ok(self.record(self.find(id)?)?.task.clone())
    }

    /// Lists records, newest first.
    pub(super) fn list(&self, query: &ListQuery) -> Result<Page, BrokerError> {
        let limit = query.limit.clamp(1, policy::MAX_PAGE);
        let before = query.after.as_ref().map_or(Ok(u64::MAX), parse_cursor)?;
        let is_wanted = |state: TaskState| query.state.is_none_or(|wanted| wanted == state);
        // The newest of each queue and state are among the newest of all. One more than the page tells whether there
        // is a next one.
        let mut newest: Vec<u64> = self
            .queues
            .iter()
            .filter(|(name, _)| query.queue.as_ref().is_none_or(|wanted| wanted == *name))
            .flat_map(|(_, queue)| {
                let states = TaskState::ALL.into_iter().filter(|state| is_wanted(*state));
                states.flat_map(|state| queue.newest(state, before).take(limit + 1))
            })
            .collect();
        newest.sort_unstable_by(|left, right| right.cmp(left));
        let has_more = newest.len() > limit;
        newest.truncate(limit);
        let next = newest
            .last()
            .filter(|_| has_more)
            .map(|seq| ListCursor(format!("{seq:x}")));
        let tasks = newest.into_iter().map(|seq| Ok(self.record(seq)?.task.clone()));
        Ok(Page {
            tasks: tasks.collect::<Result<_, BrokerError>>()?,
            next,
        })
    }

    /// Reads failed and cancelled tasks by when they ended.
    pub(super) fn ended(&self, query: &EndedQuery) -> Result<Vec<Task>, BrokerError> {
        let queue = self.queues.get(&query.queue).into_iter();
        let seqs = queue.flat_map(|queue| queue.ended(query.since, query.after));
        seqs.take(query.limit.clamp(1, policy::MAX_PAGE))
            .map(|seq| Ok(self.record(seq)?.task.clone()))
            .collect()
    }

    /// Counts.
    pub(super) fn stats(&self) -> Stats {
        Stats {
            now: self.now,
            queues: self
                .queues
                .iter()
                .filter_map(|(name, queue)| queue.stats(name))
                .collect(),
            pending_deletions: self.deletions.len() as u64,
        }
    }

    /// Deletes up to `limit` expired records, keys and entries together, in this order; returns how many.
    pub(super) fn purge(&mut self, limit: usize) -> u64 {
        let due = self
            .expiring
            .iter()
            .take_while(|(time, _)| *time <= self.now)
            .take(limit);
        let due: Vec<u64> = due.map(|(_, seq)| *seq).collect();
        let mut purged = due.len();
        due.into_iter().for_each(|seq| self.remove(seq));
        purged += self.keys.purge(limit - purged, self.now);
        purged += self.entries.purge(limit - purged, self.now);
        purged as u64
    }
}

fn parse_cursor(cursor: &ListCursor) -> Result<u64, BrokerError> {
    let seq = u64::from_str_radix(&cursor.0, 16).ok();
    seq.filter(|seq| *seq > 0 && format!("{seq:x}") == cursor.0)
        .ok_or(BrokerError::InvalidCursor)
}
