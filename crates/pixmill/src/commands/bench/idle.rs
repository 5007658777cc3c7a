//! Idle workers at a Redis: how much of its one core they take. Each has the connections and the calls of a real one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pixmill_broker::{Broker, BrokerOptions, RedisBroker, RedisOptions, WorkerReport, announce_worker};
use pixmill_types::{QueueName, WorkerId};
use serde::Serialize;
use tokio::task::JoinSet;

use super::Effort;
use super::broker::claim_one;
use super::statistics::median;
use crate::machine;

/// Waits, intervals and the lifetime of a record, as a worker has them.
const WAIT: Duration = Duration::from_secs(30);
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(10);
const REAP_INTERVAL: Duration = Duration::from_secs(5);
const DELETION_INTERVAL: Duration = Duration::from_secs(2);
const LIFETIME: Duration = Duration::from_secs(30);
const BATCH: usize = 100;
/// Over how long the workers come, so that they do not call in step.
const ARRIVAL: Duration = Duration::from_secs(10);
/// Connections that are being made at the same time.
const CONNECTING: usize = 64;

/// What idle workers cost.
#[derive(Debug, Clone, Serialize)]
pub(super) struct IdleFigures {
    workers: u32,
    /// CPU time of Redis a second, seconds.
    redis_cores: f64,
    /// Memory of Redis that one worker takes, its connections included, bytes.
    bytes_per_worker: f64,
}

/// Lets `workers` idle at the Redis at `address`, under keys of their own, which are left there.
pub(super) async fn measure(address: &str, workers: u32, effort: Effort) -> anyhow::Result<IdleFigures> {
    let redis = RedisOptions {
        prefix: format!("pixmill-bench-{:08x}", rand::random::<u32>()),
        ..RedisOptions::default()
    };
    let watching = RedisBroker::open(address, redis.clone(), BrokerOptions::default())
        .await
        .context("cannot measure Redis")?;
    let before = watching.server_usage().await?.memory_bytes;
    eprintln!("{workers} workers come");
    let mut loops: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let connecting = Arc::new(tokio::sync::Semaphore::new(CONNECTING));
    for number in 0..workers {
        let (address, redis, connecting) = (address.to_owned(), redis.clone(), Arc::clone(&connecting));
        loops.spawn(async move {
            tokio::time::sleep(ARRIVAL.mul_f64(f64::from(number) / f64::from(workers))).await;
            let permit = connecting.acquire().await?;
            let open = || RedisBroker::open(&address, redis.clone(), BrokerOptions::default());
            // A worker's heartbeat has a connection of its own.
            let (broker, heartbeat) = tokio::try_join!(open(), open())?;
            drop(permit);
            idle(format!("bench-{number}").parse()?, broker, heartbeat).await
        });
    }
    let settled = Instant::now() + ARRIVAL * 2;
    let mut cores = Vec::new();
    let measured = async {
        tokio::time::sleep_until(settled.into()).await;
        for _ in 0..effort.rounds {
            let (from, start) = (watching.server_usage().await?.cpu_time, Instant::now());
            // Every interval of a worker occurs in it at least once.
            tokio::time::sleep(effort.duration.max(ANNOUNCE_INTERVAL)).await;
            let spent = watching.server_usage().await?.cpu_time.saturating_sub(from);
            cores.push(spent.as_secs_f64() / start.elapsed().as_secs_f64());
        }
        watching.server_usage().await.context("Redis does not answer")
    };
    let after = tokio::select! {
        usage = measured => usage?,
        Some(ended) = loops.join_next() => {
            ended.context("a worker ended")??;
            anyhow::bail!("a worker ended");
        }
    };
    Ok(IdleFigures {
        workers,
        redis_cores: median(&cores),
        bytes_per_worker: after.memory_bytes.saturating_sub(before) as f64 / f64::from(workers),
    })
}

/// The calls of a worker that finds nothing to do, for ever.
async fn idle(id: WorkerId, broker: RedisBroker, heartbeat: RedisBroker) -> anyhow::Result<()> {
    let claims = every(Duration::ZERO, || async {
        let claimed = broker.claim(claim_one(&id, WAIT)).await?;
        anyhow::ensure!(claimed.leases.is_empty(), "somebody submits tasks");
        Ok(())
    });
    let control = every(Duration::ZERO, || async {
        broker.revoked(&id, WAIT).await?;
        Ok(())
    });
    let announcements = every(ANNOUNCE_INTERVAL, || async {
        Ok(announce_worker(&heartbeat, &id, report(), LIFETIME).await?)
    });
    let reaper = every(REAP_INTERVAL, || async {
        broker.reap(BATCH).await?;
        Ok(())
    });
    let janitor = every(DELETION_INTERVAL, || async {
        broker.pending_deletions(BATCH).await?;
        Ok(())
    });
    tokio::select! {
        ended = claims => ended,
        ended = control => ended,
        ended = announcements => ended,
        ended = reaper => ended,
        ended = janitor => ended,
    }
}

async fn every<F>(interval: Duration, call: impl Fn() -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    loop {
        call().await?;
        tokio::time::sleep(interval).await;
    }
}

fn report() -> WorkerReport {
    WorkerReport {
        host: machine::host(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        queue: QueueName::images(),
        slots: 4,
        busy: 0,
        draining: false,
        uptime_ms: 0,
    }
}

impl fmt::Display for IdleFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| idle workers | of one Redis core | memory of Redis a worker |")?;
        writeln!(f, "|---|---|---|")?;
        let (share, memory) = (self.redis_cores * 100.0, self.bytes_per_worker / 1024.0);
        writeln!(f, "| {} | {share:.1}% | {memory:.0} KiB |", self.workers)
    }
}
