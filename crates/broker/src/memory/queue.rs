//! One queue's tasks by where they stand. Keeps places, never records.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use pixmill_types::{QueueName, TaskId, TaskState, Timestamp};

use super::state::Record;
use crate::QueueStats;

/// The indexes of one queue; tasks are named by their order of arrival.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Tasks that may be claimed now, most urgent first, with their cost in bytes.
    ready: BTreeMap<(i64, u64), u64>,
    /// The same tasks, longest-waiting first.
    waiting: BTreeSet<(Timestamp, u64)>,
    /// Tasks that may be claimed later, by when.
    delayed: BTreeSet<(Timestamp, u64)>,
    /// Tasks under way, longest-running first.
    running: BTreeSet<(Timestamp, u64)>,
    /// Failed and cancelled tasks by their end and the bytes of their id.
    ended: BTreeMap<(Timestamp, [u8; 16]), u64>,
    by_state: [BTreeSet<u64>; TaskState::ALL.len()],
}

impl Queue {
    /// Takes note of where `record` stands.
    pub(super) fn enter(&mut self, record: &Record, now: Timestamp) {
        self.by_state[record.task.state as usize].insert(record.seq);
        match record.task.state {
            TaskState::Queued if record.ready_since > now => {
                self.delayed.insert((record.ready_since, record.seq));
            }
            TaskState::Queued => self.make_ready(record),
            TaskState::Running => {
                self.running.insert(started(record));
            }
            TaskState::Completed => {}
            TaskState::Failed | TaskState::Cancelled => {
                self.ended.insert(end(record), record.seq);
            }
        }
    }

    /// Forgets where `record` stands.
    pub(super) fn leave(&mut self, record: &Record) {
        self.by_state[record.task.state as usize].remove(&record.seq);
        self.ready.remove(&(record.sort_key, record.seq));
        self.waiting.remove(&(record.ready_since, record.seq));
        self.delayed.remove(&(record.ready_since, record.seq));
        self.running.remove(&started(record));
        self.ended.remove(&end(record));
    }

    /// Lets `record`, which is queued, be claimed from now on.
    pub(super) fn make_ready(&mut self, record: &Record) {
        self.ready.insert((record.sort_key, record.seq), record.task.cost_bytes);
        self.waiting.insert((record.ready_since, record.seq));
    }

    /// Takes out the first delayed task that is due.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<u64> {
        let first = *self.delayed.first().filter(|(due, _)| *due <= now)?;
        self.delayed.remove(&first);
        Some(first.1)
    }

    /// When the next delayed task is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// Tasks that wait, for a worker or for their start time.
    pub(super) fn queued(&self) -> u64 {
        count(&self.by_state[TaskState::Queued as usize])
    }

    /// The ready tasks with their cost in bytes, most urgent first.
    pub(super) fn ready(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ready.iter().map(|((_, seq), cost)| (*seq, *cost))
    }

    /// The newest tasks in `state` that arrived before `before`.
    pub(super) fn newest(&self, state: TaskState, before: u64) -> impl Iterator<Item = u64> {
        self.by_state[state as usize].range(..before).rev().copied()
    }

    /// The failed and cancelled tasks that ended at `since` or later, of those at `since` only the ones behind `after`.
    pub(super) fn ended(&self, since: Timestamp, after: Option<TaskId>) -> impl Iterator<Item = u64> {
        let start = match after {
            Some(task) => Bound::Excluded((since, *task.as_bytes())),
            None => Bound::Included((since, [0; 16])),
        };
        self.ended.range((start, Bound::Unbounded)).map(|(_, seq)| *seq)
    }

    /// Counts; `None` for a queue without tasks.
    pub(super) fn stats(&self, queue: &QueueName) -> Option<QueueStats> {
        if self.by_state.iter().all(BTreeSet::is_empty) {
            return None;
        }
        let in_state = |state: TaskState| count(&self.by_state[state as usize]);
        Some(QueueStats {
            queue: queue.clone(),
            ready: count(&self.waiting),
            delayed: count(&self.delayed),
            running: in_state(TaskState::Running),
            completed: in_state(TaskState::Completed),
            failed: in_state(TaskState::Failed),
            cancelled: in_state(TaskState::Cancelled),
            oldest_ready: self.waiting.first().map(|(since, _)| *since),
            oldest_running: self.running.first().map(|(since, _)| *since),
        })
    }
}

fn started(record: &Record) -> (Timestamp, u64) {
    (record.task.started_at.unwrap_or(record.task.created_at), record.seq)
}

fn end(record: &Record) -> (Timestamp, [u8; 16]) {
    let at = record.task.finished_at.unwrap_or(record.task.created_at);
    (at, *record.task.id.as_bytes())
}

fn count<T>(places: &BTreeSet<T>) -> u64 {
    places.len() as u64
}
