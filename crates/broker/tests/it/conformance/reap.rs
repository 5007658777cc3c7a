//! Leases run out.

use std::time::Duration;

use pixmill_broker::{BrokerError, Lease, LostAttempt, Reaped};
use pixmill_types::{EventKind, Failure, FailureCode, NewTask, Task, TaskState};

use super::bench::{HEARTBEAT, LEASE};
use super::tasks::{claim_up_to, completion, ordinary_worker, task, with_attempts};
use super::{Backend, Bench};

const TICK: Duration = Duration::from_millis(1);

/// What the reaper says of an attempt by the ordinary worker.
fn lost(lease: &Lease, code: FailureCode) -> LostAttempt {
    LostAttempt {
        task: lease.task.id,
        attempt: lease.task.attempt,
        worker: ordinary_worker(),
        code,
    }
}

fn code(failure: Option<Failure>) -> Option<FailureCode> {
    failure.map(|failure| failure.code)
}

pub(crate) async fn an_expired_lease_is_taken_and_the_task_runs_again(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    assert_eq!(bench.live(LEASE - TICK).await, Reaped::default());
    let reaped = Reaped {
        requeued: vec![lost(&lease, FailureCode::Crashed)],
        failed: Vec::new(),
    };
    assert_eq!(bench.live(TICK).await, reaped);

    let bench = bench.reopen().await;
    let waiting = bench.get(lease.task.id).await;
    let expected = Task {
        state: TaskState::Queued,
        failure: waiting.failure.clone(),
        ..lease.task
    };
    assert_eq!(waiting, expected, "the attempt counts");
    assert_eq!(code(waiting.failure), Some(FailureCode::Crashed));
    assert_refused!(
        bench.broker.complete(lease.id, completion()).await,
        BrokerError::StaleLease
    );

    let again = bench.claim_one().await;
    assert_eq!((again.task.id, again.task.attempt), (expected.id, 2));
    assert_ne!(again.id, lease.id);
    assert_eq!(
        bench.history(expected.id).await,
        [
            (EventKind::Queued, 0),
            (EventKind::Started, 1),
            (EventKind::Retrying(FailureCode::Crashed), 1),
            (EventKind::Started, 2),
        ]
    );
}

pub(crate) async fn a_requeued_task_keeps_its_place(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let first = bench.start(task()).await.task.id;
    bench.clock.advance(TICK);
    let second = bench.submit(task()).await.id;
    bench.live(LEASE).await;
    assert_eq!(bench.claimed_ids(claim_up_to(2)).await, [first, second]);
}

pub(crate) async fn a_crash_in_the_last_attempt_fails_the_task(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let id = bench.submit(with_attempts(2)).await.id;
    bench.claim_one().await;
    assert_eq!(bench.live(LEASE).await.requeued.len(), 1);
    let last = bench.claim_one().await;
    let reaped = Reaped {
        requeued: Vec::new(),
        failed: vec![lost(&last, FailureCode::Crashed)],
    };
    assert_eq!(bench.live(LEASE).await, reaped);

    let bench = bench.reopen().await;
    let dead = bench.get(id).await;
    assert_eq!((dead.state, dead.attempt), (TaskState::Failed, 2));
    assert_eq!(dead.finished_at, Some(bench.now()));
    assert_eq!(code(dead.failure), Some(FailureCode::Crashed));
    let last_event = (EventKind::Failed(FailureCode::Crashed), 2);
    assert_eq!(bench.history(id).await.last(), Some(&last_event));
}

pub(crate) async fn an_attempt_past_its_deadline_timed_out(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let timed = NewTask {
        timeout_ms: u64::try_from((LEASE / 2).as_millis()).unwrap(),
        ..with_attempts(1)
    };
    let lease = bench.start(timed).await;
    assert_eq!(bench.live(LEASE / 2 - TICK).await, Reaped::default());
    assert_eq!(bench.live(TICK).await.failed, [lost(&lease, FailureCode::TimedOut)]);
    let failure = bench.get(lease.task.id).await.failure;
    assert_eq!(code(failure), Some(FailureCode::TimedOut));
}

pub(crate) async fn a_lease_in_force_is_left_alone(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let silent = bench.start(task()).await;
    bench.live(2 * HEARTBEAT).await;
    let alive = bench.start(task()).await;
    assert_eq!(bench.live(HEARTBEAT).await.requeued.len(), 1);
    assert_eq!(bench.get(silent.task.id).await.state, TaskState::Queued);
    assert_eq!(bench.get(alive.task.id).await, alive.task);
}

pub(crate) async fn never_more_than_the_limit(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit_all([task(), task(), task()]).await;
    assert_eq!(bench.claim(claim_up_to(3)).await.leases.len(), 3);
    bench.live(LEASE - TICK).await;
    bench.clock.advance(TICK);
    for expected in [2, 1, 0] {
        assert_eq!(bench.broker.reap(2).await.unwrap().requeued.len(), expected);
    }
}

pub(crate) async fn nobody_expires_right_after_the_broker_was_away(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    bench.live(HEARTBEAT).await;
    bench.be_away(100 * LEASE);
    assert_eq!(bench.broker.reap(1_000).await.unwrap(), Reaped::default());
    assert_eq!(bench.live(HEARTBEAT - TICK).await, Reaped::default());
    bench.broker.heartbeat(&ordinary_worker(), &[lease.id]).await.unwrap();
    assert_eq!(bench.live(LEASE - TICK).await, Reaped::default());
    bench.broker.complete(lease.id, completion()).await.unwrap();
}

pub(crate) async fn who_stays_silent_after_the_broker_was_away_expires(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit_all([task(), task()]).await;
    let leases = bench.claim(claim_up_to(2)).await.leases;
    bench.live(HEARTBEAT).await;
    bench.be_away(100 * LEASE);
    bench
        .broker
        .heartbeat(&ordinary_worker(), &[leases[1].id])
        .await
        .unwrap();
    assert_eq!(bench.live(HEARTBEAT - TICK).await, Reaped::default());
    assert_eq!(bench.live(TICK).await.requeued.len(), 1);
    assert_eq!(bench.get(leases[0].task.id).await.state, TaskState::Queued);
    assert_eq!(bench.get(leases[1].task.id).await.state, TaskState::Running);
}
