//! Records go: deleted by somebody, or purged when they have expired. Their blobs follow.

use std::time::Duration;

use pixmill_broker::{BrokerError, Completion, Expected, FollowUp, Renewal, Submitted};
use pixmill_types::{EventKind, NewTask, TaskId, TaskState};

use super::tasks::{claim_up_to, completion, keyed, lasting_failure, ordinary_worker, task};
use super::{Backend, Bench};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const TICK: Duration = Duration::from_millis(1);

/// A completed, a failed, a cancelled, a running and a queued task, in this order.
async fn one_of_each_state(bench: &Bench) -> [TaskId; 5] {
    let completed = bench.start(task()).await;
    bench.broker.complete(completed.id, completion()).await.unwrap();
    let failed = bench.start(task()).await;
    bench
        .broker
        .fail(failed.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    let cancelled = bench.submit(task()).await.id;
    bench.broker.cancel(cancelled, Vec::new()).await.unwrap();
    let running = bench.start(task()).await.task.id;
    let queued = bench.submit(task()).await.id;
    [completed.task.id, failed.task.id, cancelled, running, queued]
}

async fn pending(bench: &Bench) -> Vec<TaskId> {
    let mut tasks = bench.broker.pending_deletions(1_000).await.unwrap();
    tasks.sort_unstable();
    tasks
}

pub(crate) async fn in_every_state_a_record_goes_and_its_blobs_are_noted(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let mut tasks = one_of_each_state(&bench).await.to_vec();
    let delayed = NewTask {
        not_before: Some(bench.now().after(DAY)),
        ..task()
    };
    tasks.push(bench.submit(delayed).await.id);
    for task in &tasks {
        bench.broker.delete(*task).await.unwrap();
    }

    let bench = bench.reopen().await;
    for task in &tasks {
        assert_refused!(bench.broker.get(*task).await, BrokerError::NotFound(id) if id == *task);
        assert_refused!(bench.broker.delete(*task).await, BrokerError::NotFound(id) if id == *task);
        let history = bench.history(*task).await;
        assert!(matches!(history.last(), Some((EventKind::Deleted, _))), "{history:?}");
    }
    tasks.sort_unstable();
    assert_eq!(pending(&bench).await, tasks);
    let nothing = bench.claim(claim_up_to(9)).await;
    assert_eq!((nothing.leases.len(), nothing.next_due), (0, None));
    assert_eq!(bench.broker.stats().await.unwrap().queues, []);
}

pub(crate) async fn a_running_task_loses_its_lease(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    bench.broker.delete(lease.task.id).await.unwrap();

    let bench = bench.reopen().await;
    let owed = FollowUp::of(lease.task.id, task());
    let completion = Completion {
        follow_ups: vec![owed.clone()],
        ..completion()
    };
    assert_refused!(
        bench.broker.complete(lease.id, completion).await,
        BrokerError::StaleLease
    );
    let failing = bench.broker.fail(lease.id, lasting_failure(), vec![owed.clone()]);
    assert_refused!(failing.await, BrokerError::StaleLease);
    assert_refused!(bench.broker.release(lease.id).await, BrokerError::StaleLease);
    let heartbeat = bench.broker.heartbeat(&ordinary_worker(), &[lease.id]).await.unwrap();
    assert_eq!(heartbeat, [Renewal::Stale]);
    let known = bench.broker.known(&[lease.task.id, owed.task().id]).await.unwrap();
    assert_eq!(known, [false, false]);
}

pub(crate) async fn what_was_accepted_before_cannot_be_repeated(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let [completed, failed, released] = [
        bench.start(task()).await,
        bench.start(task()).await,
        bench.start(task()).await,
    ];
    bench.broker.complete(completed.id, completion()).await.unwrap();
    bench
        .broker
        .fail(failed.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    bench.broker.release(released.id).await.unwrap();
    for lease in [&completed, &failed, &released] {
        bench.broker.delete(lease.task.id).await.unwrap();
    }

    let bench = bench.reopen().await;
    let completing = bench.broker.complete(completed.id, completion());
    assert_refused!(completing.await, BrokerError::StaleLease);
    let failing = bench.broker.fail(failed.id, lasting_failure(), Vec::new());
    assert_refused!(failing.await, BrokerError::StaleLease);
    assert_refused!(bench.broker.release(released.id).await, BrokerError::StaleLease);
}

pub(crate) async fn done_deletions_are_forgotten(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let tasks = bench.submit_all([task(), task(), task()]).await;
    for task in &tasks {
        bench.broker.delete(*task).await.unwrap();
    }
    assert_eq!(bench.broker.pending_deletions(2).await.unwrap().len(), 2);
    let alive = bench.submit(task()).await.id;
    let done = [tasks[0], TaskId::generate(), alive, tasks[2], tasks[0]];
    for _ in 0..2 {
        bench.broker.deletions_done(&done).await.unwrap();
    }

    let bench = bench.reopen().await;
    assert_eq!(pending(&bench).await, [tasks[1]]);
    assert_eq!(bench.get(alive).await.state, TaskState::Queued);
}

pub(crate) async fn purge_takes_what_has_expired_and_nothing_else(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.retention = Some(DAY)).await;
    let [completed, failed, cancelled, running, queued] = one_of_each_state(&bench).await;
    for id in [completed, failed, cancelled] {
        assert_eq!(bench.get(id).await.expires_at, Some(bench.now().after(DAY)));
    }
    for id in [running, queued] {
        assert_eq!(bench.get(id).await.expires_at, None);
    }

    let bench = bench.reopen().await;
    bench.clock.advance(DAY - TICK);
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 0);
    bench.clock.advance(TICK);
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 3);

    let bench = bench.reopen().await;
    let tasks = [completed, failed, cancelled, running, queued];
    let known = bench.broker.known(&tasks).await.unwrap();
    assert_eq!(known, [false, false, false, true, true]);
    let mut gone = [completed, failed, cancelled];
    gone.sort_unstable();
    assert_eq!(pending(&bench).await, gone);
    assert_eq!(bench.history(completed).await.last(), Some(&(EventKind::Deleted, 1)));
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 0);
}

