//! Wakes those of this process who wait for a task, for events or for revoked leases.
//!
//! Carries no data: whoever is woken reads the database again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pixmill_types::{TaskId, WorkerId};
use tokio::sync::watch;

use super::changes::Changes;

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// Anything that happens to one task.
    Task(TaskId),
    /// Anything that happens to any task.
    AllTasks,
    /// Leases that this worker loses.
    Worker(WorkerId),
}

/// Everybody who waits.
#[derive(Debug, Default)]
pub(super) struct Hub {
    topics: Mutex<HashMap<Topic, watch::Sender<()>>>,
}

impl Hub {
    /// Subscribes to `topic`. What is published from now on is not missed: subscribe first, read then.
    pub(super) fn subscribe(self: &Arc<Self>, topic: Topic) -> Subscription {
        let receiver = self
            .lock()
            .entry(topic.clone())
            .or_insert_with(|| watch::channel(()).0)
            .subscribe();
        Subscription {
            hub: Arc::clone(self),
            topic,
            receiver,
        }
    }

    /// Wakes whom `changes` concern.
    pub(super) fn publish(&self, changes: &Changes) {
        let topics = self.lock();
        if topics.is_empty() {
            return;
        }
        if changes.everything {
            topics.values().for_each(|waiting| waiting.send_replace(()));
            return;
        }
        let wake = |topic: Topic| {
            if let Some(waiting) = topics.get(&topic) {
                waiting.send_replace(());
            }
        };
        if !changes.tasks.is_empty() {
            wake(Topic::AllTasks);
        }
        changes.tasks.iter().for_each(|task| wake(Topic::Task(*task)));
        changes
            .workers
            .iter()
            .for_each(|worker| wake(Topic::Worker(worker.clone())));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<()>>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for a topic.
#[derive(Debug)]
pub(super) struct Subscription {
    hub: Arc<Hub>,
    topic: Topic,
    receiver: watch::Receiver<()>,
}

impl Subscription {
    /// Waits until something was published since the last call.
    ///
    /// # Cancel safety
    /// Nothing is missed by dropping the future.
    pub(super) async fn changed(&mut self) {
        // The sender lives in the hub as long as this subscription does.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = self.hub.lock();
        let last = topics
            .get(&self.topic)
            .is_some_and(|sender| sender.receiver_count() <= 1);
        if last {
            topics.remove(&self.topic);
        }
    }
}
