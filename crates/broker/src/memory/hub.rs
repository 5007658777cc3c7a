//! Wakes those who wait for tasks, for events or for revoked leases.
//!
//! Carries no data: whoever is woken looks at the state again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pixmill_types::{QueueName, TaskId, WorkerId};
use tokio::sync::watch;

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// Tasks of a queue to become ready, or to be scheduled.
    Queue(QueueName),
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
    /// Subscribes to `topic`. What is published from now on is not missed: subscribe first, look then.
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

    /// Wakes all who wait for one of `changed`.
    pub(super) fn publish(&self, changed: &[Topic]) {
        if changed.is_empty() {
            return;
        }
        let topics = self.lock();
        for waiting in changed.iter().filter_map(|topic| topics.get(topic)) {
            waiting.send_replace(());
        }
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
        // It fails when the sender is gone, and the hub keeps the sender as long as this subscription lives.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = self.hub.lock();
        let is_last = topics
            .get(&self.topic)
            .is_some_and(|sender| sender.receiver_count() <= 1);
        if is_last {
            topics.remove(&self.topic);
        }
    }
}
