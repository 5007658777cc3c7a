//! Two brokers that take turns call by call, as two processes with one database do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pixmill_broker::{
    Broker, BrokerError, ClaimRequest, Claimed, Completion, EndedQuery, Entry, EventPage, EventQuery, Expected,
    FollowUp, ListQuery, Page, PutOutcome, Reaped, Registry, Renewal, SqliteBroker, Stats, Submission, Submitted,
};
use pixmill_types::{Failure, IdempotencyKey, LeaseId, Task, TaskId, WorkerId};

#[derive(Debug)]
pub(super) struct Alternating {
    brokers: [SqliteBroker; 2],
    turn: AtomicUsize,
}

impl Alternating {
    pub(super) fn new(brokers: [SqliteBroker; 2]) -> Self {
        Self {
            brokers,
            turn: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &SqliteBroker {
        &self.brokers[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

#[async_trait]
impl Broker for Alternating {
    async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError> {
        self.next().submit(submission).await
    }
    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, BrokerError> {
        self.next().claim(request).await
    }
    async fn heartbeat(&self, worker: &WorkerId, leases: &[LeaseId]) -> Result<Vec<Renewal>, BrokerError> {
        self.next().heartbeat(worker, leases).await
    }
    async fn complete(&self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError> {
        self.next().complete(lease, completion).await
    }
    async fn fail(&self, lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        self.next().fail(lease, failure, follow_ups).await
    }
    async fn release(&self, lease: LeaseId) -> Result<Task, BrokerError> {
        self.next().release(lease).await
    }
    async fn revoked(&self, worker: &WorkerId, wait: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        self.next().revoked(worker, wait).await
    }
    async fn cancel(&self, task: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        self.next().cancel(task, follow_ups).await
    }
    async fn retry(&self, task: TaskId) -> Result<Task, BrokerError> {
        self.next().retry(task).await
    }
    async fn delete(&self, task: TaskId) -> Result<(), BrokerError> {
        Broker::delete(self.next(), task).await
    }
    async fn get(&self, task: TaskId) -> Result<Task, BrokerError> {
        Broker::get(self.next(), task).await
    }
    async fn wait(&self, task: TaskId, wait: Duration) -> Result<Task, BrokerError> {
        self.next().wait(task, wait).await
    }
    async fn known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError> {
        self.next().known(tasks).await
    }
    async fn is_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError> {
        self.next().is_used(key).await
    }
    async fn list(&self, query: ListQuery) -> Result<Page, BrokerError> {
        Broker::list(self.next(), query).await
    }
    async fn ended(&self, query: EndedQuery) -> Result<Vec<Task>, BrokerError> {
        self.next().ended(query).await
    }
    async fn stats(&self) -> Result<Stats, BrokerError> {
        self.next().stats().await
    }
    async fn events(&self, query: EventQuery) -> Result<EventPage, BrokerError> {
        self.next().events(query).await
    }
    async fn reap(&self, limit: usize) -> Result<Reaped, BrokerError> {
        self.next().reap(limit).await
    }
    async fn purge(&self, limit: usize) -> Result<u64, BrokerError> {
        self.next().purge(limit).await
    }
    async fn pending_deletions(&self, limit: usize) -> Result<Vec<TaskId>, BrokerError> {
        self.next().pending_deletions(limit).await
    }
    async fn deletions_done(&self, tasks: &[TaskId]) -> Result<(), BrokerError> {
        self.next().deletions_done(tasks).await
    }
    async fn check(&self) -> Result<(), BrokerError> {
        self.next().check().await
    }
}

#[async_trait]
impl Registry for Alternating {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>, BrokerError> {
        Registry::get(self.next(), namespace, key).await
    }
    async fn put_if(
        &self,
        namespace: &str,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> Result<PutOutcome, BrokerError> {
        self.next().put_if(namespace, key, value, expected, ttl).await
    }
    async fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError> {
        Registry::list(self.next(), namespace, after, limit).await
    }
    async fn delete(&self, namespace: &str, key: &str, expected: Expected) -> Result<bool, BrokerError> {
        Registry::delete(self.next(), namespace, key, expected).await
    }
}
