//! What a Redis must be to keep tasks, and what it could lose as it is set up.

use std::time::Duration;

use redis::{FromRedisValue, RedisError, ToRedisArgs, Value, cmd};

use super::RedisUsage;
use super::address::Connection;
use super::error::RedisOpenError;
use super::link::Link;
use crate::BrokerError;

/// The oldest that has all commands the scripts use.
const OLDEST_VERSION: (&str, (u32, u32)) = ("6.2", (6, 2));

/// Fields of the first root: the epoch of its log, random, and how many partitions there are.
const EPOCH: &str = "epoch";
const PARTITIONS: &str = "partitions";

/// Refuses a server that would lose tasks, and says what it could lose.
pub(super) async fn check_server(connection: &mut Connection, address: &str) -> Result<Vec<String>, RedisOpenError> {
    let refused = |error: RedisError| RedisOpenError::at_start(address, error);
    let mut warnings = Vec::new();
    let answers = connection.send_to_all(cmd("INFO")).await.map_err(refused)?;
    for answer in answers {
        let info: String = redis::from_redis_value(answer).map_err(|error| refused(error.into()))?;
        let version = field(&info, "redis_version").unwrap_or("unknown");
        if !is_new_enough(version) {
            return Err(RedisOpenError::TooOld {
                address: address.to_owned(),
                found: version.to_owned(),
                required: OLDEST_VERSION.0,
            });
        }
        let policy = field(&info, "maxmemory_policy").unwrap_or("noeviction");
        if policy != "noeviction" {
            return Err(RedisOpenError::Evicts {
                address: address.to_owned(),
                policy: policy.to_owned(),
            });
        }
        if field(&info, "aof_enabled") == Some("0") {
            warnings.push(
                "Redis keeps no append-only file: when it ends or its machine does, every task since its last snapshot \
                 is lost, acknowledged or not; set `appendonly yes` and `appendfsync always`"
                    .to_owned(),
            );
        }
    }
    if warnings.is_empty() {
        warnings.extend(lazy_sync(connection).await);
    }
    // Each node of a cluster says the same.
    warnings.dedup();
    Ok(warnings)
}

/// Some servers, managed ones above all, do not tell.
async fn lazy_sync(connection: &mut Connection) -> Option<String> {
    let mut ask = cmd("CONFIG");
    ask.arg("GET").arg("appendfsync");
    let answers = connection.send_to_all(ask).await.ok()?;
    let settings = answers.into_iter().filter_map(|answer: Value| {
        let pair: std::collections::HashMap<String, String> = redis::from_redis_value(answer).ok()?;
        pair.get("appendfsync").cloned()
    });
    let lazy = settings.into_iter().find(|setting| setting != "always")?;
    let lost = if lazy == "no" {
        "what the kernel had not yet written, up to half a minute,"
    } else {
        "up to a second"
    };
    Some(format!(
        "Redis has `appendfsync {lazy}`: when its machine loses power {lost} of acknowledged tasks is lost; \
         `appendfsync always` loses none"
    ))
}

/// What all nodes together use.
pub(super) async fn usage(connection: &mut Connection) -> Result<RedisUsage, RedisError> {
    let mut total = RedisUsage::default();
    for answer in connection.send_to_all(cmd("INFO")).await? {
        let info: String = redis::from_redis_value(answer)?;
        let number = |name| {
            field(&info, name)
                .and_then(|text| text.parse::<f64>().ok())
                .unwrap_or(0.0)
        };
        total.memory_bytes += number("used_memory") as u64;
        total.cpu_time += Duration::from_secs_f64(number("used_cpu_user") + number("used_cpu_sys"));
        total.is_saving |= number("aof_rewrite_in_progress") + number("rdb_bgsave_in_progress") > 0.0;
    }
    Ok(total)
}

fn refused(address: &str, error: BrokerError) -> RedisOpenError {
    match error {
        BrokerError::Unavailable(source) => match source.downcast::<RedisError>() {
            Ok(error) => RedisOpenError::at_start(address, *error),
            Err(source) => RedisOpenError::unreachable(address, source),
        },
        other => RedisOpenError::unreachable(address, Box::new(other)),
    }
}

/// Sees to it that all processes agree on the number of partitions.
pub(super) async fn check_partitions(link: &Link, address: &str, roots: &[String]) -> Result<(), RedisOpenError> {
    let wanted = u32::try_from(roots.len()).unwrap_or(u32::MAX);
    let found = found_or_made(link, &roots[0], PARTITIONS, wanted).await;
    let found: Option<u32> = found.map_err(|error| refused(address, error))?;
    let found = found.unwrap_or(wanted);
    if found != wanted {
        return Err(RedisOpenError::Partitions {
            address: address.to_owned(),
            found,
            wanted,
        });
    }
    Ok(())
}

/// What tells a server from itself once it was emptied: the epoch that the log of the first partition had at the start.
#[derive(Debug)]
pub(super) struct Epoch {
    root: String,
    /// None at a server that was full before it had one: who works off what fills it must start.
    value: Option<String>,
}

impl Epoch {
    /// Reads the epoch at `root`, or begins one.
    pub(super) async fn find(link: &Link, address: &str, root: &str) -> Result<Self, RedisOpenError> {
        let new = format!("{:016x}", rand::random::<u64>());
        let value = match found_or_made(link, root, EPOCH, new).await {
            Err(BrokerError::StorageFull(_)) => None,
            other => other.map_err(|error| refused(address, error))?,
        };
        Ok(Self {
            root: root.to_owned(),
            value,
        })
    }

    /// Refuses a server that has lost the epoch since, or is in another.
    pub(super) async fn check(&self, link: &Link) -> Result<(), BrokerError> {
        let Some(expected) = &self.value else {
            return Ok(());
        };
        let mut read = cmd("HMGET");
        read.arg(&self.root).arg(EPOCH).arg(PARTITIONS);
        let is_emptied = match link.command::<(Option<String>, Option<u32>)>(&read).await? {
            (Some(found), _) => found != *expected,
            // One that is young may be lost with a master, and all else be there.
            (None, partitions) => partitions.is_none(),
        };
        if is_emptied {
            let told = "Redis has lost what it had when this process began: it was emptied, or is another one";
            return Err(BrokerError::Unavailable(told.into()));
        }
        Ok(())
    }
}

/// What is in `field` of `root`; `new` when nothing was. Not written when it is there: a server that is full would refuse that, and
/// who works off what fills it must start.
async fn found_or_made<T: FromRedisValue + ToRedisArgs>(
    link: &Link,
    root: &str,
    field: &str,
    new: T,
) -> Result<Option<T>, BrokerError> {
    let mut read = cmd("HGET");
    read.arg(root).arg(field);
    let found: Option<T> = link.command(&read).await?;
    if found.is_some() {
        return Ok(found);
    }
    let mut note = cmd("HSETNX");
    note.arg(root).arg(field).arg(new);
    link.command::<i64>(&note).await?;
    link.command(&read).await
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let line = info
        .lines()
        .find(|line| line.starts_with(name) && line[name.len()..].starts_with(':'))?;
    Some(line[name.len() + 1..].trim())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST_VERSION.1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, will_do) in [
            ("7.0.15", true),
            ("6.2.0", true),
            ("10.0.1", true),
            ("6.0.16", false),
            ("x", false),
        ] {
            assert_eq!(is_new_enough(version), will_do, "{version}");
        }
        assert_eq!(
            field(
                "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n",
                "maxmemory"
            ),
            Some("0")
        );
    }
}
