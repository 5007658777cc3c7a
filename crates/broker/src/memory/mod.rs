//! A broker in this process's memory: the same rules as every other, and nothing outlives the process.
//!
//! All state lies under one mutex. A call is one locked step without an `.await` in it, and wakes those concerned once
//! the lock is free. Waiting is looking again whenever something changed.

mod entries;
mod keys;
mod log;
mod manage;
mod queue;
mod state;
mod work;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pixmill_types::{Failure, IdempotencyKey, LeaseId, Task, TaskId, WorkerId};
use tokio::time::Instant;

use self::state::State;
use crate::hub::{Hub, Topic};
use crate::{
    Broker, BrokerError, BrokerOptions, ClaimRequest, Claimed, Completion, EndedQuery, Entry, EventPage, EventQuery,
    Expected, FollowUp, ListQuery, Page, PutOutcome, Reaped, Registry, Renewal, Stats, Submission, Submitted,
};

/// Keeps everything in memory: for tests, for trying things out, and where losing the queue does not matter.
#[derive(Debug)]
pub struct MemoryBroker {
    state: Mutex<State>,
    hub: Arc<Hub>,
}

/// What somebody who may have to wait has seen.
struct Look<T> {
    seen: T,
    is_enough: bool,
    /// When there may be more to see although nobody changes anything, by the broker's clock.
    again_in: Option<Duration>,
}

impl MemoryBroker {
    /// Makes an empty broker.
    #[must_use]
    pub fn new(options: BrokerOptions) -> Self {
        Self {
            state: Mutex::new(State::new(options)),
            hub: Arc::default(),
        }
    }

    /// Runs one step under the lock and then wakes whom it concerns.
    fn step<T>(&self, run: impl FnOnce(&mut State) -> Result<T, BrokerError>) -> Result<T, BrokerError> {
        let (outcome, changed) = {
            let mut state = self
                .state
                .lock()
                .map_err(|_| BrokerError::Corrupt("an earlier call ended in the middle of its step".to_owned()))?;
            state.begin();
            let outcome = run(&mut state);
            (outcome, std::mem::take(&mut state.changed))
        };
        self.hub.publish(&changed);
        outcome
    }

