//! Tasks that ended without a result are read by when they ended.

use std::time::Duration;

use pixmill_broker::EndedQuery;
use pixmill_types::{QueueName, Task, TaskId, Timestamp};

use super::bench::LEASE;
use super::tasks::{completion, in_queue, lasting_failure, task, with_attempts};
use super::{Backend, Bench};

const TICK: Duration = Duration::from_millis(1);

async fn ended(bench: &Bench, since: Timestamp, after: Option<TaskId>, limit: usize) -> Vec<Task> {
    let query = EndedQuery {
        queue: QueueName::images(),
        since,
        after,
        limit,
    };
    bench.broker.ended(query).await.unwrap()
}

/// Ids of all that ended at `since` or later, read in pages of `limit`.
async fn all_ended(bench: &Bench, since: Timestamp, limit: usize) -> Vec<TaskId> {
    let (mut since, mut after, mut ids) = (since, None, Vec::new());
    loop {
        let page = ended(bench, since, after, limit).await;
        assert!(page.len() <= limit, "{page:?}");
        let Some(last) = page.last() else { return ids };
        (since, after) = (last.finished_at.unwrap(), Some(last.id));
        ids.extend(page.iter().map(|task| task.id));
    }
}

async fn fail(bench: &Bench) -> TaskId {
    let lease = bench.claim_one().await;
    bench
        .broker
        .fail(lease.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    lease.task.id
}

pub(crate) async fn they_come_in_the_order_they_ended(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let started = bench.now();
    // What arrives last ends first.
    let crashed = bench.start(with_attempts(1)).await.task.id;
    let late = bench.submit(task()).await.id;
    let early = bench.submit_all([task(), task(), task()]).await;
    bench.clock.advance(TICK);
    let mut together = Vec::new();
    for id in early {
        together.push(bench.broker.cancel(id, Vec::new()).await.unwrap().id);
    }
    together.sort();
    bench.clock.advance(TICK);
    let after_those = bench.now();
    assert_eq!(fail(&bench).await, late);
    let completed = bench.start(task()).await;
    bench.broker.complete(completed.id, completion()).await.unwrap();
    let elsewhere = bench.submit(in_queue("other")).await.id;
    bench.broker.cancel(elsewhere, Vec::new()).await.unwrap();
    bench.submit(task()).await;
    bench.live(LEASE).await;

    let bench = bench.reopen().await;
    let expected = [together.as_slice(), &[late, crashed]].concat();
    for limit in [1, 2, 3, 100] {
        assert_eq!(all_ended(&bench, started, limit).await, expected, "{limit}");
        assert_eq!(all_ended(&bench, after_those, limit).await, [late, crashed], "{limit}");
    }
    assert_eq!(
        ended(&bench, bench.now(), None, 9).await,
        [bench.get(crashed).await],
        "whole records"
    );
    assert_eq!(ended(&bench, bench.now().after(TICK), None, 9).await, []);
}

pub(crate) async fn a_task_that_is_retried_or_deleted_is_none_of_them(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let started = bench.now();
    bench.submit_all([task(), task()]).await;
    let (retried, deleted) = (fail(&bench).await, fail(&bench).await);
    bench.broker.retry(retried).await.unwrap();
    bench.broker.delete(deleted).await.unwrap();
    assert_eq!(all_ended(&bench, started, 9).await, []);

    bench.clock.advance(TICK);
    assert_eq!(fail(&bench).await, retried);
    assert_eq!(all_ended(&bench, started, 9).await, [retried], "once");
    assert_eq!(all_ended(&bench, bench.now(), 9).await, [retried], "by its last end");
}
