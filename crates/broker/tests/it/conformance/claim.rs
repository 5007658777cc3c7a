//! Workers take tasks that are ready.

use std::collections::HashSet;
use std::time::Duration;

use pixmill_broker::ClaimRequest;
use pixmill_types::{EventKind, NewTask, Task, TaskState};

use super::bench::LEASE;
use super::tasks::{COST_BYTES, claim_up_to, in_queue, task, with_cost, with_priority, worker};
use super::{Backend, Bench};

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) async fn a_claimed_task_runs_until_its_lease_expires(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let queued = bench.submit(task()).await;
    bench.clock.advance(Duration::from_secs(1));
    let lease = bench.claim_one().await;
    let running = Task {
        state: TaskState::Running,
        attempt: 1,
        started_at: Some(bench.now()),
        ..queued
    };
    assert_eq!(lease.task, running);
    assert_eq!(lease.duration, LEASE);
    assert_eq!(lease.expires_at, bench.now().after(LEASE));

    let bench = bench.reopen().await;
    assert_eq!(bench.get(running.id).await, running);
    assert_eq!(
        bench.history(running.id).await,
        [(EventKind::Queued, 0), (EventKind::Started, 1)]
    );
    assert_eq!(bench.claimed_ids(claim_up_to(9)).await, []);
}

pub(crate) async fn the_urgent_come_first_and_then_the_old(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([5, 9, 0, 5, 9].map(with_priority)).await;
    let bench = bench.reopen().await;
    let order = [1, 4, 0, 3, 2].map(|index| ids[index]);
    assert_eq!(bench.claimed_ids(claim_up_to(9)).await, order);
}

pub(crate) async fn waiting_raises_a_task(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.ageing = MINUTE).await;
    let least = bench.submit(with_priority(0)).await.id;
    let old = bench.submit(with_priority(5)).await.id;
    bench.clock.advance(MINUTE - Duration::from_secs(1));
    let passing = bench.submit(with_priority(6)).await.id;
    bench.clock.advance(Duration::from_secs(2));
    let late = bench.submit(with_priority(6)).await.id;
    bench.clock.advance(8 * MINUTE);
    let later = bench.submit(with_priority(9)).await.id;
    assert_eq!(
        bench.claimed_ids(claim_up_to(9)).await,
        [passing, old, late, least, later],
        "a minute of waiting is worth a priority"
    );
}

pub(crate) async fn never_more_tasks_than_free_slots(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([task(), task(), task()]).await;
    assert_eq!(bench.claimed_ids(claim_up_to(2)).await, ids[..2]);
    assert_eq!(bench.claimed_ids(claim_up_to(2)).await, ids[2..]);
}

pub(crate) async fn small_tasks_pass_those_that_do_not_fit(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([60, 50, 30, 11, 10].map(with_cost)).await;
    let claim = ClaimRequest {
        max_bytes: 100,
        ..claim_up_to(9)
    };
    let fitting = [0, 2, 4].map(|index| ids[index]);
    assert_eq!(bench.claimed_ids(claim).await, fitting);
    let claim = ClaimRequest {
        max_bytes: 20,
        ..claim_up_to(9)
    };
    assert_eq!(bench.claimed_ids(claim).await, [ids[3]]);
    assert_eq!(bench.images().await.ready, 1, "the largest waits its turn");
}

pub(crate) async fn an_idle_worker_takes_one_task_of_any_size(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([u64::MAX, 500, 90, 10].map(with_cost)).await;
    let claim = |idle: bool| ClaimRequest {
        max_bytes: 100,
        idle,
        ..claim_up_to(9)
    };
    assert_eq!(bench.claimed_ids(claim(true)).await, ids[..1], "and nothing beside it");
    assert_eq!(
        bench.claimed_ids(claim(false)).await,
        ids[2..],
        "a busy one passes it over"
    );
    assert_eq!(bench.claimed_ids(claim(true)).await, ids[1..2]);
}

