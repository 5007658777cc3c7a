//! A claim waits when nothing is ready, and is woken when something is.

use std::sync::Arc;
use std::time::Duration;

use pixmill_broker::{ClaimRequest, Claimed, Completion, FollowUp, SystemClock};
use pixmill_types::{NewTask, TaskId};

use super::bench::{LEASE, Waiting};
use super::tasks::{claim_up_to, completion, lasting_failure, task, with_cost, worker};
use super::{Backend, Bench};

/// Longer than anybody waits here for somebody who was woken.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(20);

fn waiting_claim(bench: &Bench, request: ClaimRequest) -> Waiting<Claimed> {
    let request = ClaimRequest { wait: LONG, ..request };
    bench.begin(|broker| async move { broker.claim(request).await.unwrap() })
}

async fn assert_brings(waiting: Waiting<Claimed>, task: TaskId) {
    let claimed = waiting.woken().await;
    let ids: Vec<_> = claimed.leases.iter().map(|lease| lease.task.id).collect();
    assert_eq!(ids, [task]);
}

pub(crate) async fn it_gives_up_when_the_wait_is_over(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let due = bench.now().after(LONG);
    bench
        .submit(NewTask {
            not_before: Some(due),
            ..task()
        })
        .await;
    let request = ClaimRequest {
        wait: SHORT,
        ..claim_up_to(1)
    };
    let expected = Claimed {
        leases: Vec::new(),
        next_due: Some(due),
    };
    assert_eq!(bench.claim(request).await, expected);
}

pub(crate) async fn a_submission_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    for _ in 0..5 {
        let waiting = waiting_claim(&bench, claim_up_to(1)).settled().await;
        let id = bench.submit(task()).await.id;
        assert_brings(waiting, id).await;
    }
}

pub(crate) async fn a_follow_up_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let waiting = waiting_claim(&bench, claim_up_to(1)).settled().await;
    let follow_up = FollowUp::of(lease.task.id, task());
    let completion = Completion {
        follow_ups: vec![follow_up.clone()],
        ..completion()
    };
    bench.broker.complete(lease.id, completion).await.unwrap();
    assert_brings(waiting, follow_up.task().id).await;
}

pub(crate) async fn a_release_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let waiting = waiting_claim(&bench, claim_up_to(1)).settled().await;
    bench.broker.release(lease.id).await.unwrap();
    assert_brings(waiting, lease.task.id).await;
}

pub(crate) async fn a_retry_by_hand_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    bench
        .broker
        .fail(lease.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    let waiting = waiting_claim(&bench, claim_up_to(1)).settled().await;
    bench.broker.retry(lease.task.id).await.unwrap();
    assert_brings(waiting, lease.task.id).await;
}

pub(crate) async fn an_expired_lease_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let waiting = waiting_claim(&bench, claim_up_to(1)).settled().await;
    bench.live(LEASE).await;
    assert_brings(waiting, lease.task.id).await;
}

pub(crate) async fn a_due_time_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.clock = Arc::new(SystemClock)).await;
    let due = bench.now().after(SHORT);
    let delayed = NewTask {
        not_before: Some(due),
        ..task()
    };
    let id = bench.submit(delayed).await.id;
    let claimed = waiting_claim(&bench, claim_up_to(1)).woken().await;
    assert_eq!(claimed.leases[0].task.id, id);
    assert!(claimed.leases[0].task.started_at >= Some(due), "never early");
}

pub(crate) async fn an_earlier_due_time_wakes_it(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.clock = Arc::new(SystemClock)).await;
    let delayed = |delay: Duration| NewTask {
        not_before: Some(bench.now().after(delay)),
        ..task()
    };
    bench.submit(delayed(LONG)).await;
    let waiting = waiting_claim(&bench, claim_up_to(1)).settled().await;
    let earlier = bench.submit(delayed(SHORT)).await.id;
    assert_brings(waiting, earlier).await;
}

pub(crate) async fn each_of_many_gets_a_task(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let mut waiting = Vec::new();
    for name in ["host-1", "host-2", "host-3"] {
        let request = ClaimRequest {
            worker: worker(name),
            ..claim_up_to(1)
        };
        waiting.push(waiting_claim(&bench, request).settled().await);
    }
    let mut submitted = bench.submit_all([task(), task(), task()]).await;
    let mut taken = Vec::new();
    for one in waiting {
        taken.extend(one.woken().await.leases.into_iter().map(|lease| lease.task.id));
    }
    taken.sort_unstable();
    submitted.sort_unstable();
    assert_eq!(taken, submitted);
}

pub(crate) async fn one_that_is_dropped_takes_nothing(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    waiting_claim(&bench, claim_up_to(1)).settled().await.drop_it().await;
    let id = bench.submit(task()).await.id;
    assert_eq!(bench.claimed_ids(claim_up_to(1)).await, [id]);
}

pub(crate) async fn what_does_not_fit_does_not_end_it(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let request = ClaimRequest {
        max_bytes: 100,
        ..claim_up_to(1)
    };
    let waiting = waiting_claim(&bench, request).settled().await;
    bench.submit(with_cost(101)).await;
    let fitting = bench.submit(with_cost(100)).await.id;
    assert_brings(waiting, fitting).await;
}
