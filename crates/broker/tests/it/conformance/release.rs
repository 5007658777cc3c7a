//! A draining worker gives tasks back.

use std::collections::HashSet;
use std::time::Duration;

use pixmill_broker::BrokerError;
use pixmill_types::{EventKind, NewTask, TaskState};

use super::bench::LEASE;
use super::tasks::{claim_up_to, completion, task, with_attempts};
use super::{Backend, Bench};

pub(crate) async fn it_burns_no_attempt_and_keeps_the_place(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let first = bench.start(with_attempts(1)).await;
    bench.clock.advance(Duration::from_secs(1));
    let second = bench.submit(task()).await.id;
    let released = bench.broker.release(first.id).await.unwrap();
    assert_eq!((released.state, released.attempt), (TaskState::Queued, 0));

    let bench = bench.reopen().await;
    assert_eq!(bench.get(released.id).await, released);
    assert_eq!(bench.claimed_ids(claim_up_to(2)).await, [released.id, second]);
    assert_eq!(
        bench.history(released.id).await,
        [
            (EventKind::Queued, 0),
            (EventKind::Started, 1),
            (EventKind::Released, 1),
            (EventKind::Started, 1),
        ]
    );
}

pub(crate) async fn its_fence_never_comes_back(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit(task()).await;
    let mut fences = HashSet::new();
    for _ in 0..20 {
        let lease = bench.claim_one().await;
        assert_eq!(lease.task.attempt, 1);
        assert!(fences.insert(lease.id), "the fence {} came back", lease.id);
        bench.broker.release(lease.id).await.unwrap();
        assert_refused!(
            bench.broker.complete(lease.id, completion()).await,
            BrokerError::StaleLease
        );
    }
}

pub(crate) async fn repeated_it_succeeds_even_when_the_task_runs_again(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let released = bench.broker.release(lease.id).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.broker.release(lease.id).await.unwrap(), released);

    let again = bench.claim_one().await;
    assert_eq!(bench.broker.release(lease.id).await.unwrap(), again.task);
    assert_eq!(
        bench.history(released.id).await.len(),
        4,
        "the attempt under way goes on"
    );
    bench.broker.complete(again.id, completion()).await.unwrap();
}

pub(crate) async fn a_lost_lease_releases_nothing(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let reaped = bench.start(task()).await;
    bench.live(LEASE).await;
    let again = bench.claim_one().await;
    let timed = NewTask {
        timeout_ms: 1_000,
        ..task()
    };
    let completed = bench.start(timed).await;
    let record = bench.broker.complete(completed.id, completion()).await.unwrap();

    let bench = bench.reopen().await;
    for lost in [reaped.id, completed.id] {
        assert_refused!(bench.broker.release(lost).await, BrokerError::StaleLease);
    }
    assert_eq!(bench.get(again.task.id).await, again.task);
    assert_eq!(bench.get(record.id).await, record);
}
