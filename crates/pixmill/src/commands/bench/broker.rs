//! The broker alone: durable cycles a second, and how soon an idle worker hears of a task.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use pixmill_broker::{Broker, BrokerOptions, ClaimRequest, Completion, SqliteBroker, Submission, Submitted};
use pixmill_types::{
    ContentHash, DisplayName, ImageFormat, InputImage, Mill, NewTask, OutputImage, Payload, Priority, QueueName,
    Recipe, RequestId, TaskId,
};
use serde::Serialize;

use super::Effort;
use super::statistics::{median, percentile};
use crate::machine;

/// Submit-claim-complete cycles under way at the same time.
pub(super) const IN_FLIGHT: usize = 64;
/// Submissions to an idle worker.
const WAKE_UPS: usize = 300;

/// What the embedded broker does, every call durable.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BrokerFigures {
    /// Submit-claim-complete cycles a second with 64 in flight.
    pub(super) cycles_per_second: f64,
    /// From the start of a submission to the claim of a worker that was waiting, milliseconds.
    pub(super) wake_up_p50_ms: f64,
    /// The same, 99th percentile.
    pub(super) wake_up_p99_ms: f64,
}

pub(super) fn measure(effort: Effort, scratch: &Path) -> anyhow::Result<BrokerFigures> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rates = Vec::new();
    for round in 0..effort.rounds {
        let broker = open(scratch, &format!("cycles-{round}.db"))?;
        rates.push(runtime.block_on(cycles(broker, effort.duration))?);
    }
    let wake_ups = runtime.block_on(wake_ups(open(scratch, "wake-ups.db")?))?;
    Ok(BrokerFigures {
        cycles_per_second: median(&rates),
        wake_up_p50_ms: median(&wake_ups),
        wake_up_p99_ms: percentile(&wake_ups, 0.99),
    })
}

fn open(scratch: &Path, name: &str) -> anyhow::Result<Arc<dyn Broker>> {
    Ok(Arc::new(
        SqliteBroker::open(&scratch.join(name), BrokerOptions::default()).context("cannot open a database")?,
    ))
}

async fn cycles(broker: Arc<dyn Broker>, duration: Duration) -> anyhow::Result<f64> {
    let worker = machine::worker_id()?;
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (broker, worker, done) = (Arc::clone(&broker), worker.clone(), Arc::clone(&done));
        loops.spawn(async move {
            while start.elapsed() < duration {
                submit(&*broker).await?;
                // Each loop submits one task and claims one, so one is always there for it.
                let claimed = broker.claim(claim_one(&worker, Duration::from_secs(10))).await?;
                let lease = claimed.leases.first().context("a claim brought nothing")?;
                broker.complete(lease.id, completion()).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended.context("a loop ended")??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

/// How soon a worker that waits has a task that is submitted, milliseconds.
pub(super) async fn wake_ups(broker: Arc<dyn Broker>) -> anyhow::Result<Vec<f64>> {
    let worker = machine::worker_id()?;
    let mut latencies = Vec::with_capacity(WAKE_UPS);
    for _ in 0..WAKE_UPS {
        let claim = tokio::spawn({
            let (broker, request) = (Arc::clone(&broker), claim_one(&worker, Duration::from_secs(10)));
            async move { broker.claim(request).await.map(|claimed| (claimed, Instant::now())) }
        });
        // Lets the claim reach its wait: an idle worker has been waiting for long.
        tokio::time::sleep(Duration::from_millis(3)).await;
        let start = Instant::now();
        submit(&*broker).await?;
        let (claimed, at) = claim.await.context("the claim ended")??;
        latencies.push((at - start).as_secs_f64() * 1e3);
        let lease = claimed.leases.first().context("a claim brought nothing")?;
        broker.complete(lease.id, completion()).await?;
    }
    Ok(latencies)
}

/// Stores a task.
pub(super) async fn submit(broker: &dyn Broker) -> anyhow::Result<()> {
    let submission = Submission {
        task: task(),
        idempotency: None,
        staged_for: Duration::ZERO,
    };
    match broker.submit(submission).await? {
        Submitted::Created(_) => Ok(()),
        Submitted::Existing(task) => bail!("task {} was there before", task.id),
        Submitted::Full { limit, .. } => bail!("the queue is full at {limit} tasks"),
    }
}

/// One task, whatever its size.
pub(super) fn claim_one(worker: &pixmill_types::WorkerId, wait: Duration) -> ClaimRequest {
    ClaimRequest {
        queue: QueueName::images(),
        worker: worker.clone(),
        request: RequestId::from_bits(rand::random()),
        max_tasks: 1,
        max_bytes: u64::MAX,
        idle: true,
        wait,
    }
}

fn task() -> NewTask {
    let name = DisplayName::from_client("photo.jpg");
    let input = InputImage {
        segment: name.segment(),
        name,
        bytes: 98_420,
        hash: ContentHash::of(b"photo"),
        format: ImageFormat::Jpeg,
        width: 640,
        height: 427,
        frames: 1,
    };
    NewTask {
        id: TaskId::generate(),
        queue: QueueName::images(),
        payload: Payload::Mill(Mill {
            input,
            recipe: Recipe::default(),
        }),
        priority: Priority::default(),
        not_before: None,
        max_attempts: 3,
        cost_bytes: 1 << 20,
        timeout_ms: 60_000,
        trace_parent: None,
    }
}

/// What a worker delivers.
pub(super) fn completion() -> Completion {
    let output = OutputImage {
        segment: DisplayName::from_client("processed_photo.jpg").segment(),
        bytes: 20_000,
        hash: ContentHash::of(b"processed photo"),
        format: ImageFormat::Jpeg.into(),
        width: 640,
        height: 427,
    };
    Completion {
        outputs: vec![output],
        warnings: Vec::new(),
        follow_ups: Vec::new(),
    }
}
