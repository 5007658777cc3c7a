//! A worker that goes away on purpose: nothing is lost, no attempt is burned.

use std::sync::Arc;
use std::time::Duration;

use pixmill_types::{EventKind, TaskState};

use crate::support::{Bench, Call, Fault, PHOTO, endless, recipe};

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_may_finish_within_the_grace() {
    let bench = Bench::new();
    bench.broker.then(Call::Complete, [Fault::Held]);
    let worker = Arc::new(bench.start());
    let task = bench.submit(PHOTO, |_| {}).await;
    bench.broker.called(Call::Complete, 1).await;
    let draining = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.drain().await }
    });
    let later = bench.submit(PHOTO, |_| {}).await;
    bench.broker.let_go();
    draining.await.unwrap();
    bench.delivered(task).await;
    // Claimed or not before the drain began: it is delivered or waits, and nothing in between.
    let record = bench.record(later).await;
    assert_ne!(record.state, TaskState::Running);
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_longer_is_released() {
    let mut bench = Bench::new();
    bench.options.drain_grace = Duration::ZERO;
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    worker.drain().await;
    let record = bench.record(task).await;
    assert_eq!((record.state, record.attempt), (TaskState::Queued, 0));
    assert_eq!(bench.leases(task).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_now_ends_the_grace() {
    let bench = Bench::new();
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    tokio::join!(worker.drain(), async { worker.stop_now() });
    let record = bench.record(task).await;
    assert_eq!((record.state, record.attempt), (TaskState::Queued, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_whose_reply_is_under_way_is_released() {
    let bench = Bench::new();
    bench.broker.then(Call::Claim, [Fault::ReplyHeld]);
    let worker = bench.start();
    let task = bench.submit(PHOTO, |_| {}).await;
    bench.happened(task, EventKind::Started).await;
    worker.drain().await;
    let record = bench.record(task).await;
    assert_eq!((record.state, record.attempt), (TaskState::Queued, 0));
    let claims = bench.broker.claims();
    assert!(
        claims.iter().all(|claim| claim.request == claims[0].request),
        "{claims:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_though_the_broker_is_away() {
    let mut bench = Bench::new();
    bench.options.drain_grace = Duration::ZERO;
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    bench.broker.set_away(true);
    worker.drain().await;
    assert_eq!(bench.record(task).await.state, TaskState::Running, "its lease runs out");
}
