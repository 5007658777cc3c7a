//! All the broker knows, and the few moves every operation is made of. Only this file changes a record's state, and it
//! keeps the indexes, the leases and the event log in step.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pixmill_types::{
    Event, EventKind, LeaseId, NewTask, QueueName, RequestId, Task, TaskId, TaskState, Timestamp, Transition, WorkerId,
};

use super::entries::Entries;
use super::keys::Keys;
use super::log::EventLog;
use super::queue::Queue;
use crate::changes::Changes;
use crate::presence::Presence;
use crate::{BrokerError, BrokerOptions, FollowUp, policy};

/// A task and its place.
#[derive(Debug)]
pub(super) struct Record {
    /// The order of arrival.
    pub(super) seq: u64,
    /// The record as callers see it.
    pub(super) task: Task,
    /// Since when, or from when on, it may be claimed. Outlives a claim, so that a released task gets its place back.
    pub(super) ready_since: Timestamp,
    /// Its place among ready tasks.
    pub(super) sort_key: i64,
    /// The lease in force; present exactly when the task is running.
    pub(super) lease: Option<LeaseId>,
    /// Leases that their holders gave up.
    ended: Vec<LeaseId>,
}

/// A lease in force.
#[derive(Debug)]
pub(super) struct Held {
    /// The task.
    pub(super) seq: u64,
    /// Who holds it.
    pub(super) worker: WorkerId,
    /// The call that claimed it.
    pub(super) request: RequestId,
    /// When it runs out.
    pub(super) expires_at: Timestamp,
}

/// How a lease was given up by its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With outputs.
    Completed,
    /// With a failure.
    Failed,
    /// Untouched.
    Released,
}

/// The lease a call names.
#[derive(Debug)]
pub(super) enum Named {
    /// In force: the call may take effect on this task.
    Held(u64),
    /// Given up by the very same call, made before; the record as it is now.
    Repeated(Box<Task>),
}

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    /// The broker's settings.
    pub(super) options: BrokerOptions,
    /// The broker's clock when the call under way began.
    pub(super) now: Timestamp,
    /// Records by order of arrival.
    pub(super) records: BTreeMap<u64, Record>,
    /// Order of arrival by id.
    pub(super) by_id: HashMap<TaskId, u64>,
    /// Places by queue.
    pub(super) queues: BTreeMap<QueueName, Queue>,
    /// Leases in force.
    pub(super) leases: HashMap<LeaseId, Held>,
    /// Leases taken from workers that have not been told yet, and when.
    pub(super) revoked: HashMap<WorkerId, Vec<(LeaseId, Timestamp)>>,
    /// Finished records by when they go away.
    pub(super) expiring: BTreeSet<(Timestamp, u64)>,
    /// Tasks whose records are gone and whose blobs are not.
    pub(super) deletions: BTreeSet<TaskId>,
    /// Idempotency keys.
    pub(super) keys: Keys,
    /// The event log.
    pub(super) log: EventLog,
    /// The registry.
    pub(super) entries: Entries,
    /// Whether the broker was away.
    pub(super) presence: Presence,
    /// Whom the call under way concerns.
    pub(super) changed: Changes,
    ended: HashMap<LeaseId, (u64, Ended)>,
    next_seq: u64,
}

impl State {
    /// Nothing yet.
    pub(super) fn new(options: BrokerOptions) -> Self {
        let now = options.clock.now();
        Self {
            options,
            now,
            records: BTreeMap::new(),
            by_id: HashMap::new(),
            queues: BTreeMap::new(),
            leases: HashMap::new(),
            revoked: HashMap::new(),
            expiring: BTreeSet::new(),
            deletions: BTreeSet::new(),
            keys: Keys::default(),
            log: EventLog::new(),
            entries: Entries::default(),
            presence: Presence::new(now),
            changed: Changes::default(),
            ended: HashMap::new(),
            next_seq: 1,
        }
    }

    /// Begins a call: reads the clock, and readies the tasks that are due.
    pub(super) fn begin(&mut self) {
        let now = self.options.clock.now();
        self.now = now;
        for queue in self.queues.values_mut() {
            while let Some(seq) = queue.pop_due(now) {
                if let Some(record) = self.records.get(&seq) {
                    queue.make_ready(record);
                }
            }
        }
    }

    /// Stores a task that is not there yet, with its event.
    pub(super) fn enqueue(&mut self, new: NewTask) -> Task {
        let seq = self.next_seq;
        self.next_seq += 1;
        let ready_since = policy::ready_since(self.now, new.not_before);
        let record = Record {
            seq,
            ready_since,
            sort_key: policy::sort_key(ready_since, new.priority, &self.options),
            lease: None,
            ended: Vec::new(),
            task: policy::accepted(new, self.now),
        };
        let task = record.task.clone();
        self.by_id.insert(task.id, seq);
        self.queues
            .entry(task.queue.clone())
            .or_default()
            .enter(&record, self.now);
        self.records.insert(seq, record);
        self.changed.queue(&task.queue);
        self.append(&task, task.attempt, EventKind::Queued);
        task
    }

