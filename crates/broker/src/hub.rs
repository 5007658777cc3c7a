//! Wakes those of this process who wait for tasks, for events or for revoked leases.
//!
//! Carries no data: whoever is woken looks at the broker's state again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pixmill_types::{QueueName, TaskId, WorkerId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::changes::Changes;

/// Waiting longer than this is waiting for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
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
#[derive(Debug)]
pub(crate) struct Hub {
    topics: Mutex<HashMap<Topic, watch::Sender<()>>>,
    interest: watch::Sender<()>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            topics: Mutex::default(),
            interest: watch::channel(()).0,
        }
    }
}

impl Hub {
    /// Subscribes to `topic`. What is published from now on is not missed: subscribe first, look then.
    pub(crate) fn subscribe(self: &Arc<Self>, topic: Topic) -> Subscription {
        let mut topics = self.lock();
        let is_first = !topics.contains_key(&topic);
        let waiting = topics.entry(topic.clone()).or_insert_with(|| watch::channel(()).0);
        let receiver = waiting.subscribe();
        drop(topics);
        if is_first {
            self.interest.send_replace(());
        }
        Subscription {
            hub: Arc::clone(self),
            topic,
            receiver,
        }
    }

    /// Wakes whom `changes` concern.
    pub(crate) fn publish(&self, changes: &Changes) {
        if changes.is_empty() {
            return;
        }
        let topics = self.lock();
        if changes.everything {
            topics.values().for_each(|waiting| waiting.send_replace(()));
            return;
        }
        let wake = |topic: Topic| {
            if let Some(waiting) = topics.get(&topic) {
                waiting.send_replace(());
            }
        };
        if topics.is_empty() {
            return;
        }
        if !changes.tasks.is_empty() {
            wake(Topic::AllTasks);
        }
        changes.tasks.iter().for_each(|task| wake(Topic::Task(*task)));
        changes
            .queues
            .iter()
            .for_each(|queue| wake(Topic::Queue(queue.clone())));
        changes
            .workers
            .iter()
            .for_each(|worker| wake(Topic::Worker(worker.clone())));
    }

    /// Changes when something is waited for that nobody waited for before.
    pub(crate) fn interest(&self) -> watch::Receiver<()> {
        self.interest.subscribe()
    }

    /// What is waited for now.
    pub(crate) fn awaited(&self) -> Vec<Topic> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<()>>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for a topic.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    topic: Topic,
    receiver: watch::Receiver<()>,
}

impl Subscription {
    /// Waits until something was published since the last call.
    ///
    /// # Cancel safety
    /// Nothing is missed by dropping the future.
    pub(crate) async fn changed(&mut self) {
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

/// Looks again whenever something was published, until the time is over; the last look is after the end.
#[derive(Debug)]
pub(crate) struct Waiting {
    subscription: Subscription,
    deadline: Instant,
    ended: bool,
}

impl Waiting {
    /// Waits for up to `wait`, from now on.
    pub(crate) fn new(subscription: Subscription, wait: Duration) -> Self {
        Self {
            subscription,
            deadline: Instant::now() + wait.min(LONGEST_WAIT),
            ended: wait.is_zero(),
        }
    }

    /// Waits for the next change; returns at once, and true, when the look just taken was the last.
    pub(crate) async fn is_over(&mut self) -> bool {
        self.is_over_within(LONGEST_WAIT).await
    }

    /// The same, and wants another look after `pause` although nothing was published.
    pub(crate) async fn is_over_within(&mut self, pause: Duration) -> bool {
        if self.ended {
            return true;
        }
        let until = self.deadline.min(Instant::now() + pause);
        let is_last = until == self.deadline;
        let silent = timeout_at(until, self.subscription.changed()).await.is_err();
        self.ended = silent && is_last;
        false
    }
}
