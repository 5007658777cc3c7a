//! Tasks that are called off, deleted or taken away while an attempt is under way.

use std::time::Duration;

use pixmill_broker::{Broker, BrokerOptions};
use pixmill_types::{EventKind, TaskState};

use crate::support::{Bench, Call, Fault, PHOTO, endless, recipe};

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_task_is_stopped_in_the_middle() {
    let bench = Bench::new();
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    bench.broker.cancel(task, Vec::new()).await.unwrap();
    // Waits for the attempt, and for the milling thread.
    worker.drain().await;
    assert_eq!(bench.ended(task).await.state, TaskState::Cancelled);
    assert_eq!(bench.leases(task).await, []);
    assert_eq!(bench.broker.calls(Call::Complete) + bench.broker.calls(Call::Fail), 0);
    assert_eq!(bench.broker.calls(Call::Heartbeat), 0, "long before a heartbeat tells");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_overtakes_the_claim_counts() {
    let bench = Bench::new();
    bench.broker.then(Call::Claim, [Fault::ReplyHeld]);
    let worker = bench.start();
    bench.broker.called(Call::Revoked, 1).await;
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    bench.broker.cancel(task, Vec::new()).await.unwrap();
    // The control channel has delivered the news once it listens again.
    bench.broker.called(Call::Revoked, 2).await;
    bench.broker.let_go();
    let next = bench.submit(PHOTO, |_| {}).await;
    bench.delivered(next).await;
    worker.drain().await;
    assert_eq!(bench.broker.calls(Call::Complete), 1, "only the next one's");
    assert_eq!(bench.broker.calls(Call::Heartbeat), 0, "long before a heartbeat tells");
    assert_eq!(bench.leases(task).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_the_control_channel_missed_is_found_by_the_heartbeat() {
    let mut bench = Bench::with(BrokerOptions {
        lease: Duration::from_millis(60),
        ..BrokerOptions::default()
    });
    // The lease is that short for the heartbeat's sake only.
    bench.options.reap_interval = Duration::from_secs(60 * 60);
    bench.broker.then(Call::Revoked, [Fault::Held]);
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    bench.broker.cancel(task, Vec::new()).await.unwrap();
    bench.broker.found_stale(1).await;
    worker.drain().await;
    assert_eq!(bench.leases(task).await, []);
    assert_eq!(
        bench.broker.calls(Call::Complete) + bench.broker.calls(Call::Release),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_lost_before_the_delivery_drops_the_outputs() {
    let bench = Bench::new();
    bench.broker.then(Call::Complete, [Fault::Held]);
    let worker = bench.start();
    let task = bench.submit(PHOTO, |_| {}).await;
    bench.broker.called(Call::Complete, 1).await;
    assert_eq!(bench.leases(task).await.len(), 1, "the outputs are written");
    bench.broker.cancel(task, Vec::new()).await.unwrap();
    bench.broker.let_go();
    worker.drain().await;
    assert_eq!(bench.ended(task).await.state, TaskState::Cancelled);
    assert_eq!(bench.leases(task).await, []);
    assert!(bench.has_input(task, PHOTO).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_task_leaves_nothing_though_it_was_running() {
    let bench = Bench::new();
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    bench.broker.delete(task).await.unwrap();
    bench.broker.called(Call::DeletionsDone, 1).await;
    worker.drain().await;
    assert_eq!(bench.leases(task).await, []);
    assert!(!bench.has_input(task, PHOTO).await);
}
