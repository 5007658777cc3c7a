//! Who is to be told of a step, and how that is written in a datagram to other processes.

use pixmill_types::{QueueName, TaskId, WorkerId};
use serde::{Deserialize, Serialize};

/// Most names one datagram carries; beyond that everybody is woken.
const MAX_NAMES: usize = 256;

/// What a step changed, as far as somebody may wait for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Changes {
    /// Queues in which tasks became ready or were scheduled.
    pub(crate) queues: Vec<QueueName>,
    /// Tasks with a new event.
    pub(crate) tasks: Vec<TaskId>,
    /// Workers that lost a lease.
    pub(crate) workers: Vec<WorkerId>,
    /// Anything may have changed.
    pub(crate) everything: bool,
}

impl Changes {
    /// The change nobody knows anything about.
    pub(crate) fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// Whether nobody has to be told.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.tasks.is_empty() && self.workers.is_empty() && !self.everything
    }

    /// Adds a queue.
    pub(crate) fn queue(&mut self, queue: &QueueName) {
        if !self.queues.contains(queue) {
            self.queues.push(queue.clone());
        }
    }

    /// Adds a task.
    pub(crate) fn task(&mut self, task: TaskId) {
        self.tasks.push(task);
    }

    /// Adds a worker.
    pub(crate) fn worker(&mut self, worker: &WorkerId) {
        if !self.workers.contains(worker) {
            self.workers.push(worker.clone());
        }
    }

    /// Adds what changed later.
    pub(crate) fn absorb(&mut self, later: Self) {
        later.queues.iter().for_each(|queue| self.queue(queue));
        self.tasks.extend(later.tasks);
        later.workers.iter().for_each(|worker| self.worker(worker));
        self.everything |= later.everything;
    }

    /// The datagram that tells other processes.
    pub(crate) fn to_datagram(&self) -> Vec<u8> {
        let names = self.queues.len() + self.tasks.len() + self.workers.len();
        let told = if names > MAX_NAMES { &Self::everything() } else { self };
        // An empty datagram means the same as an unreadable one: look at everything.
        serde_json::to_vec(told).unwrap_or_default()
    }

    /// Reads a datagram; one that cannot be read, from another release say, may mean anything.
    pub(crate) fn from_datagram(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| Self::everything())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_says_what_changed_or_everything() {
        let mut changes = Changes::default();
        assert!(changes.is_empty());
        changes.queue(&QueueName::images());
        changes.queue(&QueueName::images());
        changes.task(TaskId::generate());
        assert_eq!(changes.queues.len(), 1);
        assert_eq!(Changes::from_datagram(&changes.to_datagram()), changes);

        assert_eq!(Changes::from_datagram(b"\xff"), Changes::everything());
        (0..=MAX_NAMES).for_each(|_| changes.task(TaskId::generate()));
        assert_eq!(Changes::from_datagram(&changes.to_datagram()), Changes::everything());
    }
}
