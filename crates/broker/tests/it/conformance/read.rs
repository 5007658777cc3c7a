//! Records are read, at once or when they are final.

use std::time::Duration;

use pixmill_broker::BrokerError;
use pixmill_types::{Task, TaskId, TaskState};

use super::bench::Waiting;
use super::tasks::{completion, lasting_failure, passing_failure, task};
use super::{Backend, Bench};

/// Longer than anybody waits here for somebody who was woken.
const LONG: Duration = Duration::from_secs(600);

fn waiting(bench: &Bench, task: TaskId) -> Waiting<Result<Task, BrokerError>> {
    bench.begin(move |broker| async move { broker.wait(task, LONG).await })
}

pub(crate) async fn an_unknown_task_is_not_found(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit(task()).await;
    let unknown = TaskId::generate();
    let broker = &bench.broker;
    assert_refused!(broker.get(unknown).await, BrokerError::NotFound(id) if id == unknown);
    assert_refused!(broker.wait(unknown, LONG).await, BrokerError::NotFound(id) if id == unknown);
    assert_refused!(broker.cancel(unknown, Vec::new()).await, BrokerError::NotFound(id) if id == unknown);
    assert_refused!(broker.retry(unknown).await, BrokerError::NotFound(id) if id == unknown);
    assert_refused!(broker.delete(unknown).await, BrokerError::NotFound(id) if id == unknown);
    assert_eq!(broker.pending_deletions(9).await.unwrap(), []);
}

pub(crate) async fn known_answers_in_the_order_asked(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([task(), task(), task()]).await;
    bench.broker.delete(ids[1]).await.unwrap();
    let asked = [ids[2], TaskId::generate(), ids[0], ids[1], ids[2]];
    let known = bench.broker.known(&asked).await.unwrap();
    assert_eq!(known, [true, false, true, false, true]);
    assert!(bench.broker.known(&[]).await.unwrap().is_empty());
}

pub(crate) async fn a_final_task_is_not_waited_for(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let completed = bench.broker.complete(lease.id, completion()).await.unwrap();
    let returned = waiting(&bench, completed.id).woken().await.unwrap();
    assert_eq!(returned, completed);
}

pub(crate) async fn the_wait_ends_at_completion(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let id = bench.submit(task()).await.id;
    let waiting = waiting(&bench, id).settled().await;
    let lease = bench.claim_one().await;
    let waiting = waiting.settled().await;
    let completed = bench.broker.complete(lease.id, completion()).await.unwrap();
    assert_eq!(waiting.woken().await.unwrap(), completed);
}

pub(crate) async fn the_wait_ends_at_the_last_failure_only(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.backoff_base = Duration::ZERO).await;
    let lease = bench.start(task()).await;
    let waiting = waiting(&bench, lease.task.id).settled().await;
    bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    let waiting = waiting.settled().await;
    let lease = bench.claim_one().await;
    let failed = bench
        .broker
        .fail(lease.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    assert_eq!(waiting.woken().await.unwrap(), failed);
}

pub(crate) async fn the_wait_ends_at_a_cancel(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let [mine, other] = [bench.submit(task()).await.id, bench.submit(task()).await.id];
    let waiting = waiting(&bench, mine).settled().await;
    bench.broker.cancel(other, Vec::new()).await.unwrap();
    let waiting = waiting.settled().await;
    let cancelled = bench.broker.cancel(mine, Vec::new()).await.unwrap();
    assert_eq!(waiting.woken().await.unwrap(), cancelled);
}

pub(crate) async fn the_wait_ends_at_a_delete(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let id = bench.submit(task()).await.id;
    let waiting = waiting(&bench, id).settled().await;
    bench.broker.delete(id).await.unwrap();
    assert_refused!(waiting.woken().await, BrokerError::NotFound(gone) if gone == id);
}

pub(crate) async fn a_wait_that_is_over_returns_the_task_as_it_is(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    for wait in [Duration::ZERO, Duration::from_millis(20)] {
        let returned = bench.broker.wait(lease.task.id, wait).await.unwrap();
        assert_eq!(returned, lease.task);
        assert_eq!(returned.state, TaskState::Running);
    }
}

pub(crate) async fn it_could_store_a_task(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let before = bench.broker.stats().await.unwrap();
    bench.broker.check().await.unwrap();
    assert_eq!(bench.broker.stats().await.unwrap(), before, "and leaves nothing behind");
}
