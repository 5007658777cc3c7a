//! Reaper, janitor, and what dead workers leave behind.

use std::sync::Arc;
use std::time::Duration;

use pixmill_blob::BlobKey;
use pixmill_broker::{Broker, BrokerOptions, Idempotency, Submission};
use pixmill_types::{ContentHash, FailureCode, Segment, TaskId};

use crate::support::{
    Bench, Call, ManualClock, PHOTO, bench_with_clock, claim_and_die, let_leases_run_out, new_task, testdata,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_a_dead_worker_is_taken_over_and_its_remains_removed() {
    let (bench, clock) = bench_with_clock();
    let task = bench.submit(PHOTO, |_| {}).await;
    claim_and_die(&bench, task).await;
    let _worker = bench.start();
    let_leases_run_out(&bench, &clock).await;
    // Checks that no other lease has a folder.
    bench.delivered(task).await;
    assert_eq!(bench.ended(task).await.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_with_its_dead_worker_leaves_no_output() {
    let (bench, clock) = bench_with_clock();
    let task = bench.submit(PHOTO, |task| task.max_attempts = 1).await;
    claim_and_die(&bench, task).await;
    let _worker = bench.start();
    // The round on start finds nothing: the task runs.
    bench.broker.called(Call::Ended, 1).await;
    let_leases_run_out(&bench, &clock).await;
    assert_eq!(bench.failure(task).await.code, FailureCode::Crashed);
    bench.outputs_gone(task).await;
    assert!(bench.has_input(task, PHOTO).await, "a retry by hand needs it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_worker_left_of_a_task_that_ended_before_the_start_is_removed() {
    let (bench, clock) = bench_with_clock();
    let task = bench.submit(PHOTO, |task| task.max_attempts = 1).await;
    claim_and_die(&bench, task).await;
    let_leases_run_out(&bench, &clock).await;
    assert_eq!(bench.broker.reap(1).await.unwrap().failed.len(), 1);
    assert_eq!(bench.leases(task).await.len(), 1);
    let _worker = bench.start();
    bench.outputs_gone(task).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_deleted_task_are_deleted() {
    let bench = Bench::new();
    let _worker = bench.start();
    let (kept, deleted) = (bench.submit(PHOTO, |_| {}).await, bench.submit(PHOTO, |_| {}).await);
    bench.delivered(kept).await;
    bench.delivered(deleted).await;
    bench.broker.delete(deleted).await.unwrap();
    bench.broker.called(Call::DeletionsDone, 1).await;
    assert_eq!(bench.leases(deleted).await, []);
    assert!(!bench.has_input(deleted, PHOTO).await);
    bench.delivered(kept).await;
    assert!(bench.has_input(kept, PHOTO).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_tasks_go_with_their_files() {
    let clock = Arc::new(ManualClock::default());
    let bench = Bench::with(BrokerOptions {
        clock: Arc::clone(&clock) as _,
        retention: Some(DAY),
        ..BrokerOptions::default()
    });
    let _worker = bench.start();
    let task = bench.submit(PHOTO, |_| {}).await;
    bench.delivered(task).await;
    clock.advance(DAY);
    bench.broker.called(Call::DeletionsDone, 1).await;
    assert_eq!(bench.leases(task).await, []);
    assert!(!bench.has_input(task, PHOTO).await);
    assert!(bench.broker.get(task).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_purges_until_nothing_is_left() {
    let mut bench = Bench::with(BrokerOptions {
        idempotency_ttl: Duration::ZERO,
        ..BrokerOptions::default()
    });
    bench.options.janitor_interval = DAY;
    let photo = testdata(PHOTO);
    for number in 0..250 {
        let submission = Submission {
            task: new_task(PHOTO, &photo),
            idempotency: Some(Idempotency {
                key: format!("key-{number}").parse().unwrap(),
                fingerprint: ContentHash::of(PHOTO.as_bytes()),
            }),
            staged_for: Duration::ZERO,
        };
        bench.broker.submit(submission).await.unwrap();
    }
    bench.options.slots = 0;
    let worker = bench.start();
    bench.broker.called(Call::Purge, 3).await;
    worker.drain().await;
    assert_eq!(bench.broker.purge(1).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_record_are_swept_and_others_kept() {
    let mut bench = Bench::new();
    bench.options.sweep_age = Duration::ZERO;
    let kept = bench.submit(PHOTO, |_| {}).await;
    let orphan = TaskId::generate();
    let key = BlobKey::input(orphan, &Segment::parse("photo_0.3mp.jpg").unwrap());
    bench.blobs.put(&key, testdata(PHOTO)).await.unwrap();
    let _worker = bench.start();
    bench.delivered(kept).await;
    // The second round begins when the first is done; the task that is kept makes it ask again.
    bench.broker.called(Call::Known, 2).await;
    assert!(!bench.has_input(orphan, PHOTO).await);
    assert!(bench.has_input(kept, PHOTO).await);
    bench.delivered(kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_slots_does_the_upkeep_and_takes_no_task() {
    let (mut bench, clock) = bench_with_clock();
    let task = bench.submit(PHOTO, |task| task.max_attempts = 1).await;
    claim_and_die(&bench, task).await;
    bench.options.slots = 0;
    let worker = bench.start();
    let waiting = bench.submit(PHOTO, |_| {}).await;
    bench.broker.called(Call::Ended, 1).await;
    let_leases_run_out(&bench, &clock).await;
    assert_eq!(bench.failure(task).await.code, FailureCode::Crashed);
    bench.outputs_gone(task).await;
    worker.drain().await;
    assert_eq!(
        (bench.broker.calls(Call::Claim), bench.broker.calls(Call::Revoked)),
        (1, 0),
        "the dead worker's"
    );
    assert_eq!(bench.record(waiting).await.attempt, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_leave_the_upkeep_to_others() {
    let mut bench = Bench::new();
    bench.options.upkeep = false;
    let worker = bench.start();
    let task = bench.submit(PHOTO, |_| {}).await;
    bench.delivered(task).await;
    worker.drain().await;
    for call in [
        Call::Reap,
        Call::Purge,
        Call::PendingDeletions,
        Call::Ended,
        Call::Known,
    ] {
        assert_eq!(bench.broker.calls(call), 0, "{call:?}");
    }
}