    /// Enqueues the tasks a transition owes. Those that are there already came with the same call made before.
    pub(super) fn enqueue_owed(&mut self, tasks: Vec<FollowUp>) {
        for task in tasks.into_iter().map(FollowUp::into_task) {
            if !self.by_id.contains_key(&task.id) {
                self.enqueue(task);
            }
        }
    }

    /// The place of the task `id`.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`].
    pub(super) fn find(&self, id: TaskId) -> Result<u64, BrokerError> {
        self.by_id.get(&id).copied().ok_or(BrokerError::NotFound(id))
    }

    /// The record at `seq`.
    ///
    /// # Errors
    /// [`BrokerError::Corrupt`] when an index leads nowhere.
    pub(super) fn record(&self, seq: u64) -> Result<&Record, BrokerError> {
        self.records.get(&seq).ok_or_else(|| dangling(seq))
    }

    /// Takes the task at `seq` through `transition`; `change` adjusts its record, and `kind` is logged for the attempt
    /// it happened in.
    ///
    /// # Errors
    /// [`BrokerError::Conflict`] when its state does not allow the transition; then nothing has changed.
    pub(super) fn transition(
        &mut self,
        seq: u64,
        transition: Transition,
        kind: EventKind,
        change: impl FnOnce(&mut Record),
    ) -> Result<Task, BrokerError> {
        let record = self.records.get_mut(&seq).ok_or_else(|| dangling(seq))?;
        let state = record.task.state.after(transition)?;
        let attempt_before = record.task.attempt;
        let queue = self.queues.entry(record.task.queue.clone()).or_default();
        queue.leave(record);
        change(record);
        record.task.state = state;
        match record.task.expires_at {
            Some(time) if !state.is_final() => {
                self.expiring.remove(&(time, seq));
                record.task.expires_at = None;
            }
            _ => {}
        }
        if state.is_final() {
            record.task.finished_at = Some(self.now);
            record.task.expires_at = policy::expires_at(self.now, &self.options);
            self.expiring.extend(record.task.expires_at.map(|time| (time, seq)));
        }
        queue.enter(record, self.now);
        let task = record.task.clone();
        if state == TaskState::Queued {
            self.changed.queue(&task.queue);
        }
        let attempt = if kind == EventKind::Released {
            attempt_before
        } else {
            task.attempt
        };
        self.append(&task, attempt, kind);
        Ok(task)
    }

    /// Replaces the record at `seq` by a note that its blobs are to be deleted.
    pub(super) fn remove(&mut self, seq: u64) {
        self.revoke(seq);
        let Some(record) = self.records.remove(&seq) else {
            return;
        };
        if let Some(queue) = self.queues.get_mut(&record.task.queue) {
            queue.leave(&record);
        }
        let task = record.task;
        self.by_id.remove(&task.id);
        if let Some(time) = task.expires_at {
            self.expiring.remove(&(time, seq));
        }
        for lease in &record.ended {
            self.ended.remove(lease);
        }
        self.deletions.insert(task.id);
        self.append(&task, task.attempt, EventKind::Deleted);
    }

    /// Finds the lease that a call ending it by `ended` names.
    ///
    /// # Errors
    /// [`BrokerError::StaleLease`].
    pub(super) fn named(&self, lease: LeaseId, ended: Ended) -> Result<Named, BrokerError> {
        if let Some(held) = self.leases.get(&lease) {
            return Ok(Named::Held(held.seq));
        }
        match self.ended.get(&lease) {
            Some((seq, before)) if *before == ended => Ok(Named::Repeated(Box::new(self.record(*seq)?.task.clone()))),
            _ => Err(BrokerError::StaleLease),
        }
    }

    /// Takes a lease out of force that its holder gave up, and remembers how, so that the holder may repeat its call.
    pub(super) fn end(&mut self, lease: LeaseId, ended: Ended) {
        let Some(held) = self.leases.remove(&lease) else { return };
        if let Some(record) = self.records.get_mut(&held.seq) {
            record.lease = None;
            record.ended.push(lease);
            self.ended.insert(lease, (held.seq, ended));
        }
    }

    /// Takes the lease of the task at `seq` away, if there is one, and leaves word for its holder.
    pub(super) fn revoke(&mut self, seq: u64) {
        let lease = self.records.get_mut(&seq).and_then(|record| record.lease.take());
        if let Some((lease, held)) = lease.and_then(|lease| self.leases.remove_entry(&lease)) {
            self.changed.worker(&held.worker);
            self.revoked.entry(held.worker).or_default().push((lease, self.now));
        }
    }

    fn append(&mut self, task: &Task, attempt: u32, kind: EventKind) {
        self.log.append(self.options.max_events, |cursor| Event {
            cursor,
            at: self.now,
            task: task.id,
            queue: task.queue.clone(),
            attempt,
            kind,
        });
        self.changed.task(task.id);
    }
}

fn dangling(seq: u64) -> BrokerError {
    BrokerError::Corrupt(format!("no record at {seq}, where an index says there is one"))
}
