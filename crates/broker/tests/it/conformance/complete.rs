//! Tasks end with outputs, exactly once.

use pixmill_broker::{BrokerError, Completion, FollowUp};
use pixmill_types::{EventKind, Task, TaskState};

use super::bench::LEASE;
use super::tasks::{claim_up_to, completion, in_queue, ordinary_worker, passing_failure, success, task, with_attempts};
use super::{Backend, Bench};

fn owing(follow_ups: &[FollowUp]) -> Completion {
    Completion {
        follow_ups: follow_ups.to_vec(),
        ..completion()
    }
}

fn without_outputs() -> Completion {
    let mut other = completion();
    other.outputs[0].bytes += 1;
    other.warnings.clear();
    other
}

pub(crate) async fn the_record_has_the_outputs(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let bench = bench.reopen().await;
    bench.clock.advance(LEASE / 2);
    let completed = bench.broker.complete(lease.id, completion()).await.unwrap();
    let expected = Task {
        state: TaskState::Completed,
        finished_at: Some(bench.now()),
        success: Some(success(lease.id)),
        ..lease.task
    };
    assert_eq!(completed, expected);

    let bench = bench.reopen().await;
    assert_eq!(bench.get(expected.id).await, expected);
    let history = bench.history(expected.id).await;
    assert_eq!(history.last(), Some(&(EventKind::Completed, 1)));
    assert_eq!(bench.claimed_ids(claim_up_to(1)).await, []);
}

pub(crate) async fn repeated_it_succeeds_and_changes_nothing(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let first = bench.broker.complete(lease.id, completion()).await.unwrap();
    let bench = bench.reopen().await;
    bench.clock.advance(2 * LEASE);
    assert_eq!(bench.broker.complete(lease.id, completion()).await.unwrap(), first);
    assert_eq!(bench.history(first.id).await.len(), 3);
    assert_eq!(bench.images().await.completed, 1);
}

pub(crate) async fn repeated_with_other_outputs_it_keeps_the_first(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let first = bench.broker.complete(lease.id, completion()).await.unwrap();
    assert_eq!(bench.broker.complete(lease.id, without_outputs()).await.unwrap(), first);
    assert_eq!(bench.get(first.id).await, first);
}

pub(crate) async fn an_expired_lease_that_nobody_reaped_completes(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    bench.clock.advance(10 * LEASE);
    let completed = bench.broker.complete(lease.id, completion()).await.unwrap();
    assert_eq!(completed.state, TaskState::Completed);
}

pub(crate) async fn a_lost_lease_completes_nothing(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let reaped = bench.start(task()).await;
    bench.live(LEASE).await;
    let again = bench.claim_one().await;
    assert_eq!(again.task.id, reaped.task.id);
    let cancelled = bench.start(task()).await;
    let record = bench.broker.cancel(cancelled.task.id, Vec::new()).await.unwrap();
    let deleted = bench.start(task()).await;
    bench.broker.delete(deleted.task.id).await.unwrap();

    let bench = bench.reopen().await;
    let follow_up = FollowUp::of(deleted.task.id, task());
    for lost in [reaped.id, cancelled.id, deleted.id] {
        let refused = bench
            .broker
            .complete(lost, owing(std::slice::from_ref(&follow_up)))
            .await;
        assert_refused!(refused, BrokerError::StaleLease);
    }
    assert_eq!(bench.get(again.task.id).await, again.task);
    assert_eq!(bench.get(record.id).await, record);
    let known = bench
        .broker
        .known(&[deleted.task.id, follow_up.task().id])
        .await
        .unwrap();
    assert_eq!(known, [false, false]);
    bench.broker.complete(again.id, completion()).await.unwrap();
}

pub(crate) async fn a_lease_that_ended_otherwise_completes_nothing(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let failed = bench.start(with_attempts(1)).await;
    bench
        .broker
        .fail(failed.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    let released = bench.start(task()).await;
    bench.broker.release(released.id).await.unwrap();

    let bench = bench.reopen().await;
    for ended in [failed.id, released.id] {
        assert_refused!(
            bench.broker.complete(ended, completion()).await,
            BrokerError::StaleLease
        );
    }
    assert_eq!(bench.get(failed.task.id).await.state, TaskState::Failed);
    assert_eq!(bench.get(released.task.id).await.state, TaskState::Queued);
}

pub(crate) async fn of_many_at_once_one_result_counts(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let records = bench
        .at_once(8, |broker, index| {
            let completion = Completion {
                warnings: vec![index.to_string()],
                ..completion()
            };
            async move { broker.complete(lease.id, completion).await.unwrap() }
        })
        .await;
    let stored = bench.get(lease.task.id).await;
    assert!(records.iter().all(|record| *record == stored), "{records:?}");
    assert_eq!(bench.history(stored.id).await.len(), 3);
    let heartbeat = bench.broker.heartbeat(&ordinary_worker(), &[lease.id]).await.unwrap();
    assert_eq!(heartbeat, [pixmill_broker::Renewal::Stale]);
}

pub(crate) async fn either_it_or_a_cancel_at_the_same_time_counts(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    for _ in 0..5 {
        let lease = bench.start(task()).await;
        let (lease, id) = (lease.id, lease.task.id);
        let outcomes = bench
            .at_once(2, |broker, index| async move {
                match index {
                    0 => broker.complete(lease, completion()).await,
                    _ => broker.cancel(id, Vec::new()).await,
                }
            })
            .await;
        let stored = bench.get(id).await;
        match &outcomes[..] {
            [Ok(completed), Err(BrokerError::Conflict(_))] | [Err(BrokerError::Conflict(_)), Ok(completed)]
                if completed.state == TaskState::Completed =>
            {
                assert_eq!(*completed, stored);
            }
            [Ok(cancelled), Err(BrokerError::StaleLease)] | [Err(BrokerError::StaleLease), Ok(cancelled)]
                if cancelled.state == TaskState::Cancelled =>
            {
                assert_eq!(*cancelled, stored);
            }
            other => panic!("both or neither counted: {other:?}"),
        }
        assert_eq!(bench.history(id).await.len(), 3);
    }
}

pub(crate) async fn follow_ups_are_enqueued_in_the_same_step(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let owed = [in_queue("other"), task()].map(|task| FollowUp::of(lease.task.id, task));
    bench.broker.complete(lease.id, owing(&owed)).await.unwrap();

    let bench = bench.reopen().await;
    for follow_up in owed.iter().map(FollowUp::task) {
        let record = bench.get(follow_up.id).await;
        assert_eq!((record.state, &record.queue), (TaskState::Queued, &follow_up.queue));
        assert_eq!(bench.history(follow_up.id).await, [(EventKind::Queued, 0)]);
    }
    assert_eq!(bench.claimed_ids(claim_up_to(9)).await, [owed[1].task().id]);
}

pub(crate) async fn follow_ups_pass_the_cap_and_come_once(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_queued = 1).await;
    let lease = bench.start(task()).await;
    bench.submit(task()).await;
    let owed = [task(), task()].map(|task| FollowUp::of(lease.task.id, task));
    for _ in 0..2 {
        bench.broker.complete(lease.id, owing(&owed)).await.unwrap();
        assert_eq!(bench.images().await.ready, 3);
    }
}
