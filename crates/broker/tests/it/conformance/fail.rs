//! Attempts end without outputs: another follows, or the task is a dead letter.

use std::collections::HashSet;
use std::time::Duration;

use pixmill_broker::{BrokerError, FollowUp};
use pixmill_types::{EventKind, Failure, FailureCode, LimitExceeded, LimitName, Limits, Task, TaskState};

use super::bench::LEASE;
use super::tasks::{claim_up_to, completion, lasting_failure, passing_failure, task, with_attempts};
use super::{Backend, Bench};

const BASE: Duration = Duration::from_secs(3_600);

async fn with_long_backoff(backend: Box<dyn Backend>) -> Bench {
    Bench::open_with(backend, |options| {
        options.backoff_base = BASE;
        options.backoff_cap = 4 * BASE;
    })
    .await
}

/// Lets the backoff of a task pass.
fn wait_for(bench: &Bench, task: &Task) {
    let due = task.not_before.expect("a retry has a time");
    bench.clock.advance(due.since(bench.now()));
}

pub(crate) async fn another_attempt_follows_after_a_backoff(backend: Box<dyn Backend>) {
    let bench = with_long_backoff(backend).await;
    let lease = bench.start(task()).await;
    let failed_at = bench.now();
    let waiting = bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    let due = waiting.not_before.expect("a retry has a time");
    assert!((failed_at..=failed_at.after(BASE)).contains(&due), "{due:?}");
    let expected = Task {
        state: TaskState::Queued,
        not_before: Some(due),
        failure: Some(passing_failure()),
        ..lease.task
    };
    assert_eq!(waiting, expected);

    let bench = bench.reopen().await;
    assert_eq!(bench.get(expected.id).await, expected);
    if due > failed_at {
        bench.clock.advance(due.since(failed_at) - Duration::from_millis(1));
        let early = bench.claim(claim_up_to(1)).await;
        assert_eq!((early.leases.len(), early.next_due), (0, Some(due)));
    }
    wait_for(&bench, &expected);
    assert_eq!(bench.claim_one().await.task.attempt, 2);
    assert_eq!(
        bench.history(expected.id).await,
        [
            (EventKind::Queued, 0),
            (EventKind::Started, 1),
            (EventKind::Retrying(FailureCode::StorageUnavailable), 1),
            (EventKind::Started, 2),
        ]
    );
}

pub(crate) async fn backoffs_differ(backend: Box<dyn Backend>) {
    let bench = with_long_backoff(backend).await;
    let mut delays = HashSet::new();
    for _ in 0..8 {
        let lease = bench.start(task()).await;
        let waiting = bench
            .broker
            .fail(lease.id, passing_failure(), Vec::new())
            .await
            .unwrap();
        delays.insert(waiting.not_before);
    }
    assert!(
        delays.len() > 1,
        "eight of millions of milliseconds are not all the same"
    );
}

pub(crate) async fn the_last_attempt_makes_a_dead_letter(backend: Box<dyn Backend>) {
    let bench = with_long_backoff(backend).await;
    let id = bench.submit(with_attempts(3)).await.id;
    for attempt in 1..3 {
        let lease = bench.claim_one().await;
        assert_eq!(lease.task.attempt, attempt);
        let waiting = bench
            .broker
            .fail(lease.id, passing_failure(), Vec::new())
            .await
            .unwrap();
        assert_eq!(waiting.state, TaskState::Queued);
        wait_for(&bench, &waiting);
    }
    let last = bench.claim_one().await;
    let dead = bench.broker.fail(last.id, passing_failure(), Vec::new()).await.unwrap();
    let expected = Task {
        state: TaskState::Failed,
        attempt: 3,
        finished_at: Some(bench.now()),
        failure: Some(passing_failure()),
        ..last.task
    };
    assert_eq!(dead, expected);

    let bench = bench.reopen().await;
    assert_eq!(bench.get(id).await, expected);
    let last_event = (EventKind::Failed(FailureCode::StorageUnavailable), 3);
    assert_eq!(bench.history(id).await.last(), Some(&last_event));
    assert_eq!(bench.claim(claim_up_to(1)).await.next_due, None);
}

pub(crate) async fn a_lasting_failure_ends_the_task_at_once(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(with_attempts(3)).await;
    let limits = Limits::default();
    let exceeded: LimitExceeded = limits
        .check(LimitName::Pixels, limits.max_pixels + 1)
        .expect_err("one too many");
    let failure = Failure::from(exceeded);
    bench.broker.fail(lease.id, failure.clone(), Vec::new()).await.unwrap();

    let bench = bench.reopen().await;
    let dead = bench.get(lease.task.id).await;
    assert_eq!(
        (dead.state, dead.attempt, dead.failure),
        (TaskState::Failed, 1, Some(failure))
    );
}

pub(crate) async fn repeated_it_succeeds_and_burns_no_attempt(backend: Box<dyn Backend>) {
    let bench = with_long_backoff(backend).await;
    let lease = bench.start(task()).await;
    let waiting = bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    let bench = bench.reopen().await;
    let repeated = bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    assert_eq!(repeated, waiting);
    assert_eq!(bench.history(waiting.id).await.len(), 3);

    wait_for(&bench, &waiting);
    let second = bench.claim_one().await;
    let late = bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    assert_eq!(late, second.task, "the attempt under way is another one's");
}

pub(crate) async fn a_lost_lease_fails_nothing(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let reaped = bench.start(task()).await;
    bench.live(LEASE).await;
    let again = bench.claim_one().await;
    let completed = bench.start(task()).await;
    let record = bench.broker.complete(completed.id, completion()).await.unwrap();

    let bench = bench.reopen().await;
    for lost in [&reaped, &completed] {
        let follow_up = FollowUp::of(lost.task.id, task());
        let refused = bench
            .broker
            .fail(lost.id, lasting_failure(), vec![follow_up.clone()])
            .await;
        assert_refused!(refused, BrokerError::StaleLease);
        assert_eq!(bench.broker.known(&[follow_up.task().id]).await.unwrap(), [false]);
    }
    assert_eq!(bench.get(again.task.id).await, again.task);
    assert_eq!(bench.get(record.id).await, record);
}

pub(crate) async fn a_later_success_clears_the_failure(backend: Box<dyn Backend>) {
    let bench = with_long_backoff(backend).await;
    let lease = bench.start(task()).await;
    let waiting = bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    wait_for(&bench, &waiting);
    let second = bench.claim_one().await;
    let completed = bench.broker.complete(second.id, completion()).await.unwrap();
    assert_eq!((completed.state, completed.failure), (TaskState::Completed, None));
}

pub(crate) async fn follow_ups_wait_for_the_last_attempt(backend: Box<dyn Backend>) {
    let bench = with_long_backoff(backend).await;
    let first = bench.start(with_attempts(2)).await;
    let owed = FollowUp::of(first.task.id, task());
    let fail = async |lease| {
        let failing = bench.broker.fail(lease, passing_failure(), vec![owed.clone()]);
        failing.await.unwrap()
    };
    let waiting = fail(first.id).await;
    assert_eq!(bench.broker.known(&[owed.task().id]).await.unwrap(), [false]);

    wait_for(&bench, &waiting);
    let second = bench.claim_one().await;
    for _ in 0..2 {
        assert_eq!(fail(second.id).await.state, TaskState::Failed);
        assert_eq!(bench.images().await.ready, 1);
    }
    assert_eq!(bench.claimed_ids(claim_up_to(1)).await, [owed.task().id]);
}