pub(crate) async fn queues_are_apart(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let other = bench.submit(in_queue("other")).await;
    let image = bench.submit(task()).await.id;
    assert_eq!(bench.claimed_ids(claim_up_to(9)).await, [image]);
    let claim = ClaimRequest {
        queue: other.queue,
        ..claim_up_to(9)
    };
    assert_eq!(bench.claimed_ids(claim).await, [other.id]);
}

pub(crate) async fn a_delayed_task_is_due_when_it_said(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let due = [MINUTE, 2 * MINUTE].map(|delay| bench.now().after(delay));
    let delayed = due.map(|time| NewTask {
        not_before: Some(time),
        ..task()
    });
    let ids = bench.submit_all(delayed).await;

    let bench = bench.reopen().await;
    bench.clock.advance(MINUTE - Duration::from_millis(1));
    let early = bench.claim(claim_up_to(9)).await;
    assert_eq!((early.leases.len(), early.next_due), (0, Some(due[0])));

    bench.clock.advance(Duration::from_millis(1));
    let in_time = bench.claim(claim_up_to(9)).await;
    assert_eq!(in_time.leases[0].task.id, ids[0]);
    assert_eq!((in_time.leases.len(), in_time.next_due), (1, Some(due[1])));

    bench.clock.advance(2 * MINUTE);
    let late = bench.claim(claim_up_to(9)).await;
    assert_eq!(late.leases[0].task.id, ids[1]);
    assert_eq!((late.leases.len(), late.next_due), (1, None));
}

pub(crate) async fn a_start_time_in_the_past_is_now(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let first = bench.submit(task()).await.id;
    let past = NewTask {
        not_before: Some(bench.now().before(MINUTE)),
        ..task()
    };
    let second = bench.submit(past).await.id;
    assert_eq!(
        bench.claimed_ids(claim_up_to(9)).await,
        [first, second],
        "ready, but no older than its arrival"
    );
}

pub(crate) async fn a_lost_reply_asked_again_brings_the_same_leases(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit_all([1, 9, 5, 5].map(with_priority)).await;
    let request = ClaimRequest {
        idle: true,
        ..claim_up_to(3)
    };
    let lost = bench.claim(request.clone()).await;
    assert_eq!(lost.leases.len(), 3);

    let bench = bench.reopen().await;
    assert_eq!(bench.claim(request.clone()).await, lost);
    assert_eq!(bench.images().await.running, 3);
    for lease in &lost.leases {
        assert_eq!(bench.get(lease.task.id).await.attempt, 1);
    }
    assert_eq!(
        bench.claim(claim_up_to(3)).await.leases.len(),
        1,
        "another request is another claim"
    );
}

pub(crate) async fn an_empty_reply_asked_again_looks_again(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let request = claim_up_to(1);
    assert_eq!(bench.claimed_ids(request.clone()).await, []);
    let id = bench.submit(task()).await.id;
    assert_eq!(bench.claimed_ids(request).await, [id]);
}

pub(crate) async fn a_request_is_its_workers_own(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([task(), task()]).await;
    let request = claim_up_to(1);
    assert_eq!(bench.claimed_ids(request.clone()).await, ids[..1]);
    let other = ClaimRequest {
        worker: worker("host-2-bb"),
        ..request
    };
    assert_eq!(
        bench.claimed_ids(other).await,
        ids[1..],
        "chance made both draw the same id"
    );
}

pub(crate) async fn claims_at_once_never_share_a_task(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all((0..12).map(|_| with_cost(COST_BYTES))).await;
    let claimed = bench
        .at_once(6, |broker, index| {
            let request = ClaimRequest {
                worker: worker(&format!("host-{index}")),
                ..claim_up_to(3)
            };
            async move { broker.claim(request).await.unwrap().leases }
        })
        .await;
    let taken: Vec<_> = claimed.iter().flatten().map(|lease| lease.task.id).collect();
    assert_eq!(taken.len(), ids.len(), "there were slots for all");
    assert_eq!(taken.into_iter().collect::<HashSet<_>>(), ids.into_iter().collect());
    let fences: HashSet<_> = claimed.iter().flatten().map(|lease| lease.id).collect();
    assert_eq!(fences.len(), 12);
}