    /// Looks until that is enough or `wait` is over, each time something about `topic` has changed.
    async fn look_until<T>(
        &self,
        topic: Topic,
        wait: Duration,
        mut look: impl FnMut(&mut State) -> Result<Look<T>, BrokerError>,
    ) -> Result<T, BrokerError> {
        let began = Instant::now();
        let mut subscription = self.hub.subscribe(topic);
        loop {
            let look = self.step(&mut look)?;
            let left = wait.saturating_sub(began.elapsed());
            if look.is_enough || left.is_zero() {
                return Ok(look.seen);
            }
            let pause = look.again_in.map_or(left, |again_in| again_in.min(left));
            // Woken or not, the next look tells.
            let _ = tokio::time::timeout(pause, subscription.changed()).await;
        }
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError> {
        self.step(|state| state.submit(submission))
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, BrokerError> {
        let topic = Topic::Queue(request.queue.clone());
        self.look_until(topic, request.wait, |state| {
            let claimed = state.claim(&request)?;
            Ok(Look {
                is_enough: !claimed.leases.is_empty(),
                again_in: claimed.next_due.map(|due| due.since(state.now)),
                seen: claimed,
            })
        })
        .await
    }

    async fn heartbeat(&self, worker: &WorkerId, leases: &[LeaseId]) -> Result<Vec<Renewal>, BrokerError> {
        self.step(|state| Ok(state.heartbeat(worker, leases)))
    }

    async fn complete(&self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError> {
        self.step(|state| state.complete(lease, completion))
    }

    async fn fail(&self, lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        self.step(|state| state.fail(lease, failure, follow_ups))
    }

    async fn release(&self, lease: LeaseId) -> Result<Task, BrokerError> {
        self.step(|state| state.release(lease))
    }

    async fn revoked(&self, worker: &WorkerId, wait: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        self.look_until(Topic::Worker(worker.clone()), wait, |state| {
            let seen = state.take_revoked(worker);
            Ok(Look {
                is_enough: !seen.is_empty(),
                again_in: None,
                seen,
            })
        })
        .await
    }

    async fn cancel(&self, task: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        self.step(|state| state.cancel(task, follow_ups))
    }

    async fn retry(&self, task: TaskId) -> Result<Task, BrokerError> {
        self.step(|state| state.retry(task))
    }

    async fn delete(&self, task: TaskId) -> Result<(), BrokerError> {
        self.step(|state| state.delete(task))
    }

    async fn get(&self, task: TaskId) -> Result<Task, BrokerError> {
        self.step(|state| state.get(task))
    }

    async fn wait(&self, task: TaskId, wait: Duration) -> Result<Task, BrokerError> {
        self.look_until(Topic::Task(task), wait, |state| {
            let seen = state.get(task)?;
            Ok(Look {
                is_enough: seen.state.is_final(),
                again_in: None,
                seen,
            })
        })
        .await
    }

    async fn known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError> {
        self.step(|state| Ok(tasks.iter().map(|task| state.by_id.contains_key(task)).collect()))
    }

    async fn is_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError> {
        self.step(|state| Ok(state.is_used(key)))
    }

    async fn list(&self, query: ListQuery) -> Result<Page, BrokerError> {
        self.step(|state| state.list(&query))
    }

    async fn ended(&self, query: EndedQuery) -> Result<Vec<Task>, BrokerError> {
        self.step(|state| state.ended(&query))
    }

    async fn stats(&self) -> Result<Stats, BrokerError> {
        self.step(|state| Ok(state.stats()))
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, BrokerError> {
        let topic = query.task.map_or(Topic::AllTasks, Topic::Task);
        self.look_until(topic, query.wait, |state| {
            let seen = state.log.read(&query)?;
            Ok(Look {
                is_enough: seen != EventPage::Events(Vec::new()),
                again_in: None,
                seen,
            })
        })
        .await
    }

    async fn reap(&self, limit: usize) -> Result<Reaped, BrokerError> {
        self.step(|state| state.reap(limit))
    }

    async fn purge(&self, limit: usize) -> Result<u64, BrokerError> {
        self.step(|state| Ok(state.purge(limit)))
    }

    async fn pending_deletions(&self, limit: usize) -> Result<Vec<TaskId>, BrokerError> {
        self.step(|state| Ok(state.deletions.iter().take(limit).copied().collect()))
    }

    async fn deletions_done(&self, tasks: &[TaskId]) -> Result<(), BrokerError> {
        self.step(|state| {
            tasks.iter().for_each(|task| {
                state.deletions.remove(task);
            });
            Ok(())
        })
    }

    async fn check(&self) -> Result<(), BrokerError> {
        self.step(|_| Ok(()))
    }
}

#[async_trait]
impl Registry for MemoryBroker {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>, BrokerError> {
        self.step(|state| Ok(state.entries.get(&name(namespace, key), state.now).cloned()))
    }

    async fn put_if(
        &self,
        namespace: &str,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> Result<PutOutcome, BrokerError> {
        let name = name(namespace, key);
        self.step(|state| Ok(state.entries.put_if(name, value, expected, ttl, state.now)))
    }

    async fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError> {
        self.step(|state| Ok(state.entries.list(namespace, after, limit, state.now)))
    }

    async fn delete(&self, namespace: &str, key: &str, expected: Expected) -> Result<bool, BrokerError> {
        let name = name(namespace, key);
        self.step(|state| Ok(state.entries.delete(&name, expected, state.now)))
    }
}

fn name(namespace: &str, key: &str) -> (String, String) {
    (namespace.to_owned(), key.to_owned())
}