pub(crate) async fn purge_never_takes_more_than_its_limit(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.retention = Some(DAY)).await;
    for id in bench.submit_all([task(), task(), task()]).await {
        bench.broker.cancel(id, Vec::new()).await.unwrap();
    }
    bench.clock.advance(DAY);
    for purged in [2, 1, 0] {
        assert_eq!(bench.broker.purge(2).await.unwrap(), purged);
    }
}

pub(crate) async fn one_loop_purges_everything_that_has_expired(backend: Box<dyn Backend>) {
    const EACH: usize = 5;
    let bench = Bench::open_with(backend, |options| {
        options.retention = Some(DAY);
        options.idempotency_ttl = DAY;
    })
    .await;
    for number in 0..EACH {
        let key = format!("key-{number}");
        let submitted = bench.broker.submit(keyed(task(), &key, b"a photo")).await.unwrap();
        assert!(matches!(submitted, Submitted::Created(_)), "{submitted:?}");
        let put = bench
            .registry
            .put_if("space", &key, Vec::new(), Expected::Any, Some(DAY));
        put.await.unwrap();
        let id = bench.submit(task()).await.id;
        bench.broker.cancel(id, Vec::new()).await.unwrap();
    }
    bench.clock.advance(DAY - TICK);
    assert_eq!(bench.broker.purge(2).await.unwrap(), 0);
    bench.clock.advance(TICK);

    let mut total = 0;
    loop {
        let purged = bench.broker.purge(2).await.unwrap();
        assert!(purged <= 2, "{purged}");
        total += purged;
        if purged < 2 {
            break;
        }
    }
    // A server that forgets keys by itself leaves none to be purged.
    let (without_keys, with_keys) = (2 * EACH as u64, 3 * EACH as u64);
    assert!(total == without_keys || total == with_keys, "{total}");
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 0);
}

pub(crate) async fn a_retried_task_no_longer_expires(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.retention = Some(DAY)).await;
    let lease = bench.start(task()).await;
    bench
        .broker
        .fail(lease.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    bench.broker.retry(lease.task.id).await.unwrap();
    bench.clock.advance(2 * DAY);
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 0);

    let again = bench.claim_one().await;
    let completed = bench.broker.complete(again.id, completion()).await.unwrap();
    assert_eq!(completed.expires_at, Some(bench.now().after(DAY)));
    bench.clock.advance(DAY);
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 1);
}

pub(crate) async fn without_retention_everything_is_kept(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.retention = None).await;
    let tasks = one_of_each_state(&bench).await;
    bench.clock.advance(1_000 * DAY);
    assert_eq!(bench.broker.purge(1_000).await.unwrap(), 0);
    assert_eq!(bench.broker.known(&tasks).await.unwrap(), [true; 5]);
    assert_eq!(bench.get(tasks[0]).await.expires_at, None);
}
