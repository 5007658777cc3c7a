//! Small values by namespace and key; all of them in the first partition.

use std::time::Duration;

use async_trait::async_trait;
use redis::{FromRedisValue, Value};

use super::RedisBroker;
use super::link::Repeat;
use super::record::{corrupt, optional_timestamp, parse};
use super::script;
use super::submit::value;
use crate::{BrokerError, Entry, Expected, PutOutcome, Registry};

/// Entries one script reads: others wait for it.
const STEP_LIMIT: usize = 500;

fn expectation(expected: Expected) -> String {
    match expected {
        Expected::Any => "any".to_owned(),
        Expected::Absent => "absent".to_owned(),
        Expected::Version(version) => version.to_string(),
    }
}

fn entry(answer: &mut impl Iterator<Item = Value>) -> Result<Option<Entry>, BrokerError> {
    let Some(bytes): Option<Vec<u8>> = value(answer.next())? else {
        return Ok(None);
    };
    Ok(Some(Entry {
        value: bytes,
        version: parse("version", &value::<String>(answer.next())?)?,
        expires_at: optional_timestamp("expires", &value::<String>(answer.next())?)?,
    }))
}

fn keyed(answer: Vec<Value>) -> Result<Vec<(String, Entry)>, BrokerError> {
    let mut answer = answer.into_iter();
    let mut entries = Vec::new();
    while let Some(key) = answer.next() {
        let key = String::from_redis_value(key).map_err(|error| corrupt(format!("a registry key: {error}")))?;
        let entry = entry(&mut answer)?.ok_or_else(|| corrupt("a registry entry without a value"))?;
        entries.push((key, entry));
    }
    Ok(entries)
}

impl RedisBroker {
    async fn entries(
        &self,
        namespace: &str,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError> {
        let call = self
            .call(&script::ENTRIES, 0)
            .arg(namespace)
            .arg(from)
            .arg(to)
            .arg(limit);
        keyed(self.link.read(&call).await?)
    }
}

#[async_trait]
impl Registry for RedisBroker {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>, BrokerError> {
        let exactly = [b"[", key.as_bytes()].concat();
        let found = self.entries(namespace, &exactly, &exactly, 1).await?;
        Ok(found.into_iter().next().map(|(_, entry)| entry))
    }

    async fn put_if(
        &self,
        namespace: &str,
        key: &str,
        value_bytes: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> Result<PutOutcome, BrokerError> {
        let call = self
            .call(&script::PUT, 0)
            .arg(namespace)
            .arg(key)
            .arg(value_bytes)
            .arg(expectation(expected))
            .arg(ttl.map_or_else(String::new, |ttl| ttl.as_nanos().div_ceil(1_000_000).to_string()));
        let repeat = if expected == Expected::Any {
            Repeat::Harmless
        } else {
            Repeat::Never
        };
        let answer: Vec<Value> = self.link.write(&call, repeat).await?;
        let mut answer = answer.into_iter();
        let tag: String = value(answer.next())?;
        match tag.as_str() {
            "stored" => Ok(PutOutcome::Stored(parse("version", &value::<String>(answer.next())?)?)),
            "found" => Ok(PutOutcome::Found(entry(&mut answer)?)),
            other => Err(corrupt(format!("put answered {other:?}"))),
        }
    }

    async fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError> {
        let mut from = after.map_or_else(|| b"-".to_vec(), |key| [b"(", key.as_bytes()].concat());
        let mut all = Vec::new();
        while all.len() < limit {
            let most = (limit - all.len()).min(STEP_LIMIT);
            let page = self.entries(namespace, &from, b"+", most).await?;
            let is_last = page.len() < most;
            all.extend(page);
            if let (false, Some((last, _))) = (is_last, all.last()) {
                from = [b"(", last.as_bytes()].concat();
            } else {
                break;
            }
        }
        Ok(all)
    }

    async fn delete(&self, namespace: &str, key: &str, expected: Expected) -> Result<bool, BrokerError> {
        let call = self
            .call(&script::UNSET, 0)
            .arg(namespace)
            .arg(key)
            .arg(expectation(expected));
        self.link.write(&call, Repeat::Never).await
    }
}
