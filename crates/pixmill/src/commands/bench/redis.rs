//! A Redis broker through the real client: cycles a second, how long each call takes, and what a queue of a million
//! tasks changes about that.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pixmill_broker::{Broker, BrokerOptions, RedisBroker, RedisOptions};
use serde::Serialize;
use tokio::task::JoinSet;

use super::Effort;
use super::broker::{IN_FLIGHT, claim_one, completion, submit, wake_ups};
use super::statistics::{median, percentile};
use crate::machine;

/// Tasks that wait while calls are measured.
const DEPTHS: [u64; 2] = [1_000, 1_000_000];

/// What a Redis broker does.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RedisFigures {
    depths: Vec<DepthFigures>,
    /// From the start of a submission to the claim of a worker that was waiting, milliseconds.
    wake_up_p50_ms: f64,
    /// The same, 99th percentile.
    wake_up_p99_ms: f64,
    /// Memory of Redis that one waiting task takes, bytes.
    bytes_per_task: f64,
}

/// What it does while so many tasks wait.
#[derive(Debug, Clone, Serialize)]
struct DepthFigures {
    queued: u64,
    cycles_per_second: f64,
    calls: Vec<CallFigures>,
}

/// How long one kind of call takes with 64 under way.
#[derive(Debug, Clone, Serialize)]
struct CallFigures {
    call: &'static str,
    p50_ms: f64,
    p99_ms: f64,
}

/// Latencies of the three calls of a cycle, milliseconds.
type Latencies = [Vec<f64>; 3];

/// Measures the Redis at `address` under keys of its own, which are left there.
pub(super) async fn measure(address: &str, effort: Effort) -> anyhow::Result<RedisFigures> {
    let redis = RedisOptions {
        prefix: format!("pixmill-bench-{:08x}", rand::random::<u32>()),
        ..RedisOptions::default()
    };
    eprintln!("its keys begin with {{{}:", redis.prefix);
    let options = BrokerOptions {
        max_queued: 2 * DEPTHS[1],
        ..BrokerOptions::default()
    };
    let broker = Arc::new(
        RedisBroker::open(address, redis, options)
            .await
            .context("cannot measure Redis")?,
    );
    for warning in broker.warnings() {
        eprintln!("{warning}");
    }
    let wake_ups = wake_ups(broker.clone()).await?;
    let empty = broker.server_usage().await?.memory_bytes;
    let mut depths = Vec::new();
    let mut waiting = 0;
    let mut bytes_per_task = 0.0;
    for queued in DEPTHS {
        eprintln!("{queued} tasks wait");
        fill(&broker, queued - waiting).await?;
        waiting = queued;
        if queued == DEPTHS[1] {
            bytes_per_task = broker.server_usage().await?.memory_bytes.saturating_sub(empty) as f64 / queued as f64;
        }
        wait_until_saved(&broker).await?;
        depths.push(depth(&broker, queued, effort).await?);
    }
    Ok(RedisFigures {
        depths,
        wake_up_p50_ms: median(&wake_ups),
        wake_up_p99_ms: percentile(&wake_ups, 0.99),
        bytes_per_task,
    })
}

/// Redis writes its append-only file anew whenever it has doubled, in a child that takes a core of its own. Filling the
/// queue sets that off; measured is what calls cost, not that.
async fn wait_until_saved(broker: &RedisBroker) -> anyhow::Result<()> {
    while broker.server_usage().await?.is_saving {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn fill(broker: &Arc<RedisBroker>, count: u64) -> anyhow::Result<()> {
    let left = Arc::new(AtomicU64::new(count));
    let mut loops = JoinSet::new();
    for _ in 0..4 * IN_FLIGHT {
        let (broker, left) = (Arc::clone(broker), Arc::clone(&left));
        loops.spawn(async move {
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
            {
                submit(&*broker).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended.context("a loop ended")??;
    }
    Ok(())
}

async fn depth(broker: &Arc<RedisBroker>, queued: u64, effort: Effort) -> anyhow::Result<DepthFigures> {
    let mut rates = Vec::new();
    let mut latencies = Latencies::default();
    for _ in 0..effort.rounds {
        let (rate, round) = cycles(broker, effort.duration).await?;
        rates.push(rate);
        latencies.iter_mut().zip(round).for_each(|(all, more)| all.extend(more));
    }
    let calls = ["submit", "claim", "complete"].into_iter().zip(&latencies);
    Ok(DepthFigures {
        queued,
        cycles_per_second: median(&rates),
        calls: calls
            .map(|(call, latencies)| CallFigures {
                call,
                p50_ms: median(latencies),
                p99_ms: percentile(latencies, 0.99),
            })
            .collect(),
    })
}

/// Each loop submits a task, claims one and completes it, so that as many wait as before.
async fn cycles(broker: &Arc<RedisBroker>, duration: Duration) -> anyhow::Result<(f64, Latencies)> {
    let worker = machine::worker_id()?;
    let start = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (broker, worker) = (Arc::clone(broker), worker.clone());
        loops.spawn(async move {
            let mut latencies = Latencies::default();
            let mut note = |call: usize, since: Instant| latencies[call].push(since.elapsed().as_secs_f64() * 1e3);
            while start.elapsed() < duration {
                let since = Instant::now();
                submit(&*broker).await?;
                note(0, since);
                let since = Instant::now();
                let claimed = broker.claim(claim_one(&worker, Duration::from_secs(10))).await?;
                note(1, since);
                let lease = claimed.leases.first().context("a claim brought nothing")?;
                let since = Instant::now();
                broker.complete(lease.id, completion()).await?;
                note(2, since);
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Latencies::default();
    while let Some(ended) = loops.join_next().await {
        let latencies = ended.context("a loop ended")??;
        all.iter_mut().zip(latencies).for_each(|(all, more)| all.extend(more));
    }
    let done = all[2].len() as f64;
    Ok((done / start.elapsed().as_secs_f64(), all))
}

impl fmt::Display for RedisFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pixmill {}, {} cores, {IN_FLIGHT} in flight\n",
            env!("CARGO_PKG_VERSION"),
            machine::cores()
        )?;
        writeln!(
            f,
            "| tasks waiting | cycles/s | submit p50 / p99, ms | claim p50 / p99, ms | complete p50 / p99, ms |"
        )?;
        writeln!(f, "|---|---|---|---|---|")?;
        for depth in &self.depths {
            write!(f, "| {} | {:.0} |", depth.queued, depth.cycles_per_second)?;
            for call in &depth.calls {
                write!(f, " {:.2} / {:.2} |", call.p50_ms, call.p99_ms)?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\n| figure | value |\n|---|---|")?;
        let (p50, p99) = (self.wake_up_p50_ms, self.wake_up_p99_ms);
        writeln!(
            f,
            "| idle worker: submission to claim, p50 / p99 | {p50:.2} / {p99:.2} ms |"
        )?;
        writeln!(
            f,
            "| memory of Redis a waiting task | {:.0} bytes |",
            self.bytes_per_task
        )
    }
}
