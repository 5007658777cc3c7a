//! The trait, call by call: what goes to a script, what comes back, and waiting.

use std::time::Duration;

use async_trait::async_trait;
use pixmill_types::{Failure, IdempotencyKey, LeaseId, Success, Task, TaskId, Transition, WorkerId};
use redis::{FromRedisValue, Value, cmd};

use super::RedisBroker;
use super::link::Repeat;
use super::record::{Record, corrupt, failure_code, lease_id, optional_timestamp, parse, task_state, to_json};
use super::script::{self, Call};
use super::submit::value;
use crate::hub::{Topic, Waiting};
use crate::{
    Broker, BrokerError, ClaimRequest, Claimed, Completion, EndedQuery, EventPage, EventQuery, FollowUp, ListQuery,
    LostAttempt, Page, Reaped, Renewal, Stats, Submission, Submitted,
};

/// Records one script purges or reaps: others wait for it.
const STEP_LIMIT: usize = 200;

impl RedisBroker {
    /// Runs a script that answers with a record.
    async fn end(&self, call: Call, repeat: Repeat, asked: Asked) -> Result<Task, BrokerError> {
        let answer: Vec<Value> = self.link.write(&call, repeat).await?;
        let mut answer = answer.into_iter();
        let tag: String = value(answer.next())?;
        match (tag.as_str(), asked) {
            ("done", _) => value::<Record>(answer.next())?.into_task(),
            ("stale", Asked::Lease) => Err(BrokerError::StaleLease),
            ("missing", Asked::Task(task, _)) => Err(BrokerError::NotFound(task)),
            ("conflict", Asked::Task(_, transition)) => {
                let state: String = value(answer.next())?;
                match task_state(&state)?.after(transition) {
                    Err(illegal) => Err(illegal.into()),
                    Ok(_) => Err(corrupt(format!(
                        "a script refused to {transition} a task that is {state}"
                    ))),
                }
            }
            (other, _) => Err(corrupt(format!("a script answered {other:?}"))),
        }
    }

    /// Refuses follow-ups of a task elsewhere, which could not be enqueued in one atomic step with this one.
    fn check_owed(&self, partition: usize, owed: &[FollowUp]) -> Result<(), BrokerError> {
        let elsewhere = |owed: &&FollowUp| self.partition_of(owed.task().id) != partition;
        match owed.iter().find(elsewhere) {
            None => Ok(()),
            Some(owed) => Err(corrupt(format!(
                "follow-up {} is owed by another task than the one that ends",
                owed.task().id
            ))),
        }
    }

