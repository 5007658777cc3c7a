//! Tasks come in.

use std::time::Duration;

use pixmill_types::{NewTask, TaskId};
use redis::Value;
use tokio::time::sleep;

use super::RedisBroker;
use super::link::Repeat;
use super::record::{Record, corrupt, parse, timestamp};
use super::script;
use crate::{BrokerError, Idempotency, Submission, Submitted, policy};

/// How long a submission may take between reserving its key and storing its task, when they lie apart.
const RESERVED_FOR: Duration = Duration::from_secs(3);
/// How often a key is looked at that somebody else has reserved.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A reservation, or what was found instead.
enum Reserved {
    /// The task may be stored until then, by the clock of its partition.
    Until(String),
    /// An earlier request used the key.
    Used(Submitted),
}

impl RedisBroker {
    /// Stores a task; with several partitions its key, which an earlier task in any of them may have used, is reserved
    /// first.
    pub(super) async fn store(&self, submission: Submission) -> Result<Submitted, BrokerError> {
        let partition = self.partition_of(submission.task.id);
        let until = match &submission.idempotency {
            Some(wanted) if self.partitions() > 1 => {
                // Before the key: what is stored already needs none.
                match self.find(submission.task.id).await {
                    Ok(record) => return Ok(Submitted::Existing(Box::new(record.into_task()?))),
                    Err(BrokerError::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
                match self.reserve(wanted, submission.task.id).await? {
                    Reserved::Until(until) => Some(until),
                    Reserved::Used(existing) => return Ok(existing),
                }
            }
            _ => None,
        };
        let key = submission.idempotency.as_ref().filter(|_| until.is_none());
        let call = self
            .call(&script::SUBMIT, partition)
            .arg(key.map_or_else(String::new, |wanted| wanted.fingerprint.to_string()))
            .arg(key.map_or("", |wanted| wanted.key.as_str()))
            .arg(self.key_life())
            .arg(u8::from(policy::is_staged_too_long(
                &self.options,
                submission.staged_for,
            )))
            .arg(until.unwrap_or_default())
            .task(&submission.task)?;
        let answer: Vec<Value> = self.link.write(&call, Repeat::Harmless).await?;
        self.submitted(answer, submission.task)
    }

    fn submitted(&self, answer: Vec<Value>, task: NewTask) -> Result<Submitted, BrokerError> {
        let mut answer = answer.into_iter();
        let tag: String = value(answer.next())?;
        match tag.as_str() {
            "created" => {
                let now = timestamp("now", &value::<String>(answer.next())?)?;
                Ok(Submitted::Created(Box::new(policy::accepted(task, now))))
            }
            "existing" => Ok(Submitted::Existing(Box::new(
                value::<Record>(answer.next())?.into_task()?,
            ))),
            "full" => Ok(Submitted::Full {
                queued: value(answer.next())?,
                limit: self.options.max_queued,
            }),
            "reused" => Err(BrokerError::KeyReused),
            "staged" => Err(BrokerError::StagedTooLong),
            "late" => Err(BrokerError::Unavailable("the reservation of the key ran out".into())),
            other => Err(corrupt(format!("submit answered {other:?}"))),
        }
    }

    async fn reserve(&self, wanted: &Idempotency, task: TaskId) -> Result<Reserved, BrokerError> {
        let mut gone = String::new();
        loop {
            let call = self
                .call(&script::RESERVE, self.partition_of_key(&wanted.key))
                .arg(wanted.fingerprint.to_string())
                .arg(wanted.key.as_str())
                .arg(self.key_life())
                .arg(task.to_string())
                .arg(&gone)
                .arg(RESERVED_FOR.as_millis() as u64);
            let answer: Vec<String> = self.link.write(&call, Repeat::Harmless).await?;
            match answer.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["yours", until] => return Ok(Reserved::Until(until.to_owned())),
                ["busy"] => {
                    gone.clear();
                    sleep(LOOK_INTERVAL).await;
                }
                ["used", fingerprint, earlier, settled] => match self.find(parse("task", earlier)?).await {
                    Ok(_) if fingerprint != wanted.fingerprint.to_string() => return Err(BrokerError::KeyReused),
                    Ok(record) => return Ok(Reserved::Used(Submitted::Existing(Box::new(record.into_task()?)))),
                    // Only what was settled before it was looked for is certainly gone; another may still be stored.
                    Err(BrokerError::NotFound(_)) if settled.is_empty() => sleep(LOOK_INTERVAL).await,
                    Err(BrokerError::NotFound(_)) => gone = earlier.to_owned(),
                    Err(error) => return Err(error),
                },
                _ => return Err(corrupt(format!("reserve answered {answer:?}"))),
            }
        }
    }

    fn key_life(&self) -> u64 {
        u64::try_from(self.options.idempotency_ttl.as_millis()).unwrap_or(u64::MAX)
    }
}

/// One part of a script's answer.
pub(super) fn value<T: redis::FromRedisValue>(part: Option<Value>) -> Result<T, BrokerError> {
    let part = part.ok_or_else(|| corrupt("a script's answer is too short"))?;
    redis::from_redis_value(part).map_err(|error| corrupt(format!("a script's answer: {error}")))
}
