//! The traits, call by call: encodes what goes to the writer, decodes what comes back, waits.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use pixmill_types::{Failure, IdempotencyKey, LeaseId, Success, Task, TaskId, WorkerId};

use super::call::ClaimCall;
use super::operations::read::EventRows;
use super::operations::registry::Put;
use super::operations::submit::EncodedSubmission;
use super::operations::{finish, leases, manage, purge, read, reap, registry, submit};
use super::rows::{EncodedTask, to_json};
use super::writer::Message;
use super::{SqliteBroker, folder_of};
use crate::hub::{Topic, Waiting};
use crate::{
    Broker, BrokerError, ClaimRequest, Claimed, Completion, EndedQuery, Entry, EventPage, EventQuery, Expected,
    FollowUp, ListQuery, Page, PutOutcome, Reaped, Registry, Renewal, Stats, Submission, Submitted,
};

/// Records one transaction purges or reaps: others wait for it.
const STEP_LIMIT: usize = 500;
/// Room on the disk below which no task is promised to be stored, bytes.
const MIN_FREE_BYTES: u64 = 1024 * 1024;
/// Waiting longer than this is waiting for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

#[async_trait]
impl Broker for SqliteBroker {
    async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError> {
        let submission = EncodedSubmission::new(submission)?;
        let answer = self.write("submit", |step| submit::submit(step, submission)).await?;
        answer.decode()
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, BrokerError> {
        let deadline = Instant::now() + request.wait.min(LONGEST_WAIT);
        let (call, answer) = ClaimCall::new(request, deadline);
        let granted = self.send(answer, |place| Message::Claim(Box::new(call), place)).await?;
        granted.decode()
    }

    async fn heartbeat(&self, worker: &WorkerId, leases: &[LeaseId]) -> Result<Vec<Renewal>, BrokerError> {
        let (worker, leases) = (worker.clone(), leases.to_vec());
        self.write("heartbeat", move |step| leases::heartbeat(step, &worker, &leases))
            .await
    }

    async fn complete(&self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError> {
        let follow_ups = EncodedTask::all(completion.follow_ups)?;
        let success = to_json(&Success {
            lease,
            outputs: completion.outputs,
            warnings: completion.warnings,
        })?;
        let row = self
            .write("complete", move |step| {
                finish::complete(step, lease, success, follow_ups)
            })
            .await?;
        row.into_task()
    }

    async fn fail(&self, lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        let follow_ups = EncodedTask::all(follow_ups)?;
        let row = self
            .write("fail", move |step| finish::fail(step, lease, &failure, follow_ups))
            .await?;
        row.into_task()
    }

    async fn release(&self, lease: LeaseId) -> Result<Task, BrokerError> {
        let row = self.write("release", move |step| finish::release(step, lease)).await?;
        row.into_task()
    }

    async fn revoked(&self, worker: &WorkerId, wait: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        let mut waiting = Waiting::new(self.hub.subscribe(Topic::Worker(worker.clone())), wait);
        loop {
            let asked = worker.clone();
            let lost = self.readers()?.read(move |db| leases::revoked(db, &asked)).await?;
            if !lost.is_empty() {
                let asked = worker.clone();
                let taken = self
                    .write("revoked", move |step| leases::take_revoked(step, &asked))
                    .await?;
                // Somebody else may have asked for the same worker.
                if !taken.is_empty() {
                    return Ok(taken);
                }
            }
            if waiting.is_over().await {
                return Ok(Vec::new());
            }
        }
    }

    async fn cancel(&self, task: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        let follow_ups = EncodedTask::all(follow_ups)?;
        let row = self
            .write("cancel", move |step| manage::cancel(step, task, follow_ups))
            .await?;
        row.into_task()
    }

    async fn retry(&self, task: TaskId) -> Result<Task, BrokerError> {
        let row = self.write("retry", move |step| manage::retry(step, task)).await?;
        row.into_task()
    }

    async fn delete(&self, task: TaskId) -> Result<(), BrokerError> {
        self.write("delete", move |step| manage::delete(step, task)).await
    }

    async fn get(&self, task: TaskId) -> Result<Task, BrokerError> {
        let row = self.readers()?.read(move |db| read::get(db, task)).await?;
        row.into_task()
    }

    async fn wait(&self, task: TaskId, wait: Duration) -> Result<Task, BrokerError> {
        let mut waiting = Waiting::new(self.hub.subscribe(Topic::Task(task)), wait);
        loop {
            let row = self.readers()?.read(move |db| read::get(db, task)).await?;
            if row.stage.state().is_final() || waiting.is_over().await {
                return row.into_task();
            }
        }
    }

    async fn known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError> {
        let tasks = tasks.to_vec();
        self.readers()?.read(move |db| read::known(db, &tasks)).await
    }

    async fn is_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError> {
        let (key, now) = (key.clone(), self.options.clock.now());
        self.readers()?.read(move |db| read::is_used(db, &key, now)).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, BrokerError> {
        let page = self.readers()?.read(move |db| read::list(db, &query)).await?;
        let tasks: Result<Vec<Task>, BrokerError> = page.rows.into_iter().map(|row| row.into_task()).collect();
        Ok(Page {
            tasks: tasks?,
            next: page.next,
        })
    }

    async fn ended(&self, query: EndedQuery) -> Result<Vec<Task>, BrokerError> {
        let rows = self.readers()?.read(move |db| read::ended(db, &query)).await?;
        rows.into_iter().map(|row| row.into_task()).collect()
    }

    async fn stats(&self) -> Result<Stats, BrokerError> {
        let now = self.options.clock.now();
        self.readers()?.read(move |db| read::stats(db, now)).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, BrokerError> {
        let topic = query.task.map_or(Topic::AllTasks, Topic::Task);
        let mut waiting = Waiting::new(self.hub.subscribe(topic), query.wait);
        loop {
            let (after, task, limit) = (query.after.clone(), query.task, query.limit);
            let read = self
                .readers()?
                .read(move |db| read::events(db, after.as_ref(), task, limit))
                .await?;
            let (epoch, rows) = match read {
                EventRows::Gap { resume } => return Ok(EventPage::Gap { resume }),
                EventRows::Events { epoch, rows } => (epoch, rows),
            };
            if !rows.is_empty() || waiting.is_over().await {
                let events: Result<Vec<_>, BrokerError> = rows.into_iter().map(|row| row.into_event(epoch)).collect();
                return Ok(EventPage::Events(events?));
            }
        }
    }

    async fn reap(&self, limit: usize) -> Result<Reaped, BrokerError> {
        let mut total = Reaped::default();
        let mut left = limit;
        while left > 0 {
            let most = left.min(STEP_LIMIT);
            let reaped = self.write("reap", move |step| reap::reap(step, most)).await?;
            let attempts = reaped.attempts();
            total.append(reaped);
            left -= most;
            if attempts < most {
                break;
            }
        }
        Ok(total)
    }

    async fn purge(&self, limit: usize) -> Result<u64, BrokerError> {
        let mut total = 0;
        let mut left = limit;
        while left > 0 {
            let most = left.min(STEP_LIMIT);
            let purged = self.write("purge", move |step| purge::purge(step, most)).await?;
            total += purged;
            left -= most;
            if purged < most as u64 {
                break;
            }
        }
        Ok(total)
    }

    async fn pending_deletions(&self, limit: usize) -> Result<Vec<TaskId>, BrokerError> {
        self.readers()?
            .read(move |db| purge::pending_deletions(db, limit))
            .await
    }

    async fn deletions_done(&self, tasks: &[TaskId]) -> Result<(), BrokerError> {
        let tasks = tasks.to_vec();
        self.write("deletions_done", move |step| purge::deletions_done(step, &tasks))
            .await
    }

    async fn check(&self) -> Result<(), BrokerError> {
        let folder = folder_of(&self.path).to_owned();
        let free = self
            .readers()?
            .read(move |_| match rustix::fs::statvfs(&folder) {
                Ok(found) => Ok(found.f_bavail.saturating_mul(found.f_frsize)),
                Err(error) => Err(BrokerError::Unavailable(Box::new(std::io::Error::from(error))).into()),
            })
            .await?;
        if free < MIN_FREE_BYTES {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(BrokerError::StorageFull(Box::new(full)));
        }
        self.write("check", purge::probe).await
    }
}

#[async_trait]
impl Registry for SqliteBroker {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>, BrokerError> {
        let (namespace, key, now) = (namespace.to_owned(), key.to_owned(), self.options.clock.now());
        self.readers()?
            .read(move |db| registry::get(db, &namespace, &key, now))
            .await
    }

    async fn put_if(
        &self,
        namespace: &str,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> Result<PutOutcome, BrokerError> {
        let put = Put {
            namespace: namespace.to_owned(),
            key: key.to_owned(),
            value,
            expected,
            ttl,
        };
        self.write("put", |step| registry::put_if(step, put)).await
    }

    async fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError> {
        let (namespace, after) = (namespace.to_owned(), after.map(str::to_owned));
        let now = self.options.clock.now();
        self.readers()?
            .read(move |db| registry::list(db, &namespace, after.as_deref(), limit, now))
            .await
    }

    async fn delete(&self, namespace: &str, key: &str, expected: Expected) -> Result<bool, BrokerError> {
        let (namespace, key) = (namespace.to_owned(), key.to_owned());
        self.write("unset", move |step| registry::delete(step, &namespace, &key, expected))
            .await
    }
}
