//! Tasks are called off.

use std::time::Duration;

use pixmill_broker::{BrokerError, FollowUp, Renewal};
use pixmill_types::{EventKind, NewTask, Task, TaskState, Transition};

use super::tasks::{claim_up_to, completion, lasting_failure, ordinary_worker, task};
use super::{Backend, Bench};

pub(crate) async fn a_queued_task_is_never_claimed(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let queued = bench.submit(task()).await;
    bench.clock.advance(Duration::from_secs(1));
    let cancelled = bench.broker.cancel(queued.id, Vec::new()).await.unwrap();
    let expected = Task {
        state: TaskState::Cancelled,
        finished_at: Some(bench.now()),
        ..queued
    };
    assert_eq!(cancelled, expected);

    let bench = bench.reopen().await;
    assert_eq!(bench.get(expected.id).await, expected);
    assert_eq!(bench.claimed_ids(claim_up_to(1)).await, []);
    assert_eq!(
        bench.history(expected.id).await,
        [(EventKind::Queued, 0), (EventKind::Cancelled, 0)]
    );
}

pub(crate) async fn a_delayed_task_is_no_longer_due(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let delay = Duration::from_secs(60);
    let delayed = NewTask {
        not_before: Some(bench.now().after(delay)),
        ..task()
    };
    let id = bench.submit(delayed).await.id;
    bench.broker.cancel(id, Vec::new()).await.unwrap();
    assert_eq!(bench.claim(claim_up_to(1)).await.next_due, None);
    bench.clock.advance(delay);
    assert_eq!(bench.claimed_ids(claim_up_to(1)).await, []);
}

pub(crate) async fn a_running_task_loses_its_lease_at_once(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let cancelled = bench.broker.cancel(lease.task.id, Vec::new()).await.unwrap();
    assert_eq!(cancelled.state, TaskState::Cancelled);

    let bench = bench.reopen().await;
    let heartbeat = bench.broker.heartbeat(&ordinary_worker(), &[lease.id]).await.unwrap();
    assert_eq!(heartbeat, [Renewal::Stale]);
    assert_refused!(
        bench.broker.complete(lease.id, completion()).await,
        BrokerError::StaleLease
    );
    assert_refused!(
        bench.broker.fail(lease.id, lasting_failure(), Vec::new()).await,
        BrokerError::StaleLease
    );
    assert_refused!(bench.broker.release(lease.id).await, BrokerError::StaleLease);
    assert_eq!(bench.get(cancelled.id).await, cancelled);
    assert_eq!(bench.images().await.running, 0);
}

pub(crate) async fn again_it_returns_the_task_as_it_is(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let id = bench.submit(task()).await.id;
    let cancelled = bench.broker.cancel(id, Vec::new()).await.unwrap();
    bench.clock.advance(Duration::from_secs(1));
    let bench = bench.reopen().await;
    assert_eq!(bench.broker.cancel(id, Vec::new()).await.unwrap(), cancelled);
    assert_eq!(bench.history(id).await.len(), 2);
}

pub(crate) async fn a_finished_task_is_a_conflict(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let [completed, failed] = [bench.start(task()).await, bench.start(task()).await];
    bench.broker.complete(completed.id, completion()).await.unwrap();
    bench
        .broker
        .fail(failed.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    for (task, state) in [
        (completed.task.id, TaskState::Completed),
        (failed.task.id, TaskState::Failed),
    ] {
        match bench.broker.cancel(task, Vec::new()).await {
            Err(BrokerError::Conflict(illegal)) => {
                assert_eq!((illegal.state, illegal.transition), (state, Transition::Cancel));
            }
            other => panic!("a {state} task: {other:?}"),
        }
        assert_eq!(bench.get(task).await.state, state);
    }
}

pub(crate) async fn follow_ups_come_once(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_queued = 1).await;
    let running = bench.start(task()).await.task.id;
    bench.submit(task()).await;
    let owed = FollowUp::of(running, task());
    for _ in 0..2 {
        bench.broker.cancel(running, vec![owed.clone()]).await.unwrap();
        assert_eq!(bench.images().await.ready, 2);
    }
    let bench = bench.reopen().await;
    assert_eq!(bench.get(owed.task().id).await.state, TaskState::Queued);
}
