//! A broker whose calls can be refused, held or robbed of their replies, and waited for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pixmill_broker::{
    Broker, BrokerError, ClaimRequest, Claimed, Completion, EndedQuery, EventPage, EventQuery, FollowUp, ListQuery,
    Page, Reaped, Renewal, Stats, Submission, Submitted,
};
use pixmill_types::{Failure, IdempotencyKey, LeaseId, Task, TaskId, WorkerId};
use tokio::sync::watch;

use super::PATIENCE;

/// Calls that a worker makes and tests interfere with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Claim,
    Heartbeat,
    Complete,
    Fail,
    Release,
    Revoked,
    Get,
    Known,
    Ended,
    Stats,
    Reap,
    Purge,
    PendingDeletions,
    DeletionsDone,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not reach the broker.
    Refused,
    /// It takes effect, its reply is lost.
    ReplyLost,
    /// It reaches the broker only when [`Faulty::let_go`] was called.
    Held,
    /// It takes effect, its reply comes only when [`Faulty::let_go`] was called.
    ReplyHeld,
}

/// The broker behind, and what happens to the calls to it.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn Broker>,
    faults: Mutex<HashMap<Call, VecDeque<Fault>>>,
    claims: Mutex<Vec<ClaimRequest>>,
    stale_heartbeats: watch::Sender<usize>,
    begun: watch::Sender<HashMap<Call, usize>>,
    away: watch::Sender<bool>,
    held: watch::Sender<bool>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Broker>) -> Self {
        Self {
            inner,
            faults: Mutex::default(),
            claims: Mutex::default(),
            stale_heartbeats: watch::Sender::default(),
            begun: watch::Sender::default(),
            away: watch::Sender::new(false),
            held: watch::Sender::new(true),
        }
    }

    /// Appends what happens to the next calls of this kind.
    pub(crate) fn then(&self, call: Call, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().entry(call).or_default().extend(faults);
    }

    /// Lets all calls and replies go that are held, and holds no more.
    pub(crate) fn let_go(&self) {
        self.held.send_replace(false);
    }

    /// Refuses all calls of the worker, those included that wait; or ends that.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.send_replace(away);
    }

    /// Waits until so many calls of this kind began.
    pub(crate) async fn called(&self, call: Call, times: usize) {
        let mut begun = self.begun.subscribe();
        let enough = begun.wait_for(|begun| begun.get(&call).is_some_and(|count| *count >= times));
        tokio::time::timeout(PATIENCE, enough).await.unwrap().unwrap();
    }

    /// Calls of this kind that began.
    pub(crate) fn calls(&self, call: Call) -> usize {
        self.begun.borrow().get(&call).copied().unwrap_or_default()
    }

    /// Waits until heartbeats have found so many leases void.
    pub(crate) async fn found_stale(&self, leases: usize) {
        let mut stale = self.stale_heartbeats.subscribe();
        let enough = stale.wait_for(|stale| *stale >= leases);
        tokio::time::timeout(PATIENCE, enough).await.unwrap().unwrap();
    }

    /// The claims made so far.
    pub(crate) fn claims(&self) -> Vec<ClaimRequest> {
        self.claims.lock().unwrap().clone()
    }

    async fn around<T>(
        &self,
        call: Call,
        inner: impl Future<Output = Result<T, BrokerError>>,
    ) -> Result<T, BrokerError> {
        let fault = self.faults.lock().unwrap().get_mut(&call).and_then(VecDeque::pop_front);
        self.begun.send_modify(|begun| *begun.entry(call).or_default() += 1);
        let mut away = self.away.subscribe();
        let answer = async {
            match fault {
                None => inner.await,
                Some(Fault::Refused) => Err(unavailable()),
                Some(Fault::ReplyLost) => inner.await.and(Err(unavailable())),
                Some(Fault::Held) => {
                    self.until_let_go().await;
                    inner.await
                }
                Some(Fault::ReplyHeld) => {
                    let reply = inner.await;
                    self.until_let_go().await;
                    reply
                }
            }
        };
        tokio::select! {
            biased;
            _ = away.wait_for(|away| *away) => Err(unavailable()),
            answer = answer => answer,
        }
    }

    async fn until_let_go(&self) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.unwrap();
    }
}

fn unavailable() -> BrokerError {
    BrokerError::Unavailable("taken away by the test".into())
}

#[async_trait]
impl Broker for Faulty {
    async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError> {
        self.inner.submit(submission).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, BrokerError> {
        self.claims.lock().unwrap().push(request.clone());
        self.around(Call::Claim, self.inner.claim(request)).await
    }

    async fn heartbeat(&self, worker: &WorkerId, leases: &[LeaseId]) -> Result<Vec<Renewal>, BrokerError> {
        let renewals = self
            .around(Call::Heartbeat, self.inner.heartbeat(worker, leases))
            .await?;
        let stale = renewals.iter().filter(|renewal| **renewal == Renewal::Stale).count();
        self.stale_heartbeats.send_modify(|sum| *sum += stale);
        Ok(renewals)
    }

    async fn complete(&self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError> {
        self.around(Call::Complete, self.inner.complete(lease, completion))
            .await
    }

    async fn fail(&self, lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        self.around(Call::Fail, self.inner.fail(lease, failure, follow_ups))
            .await
    }

    async fn release(&self, lease: LeaseId) -> Result<Task, BrokerError> {
        self.around(Call::Release, self.inner.release(lease)).await
    }

    async fn revoked(&self, worker: &WorkerId, wait: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        self.around(Call::Revoked, self.inner.revoked(worker, wait)).await
    }

    async fn cancel(&self, task: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        self.inner.cancel(task, follow_ups).await
    }

    async fn retry(&self, task: TaskId) -> Result<Task, BrokerError> {
        self.inner.retry(task).await
    }

    async fn delete(&self, task: TaskId) -> Result<(), BrokerError> {
        self.inner.delete(task).await
    }

    async fn get(&self, task: TaskId) -> Result<Task, BrokerError> {
        self.around(Call::Get, self.inner.get(task)).await
    }

    async fn wait(&self, task: TaskId, wait: Duration) -> Result<Task, BrokerError> {
        self.inner.wait(task, wait).await
    }

    async fn known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError> {
        self.around(Call::Known, self.inner.known(tasks)).await
    }

    async fn is_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError> {
        self.inner.is_used(key).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, BrokerError> {
        self.inner.list(query).await
    }

    async fn ended(&self, query: EndedQuery) -> Result<Vec<Task>, BrokerError> {
        self.around(Call::Ended, self.inner.ended(query)).await
    }

    async fn stats(&self) -> Result<Stats, BrokerError> {
        self.around(Call::Stats, self.inner.stats()).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, BrokerError> {
        self.inner.events(query).await
    }

    async fn reap(&self, limit: usize) -> Result<Reaped, BrokerError> {
        self.around(Call::Reap, self.inner.reap(limit)).await
    }

    async fn purge(&self, limit: usize) -> Result<u64, BrokerError> {
        self.around(Call::Purge, self.inner.purge(limit)).await
    }

    async fn pending_deletions(&self, limit: usize) -> Result<Vec<TaskId>, BrokerError> {
        self.around(Call::PendingDeletions, self.inner.pending_deletions(limit))
            .await
    }

    async fn deletions_done(&self, tasks: &[TaskId]) -> Result<(), BrokerError> {
        self.around(Call::DeletionsDone, self.inner.deletions_done(tasks)).await
    }

    async fn check(&self) -> Result<(), BrokerError> {
        self.inner.check().await
    }
}
