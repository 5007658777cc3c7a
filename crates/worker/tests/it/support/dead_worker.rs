//! A worker that dies in the middle of an attempt, and the time that shows it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pixmill_blob::BlobKey;
use pixmill_broker::{Broker, BrokerOptions, ClaimRequest, Lease};
use pixmill_types::{QueueName, RequestId, Segment, TaskId};

use super::{Bench, ManualClock};

/// A bench whose time the test moves, and where retries do not wait.
pub(crate) fn bench_with_clock() -> (Bench, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let bench = Bench::with(BrokerOptions {
        clock: Arc::clone(&clock) as _,
        backoff_base: Duration::ZERO,
        ..BrokerOptions::default()
    });
    (bench, clock)
}

/// Claims the task as another worker, writes an output, and is never heard of again.
pub(crate) async fn claim_and_die(bench: &Bench, task: TaskId) -> Lease {
    let request = ClaimRequest {
        queue: QueueName::images(),
        worker: "dead-worker".parse().unwrap(),
        request: RequestId::from_bits(u64::from_be_bytes(*task.as_bytes().last_chunk().unwrap())),
        max_tasks: 1,
        max_bytes: u64::MAX,
        idle: true,
        wait: Duration::ZERO,
    };
    let mut claimed = bench.broker.claim(request).await.unwrap();
    let lease = claimed.leases.pop().unwrap();
    assert_eq!(lease.task.id, task);
    let key = BlobKey::output(task, lease.id, &Segment::parse("processed_half.jpg").unwrap());
    bench
        .blobs
        .put(&key, Bytes::from_static(b"half an image"))
        .await
        .unwrap();
    lease
}

/// Lets the leases run out while another worker shows that the broker is up all the time.
pub(crate) async fn let_leases_run_out(bench: &Bench, clock: &ManualClock) {
    let other = "other-worker".parse().unwrap();
    for _ in 0..60 {
        clock.advance(Duration::from_secs(1));
        bench.broker.heartbeat(&other, &[]).await.unwrap();
    }
}
