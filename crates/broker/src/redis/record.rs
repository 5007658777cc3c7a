//! Records as hashes, both ways. Knows the fields; decides nothing.
//!
//! Fields that this release does not know are left alone: scripts set what they change and nothing else.

use std::collections::HashMap;

use pixmill_types::{Failure, FailureCode, LeaseId, NewTask, Success, Task, TaskState, Timestamp};
use redis::{FromRedisValue, ParsingError, Value};
use serde::de::DeserializeOwned;

use super::script::Call;
use crate::{BrokerError, FollowUp, policy};

/// The version of the schema that this release writes, and the latest it can read.
const SCHEMA_VERSION: u64 = 1;

/// A hash as Redis returns it, field and value in turn, or what `record` in `lib.lua` makes of it: there an empty value says
/// that there is none.
#[derive(Debug, Default)]
pub(super) struct Record(HashMap<String, String>);

impl FromRedisValue for Record {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut fields = HashMap::<String, String>::from_redis_value(value)?;
        fields.retain(|_, value| !value.is_empty());
        Ok(Self(fields))
    }
}

impl Record {
    /// Whether there is no such hash.
    pub(super) fn is_missing(&self) -> bool {
        self.0.is_empty()
    }

    /// The record as callers see it.
    pub(super) fn into_task(self) -> Result<Task, BrokerError> {
        let version: u64 = self.number("v")?;
        let document: NewTask = json("task", self.text("task")?)?;
        if version > SCHEMA_VERSION {
            let id = document.id;
            return Err(corrupt(format!(
                "task {id} was written by a later release (schema version {version})"
            )));
        }
        let state = task_state(self.text("state")?)?;
        let success: Option<Success> = self.0.get("success").map(|text| json("success", text)).transpose()?;
        let started_at = self.time("started")?;
        Ok(Task {
            id: document.id,
            queue: document.queue,
            payload: document.payload,
            priority: document.priority,
            state,
            attempt: self.number("attempt")?,
            max_attempts: document.max_attempts,
            cost_bytes: document.cost_bytes,
            timeout_ms: document.timeout_ms,
            trace_parent: document.trace_parent,
            created_at: self
                .time("created")?
                .ok_or_else(|| corrupt("field created is missing"))?,
            not_before: self.time("due")?,
            started_at,
            finished_at: self.time("finished")?,
            expires_at: self.time("expires")?,
            success,
            failure: self.failure(document.timeout_ms)?,
        })
    }

    /// JSON, or the bare code of what a reaper found.
    fn failure(&self, timeout_ms: u64) -> Result<Option<Failure>, BrokerError> {
        let never = Timestamp::from_millis(0);
        match self.0.get("failure").map(String::as_str) {
            None => Ok(None),
            Some("crashed") => Ok(Some(policy::expiry_failure(never, never, timeout_ms, true))),
            Some("timed_out") => {
                let out_of_time = policy::deadline(never, timeout_ms);
                Ok(Some(policy::expiry_failure(out_of_time, never, timeout_ms, false)))
            }
            Some(text) => json("failure", text).map(Some),
        }
    }

    fn text(&self, field: &str) -> Result<&str, BrokerError> {
        let text = self
            .0
            .get(field)
            .ok_or_else(|| corrupt(format!("field {field} is missing")))?;
        Ok(text)
    }

    fn number<T: std::str::FromStr>(&self, field: &str) -> Result<T, BrokerError> {
        parse(field, self.text(field)?)
    }

    fn time(&self, field: &str) -> Result<Option<Timestamp>, BrokerError> {
        self.0.get(field).map(|text| timestamp(field, text)).transpose()
    }
}

/// Stored data that cannot be understood.
pub(super) fn corrupt(what: impl Into<String>) -> BrokerError {
    BrokerError::Corrupt(what.into())
}

/// A number that a script wrote.
pub(super) fn parse<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, BrokerError> {
    text.parse()
        .map_err(|_| corrupt(format!("{what}: {text:?} is not of its form")))
}

/// A time that a script wrote.
pub(super) fn timestamp(what: &str, text: &str) -> Result<Timestamp, BrokerError> {
    parse(what, text).map(Timestamp::from_millis)
}

/// The time of a script that writes '' for none.
pub(super) fn optional_timestamp(what: &str, text: &str) -> Result<Option<Timestamp>, BrokerError> {
    if text.is_empty() {
        return Ok(None);
    }
    timestamp(what, text).map(Some)
}

fn json<T: DeserializeOwned>(field: &str, text: &str) -> Result<T, BrokerError> {
    serde_json::from_str(text).map_err(|error| corrupt(format!("field {field}: {error}")))
}

/// JSON for a field.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, BrokerError> {
    serde_json::to_string(value).map_err(|error| corrupt(format!("a record cannot be written as JSON: {error}")))
}

impl Call {
    /// Adds the eight arguments that describe a task.
    pub(super) fn task(self, task: &NewTask) -> Result<Self, BrokerError> {
        let due = task
            .not_before
            .map_or_else(String::new, |time| time.as_millis().to_string());
        Ok(self
            .arg(task.id.to_string())
            .arg(task.queue.as_str())
            .arg(task.priority.get())
            .arg(task.cost_bytes)
            .arg(task.timeout_ms)
            .arg(task.max_attempts)
            .arg(due)
            .arg(to_json(task)?))
    }

    /// Adds the tasks that a transition owes.
    pub(super) fn owed(self, tasks: &[FollowUp]) -> Result<Self, BrokerError> {
        let tasks = tasks.iter().map(FollowUp::task);
        tasks.clone().try_fold(self.arg(tasks.len()), Call::task)
    }

    /// Adds a failure.
    pub(super) fn failure(self, failure: &Failure, random: f64) -> Result<Self, BrokerError> {
        let code: FailureCode = failure.code;
        Ok(self
            .arg(to_json(failure)?)
            .arg(code.as_str())
            .arg(u8::from(code.is_permanent()))
            .arg(random.to_string()))
    }
}

/// The state that a script returned.
pub(super) fn task_state(text: &str) -> Result<TaskState, BrokerError> {
    TaskState::from_name(text).ok_or_else(|| corrupt("field state: not a state"))
}

/// The code that a script returned.
pub(super) fn failure_code(text: &str) -> Result<FailureCode, BrokerError> {
    FailureCode::from_name(text).ok_or_else(|| corrupt(format!("failure code {text:?} is unknown")))
}

/// The fence that a script returned.
pub(super) fn lease_id(text: &str) -> Result<LeaseId, BrokerError> {
    parse("lease", text)
}