    /// Does a bounded step in each partition until `limit` is used up or nothing is left; `take` takes each step's answer
    /// and says how many things were done in it.
    async fn in_steps<T: FromRedisValue>(
        &self,
        script: &'static script::Script,
        limit: usize,
        mut take: impl FnMut(T) -> Result<usize, BrokerError> + Send,
    ) -> Result<(), BrokerError> {
        let mut left = limit;
        for partition in 0..self.partitions() {
            while left > 0 {
                let most = left.min(STEP_LIMIT);
                let call = self.call(script, partition).arg(most);
                let done = take(self.link.write(&call, Repeat::Never).await?)?;
                left = left.saturating_sub(done);
                if done < most {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// What a call was about, for its refusal.
#[derive(Clone, Copy)]
enum Asked {
    Lease,
    Task(TaskId, Transition),
}

#[async_trait]
impl Broker for RedisBroker {
    async fn submit(&self, submission: Submission) -> Result<Submitted, BrokerError> {
        self.store(submission).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, BrokerError> {
        self.claim_tasks(request).await
    }

    async fn heartbeat(&self, worker: &WorkerId, leases: &[LeaseId]) -> Result<Vec<Renewal>, BrokerError> {
        let mut renewals = vec![Renewal::Stale; leases.len()];
        for partition in 0..self.partitions() {
            let here = |(_, lease): &(usize, &LeaseId)| self.partition_of_lease(**lease) == partition;
            let asked: Vec<(usize, &LeaseId)> = leases.iter().enumerate().filter(here).collect();
            if asked.is_empty() && !(leases.is_empty() && partition == 0) {
                continue;
            }
            let texts: Vec<String> = asked.iter().map(|(_, lease)| lease.to_string()).collect();
            let call = self
                .call(&script::HEARTBEAT, partition)
                .arg(worker.as_str())
                .arg(texts.as_slice());
            let answer: Vec<String> = self.link.write(&call, Repeat::Harmless).await?;
            for ((index, _), expires) in asked.into_iter().zip(answer) {
                renewals[index] = optional_timestamp("expires", &expires)?.map_or(Renewal::Stale, Renewal::Renewed);
            }
        }
        Ok(renewals)
    }

    async fn complete(&self, lease: LeaseId, completion: Completion) -> Result<Task, BrokerError> {
        let partition = self.partition_of_lease(lease);
        self.check_owed(partition, &completion.follow_ups)?;
        let success = to_json(&Success {
            lease,
            outputs: completion.outputs,
            warnings: completion.warnings,
        })?;
        let call = self
            .call(&script::COMPLETE, partition)
            .arg(lease.to_string())
            .arg(success)
            .owed(&completion.follow_ups)?;
        self.end(call, Repeat::Harmless, Asked::Lease).await
    }

    async fn fail(&self, lease: LeaseId, failure: Failure, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        let partition = self.partition_of_lease(lease);
        self.check_owed(partition, &follow_ups)?;
        let call = self
            .call(&script::FAIL, partition)
            .arg(lease.to_string())
            .failure(&failure, rand::random())?
            .owed(&follow_ups)?;
        self.end(call, Repeat::Harmless, Asked::Lease).await
    }

    async fn release(&self, lease: LeaseId) -> Result<Task, BrokerError> {
        let call = self
            .call(&script::RELEASE, self.partition_of_lease(lease))
            .arg(lease.to_string());
        self.end(call, Repeat::Harmless, Asked::Lease).await
    }

    async fn revoked(&self, worker: &WorkerId, wait: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        let mut waiting = Waiting::new(self.hub.subscribe(Topic::Worker(worker.clone())), wait);
        loop {
            let mut lost = Vec::new();
            for partition in 0..self.partitions() {
                let call = self.call(&script::REVOKED, partition).arg(worker.as_str());
                let taken: Vec<String> = self.link.write(&call, Repeat::Never).await?;
                for lease in taken {
                    lost.push(lease_id(&lease)?);
                }
            }
            if !lost.is_empty() || waiting.is_over().await {
                return Ok(lost);
            }
        }
    }

    async fn cancel(&self, task: TaskId, follow_ups: Vec<FollowUp>) -> Result<Task, BrokerError> {
        let partition = self.partition_of(task);
        self.check_owed(partition, &follow_ups)?;
        let call = self
            .call(&script::CANCEL, partition)
            .arg(task.to_string())
            .owed(&follow_ups)?;
        self.end(call, Repeat::Harmless, Asked::Task(task, Transition::Cancel))
            .await
    }

    async fn retry(&self, task: TaskId) -> Result<Task, BrokerError> {
        let call = self.call(&script::RETRY, self.partition_of(task)).arg(task.to_string());
        self.end(call, Repeat::Never, Asked::Task(task, Transition::Retry))
            .await
    }

    async fn delete(&self, task: TaskId) -> Result<(), BrokerError> {
        let call = self
            .call(&script::DELETE, self.partition_of(task))
            .arg(task.to_string());
        let answer: Vec<String> = self.link.write(&call, Repeat::Never).await?;
        match answer.first().map(String::as_str) {
            Some("done") => Ok(()),
            Some("missing") => Err(BrokerError::NotFound(task)),
            other => Err(corrupt(format!("delete answered {other:?}"))),
        }
    }

    async fn get(&self, task: TaskId) -> Result<Task, BrokerError> {
        self.find(task).await?.into_task()
    }

    async fn wait(&self, task: TaskId, wait: Duration) -> Result<Task, BrokerError> {
        let mut waiting = Waiting::new(self.hub.subscribe(Topic::Task(task)), wait);
        loop {
            let found = Broker::get(self, task).await?;
            if found.state.is_final() || waiting.is_over().await {
                return Ok(found);
            }
        }
    }

    async fn known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError> {
        self.which_are_known(tasks).await
    }

    async fn is_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError> {
        self.is_key_used(key).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, BrokerError> {
        self.list_tasks(&query).await
    }

    async fn ended(&self, query: EndedQuery) -> Result<Vec<Task>, BrokerError> {
        self.list_ended(&query).await
    }

    async fn stats(&self) -> Result<Stats, BrokerError> {
        self.count().await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, BrokerError> {
        let topic = query.task.map_or(Topic::AllTasks, Topic::Task);
        let mut waiting = Waiting::new(self.hub.subscribe(topic), query.wait);
        loop {
            let page = self.read_events(&query).await?;
            if page != EventPage::Events(Vec::new()) || waiting.is_over().await {
                return Ok(page);
            }
        }
    }

    async fn reap(&self, limit: usize) -> Result<Reaped, BrokerError> {
        let mut reaped = Reaped::default();
        self.in_steps(&script::REAP, limit, |rows: Vec<[String; 5]>| {
            let done = rows.len();
            for [state, task, attempt, worker, code] in rows {
                let lost = LostAttempt {
                    task: parse("task", &task)?,
                    attempt: parse("attempt", &attempt)?,
                    worker: parse("worker", &worker)?,
                    code: failure_code(&code)?,
                };
                reaped.add(lost, task_state(&state)?);
            }
            Ok(done)
        })
        .await?;
        Ok(reaped)
    }

    async fn purge(&self, limit: usize) -> Result<u64, BrokerError> {
        let mut purged = 0;
        self.in_steps(&script::PURGE, limit, |done: usize| {
            purged += done as u64;
            Ok(done)
        })
        .await?;
        Ok(purged)
    }

    async fn pending_deletions(&self, limit: usize) -> Result<Vec<TaskId>, BrokerError> {
        let mut pending = Vec::new();
        for root in &self.roots {
            let left = limit - pending.len();
            if left == 0 {
                break;
            }
            let mut read = cmd("ZRANGE");
            read.arg(format!("{root}:deletions")).arg(0).arg(left - 1);
            let found: Vec<String> = self.link.command(&read).await?;
            for task in found {
                pending.push(parse("task", &task)?);
            }
        }
        Ok(pending)
    }

    async fn deletions_done(&self, tasks: &[TaskId]) -> Result<(), BrokerError> {
        for (partition, root) in self.roots.iter().enumerate() {
            let here: Vec<String> = tasks
                .iter()
                .filter(|task| self.partition_of(**task) == partition)
                .map(TaskId::to_string)
                .collect();
            if !here.is_empty() {
                let mut forget = cmd("ZREM");
                forget.arg(format!("{root}:deletions")).arg(here.as_slice());
                self.link.command::<i64>(&forget).await?;
            }
        }
        Ok(())
    }

    async fn check(&self) -> Result<(), BrokerError> {
        for partition in 0..self.partitions() {
            let call = self.call(&script::CHECK, partition);
            self.link.write::<i64>(&call, Repeat::Harmless).await?;
        }
        self.epoch.check(&self.link).await
    }
}
