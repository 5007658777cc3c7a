//! What operators see.

use std::time::Duration;

use pixmill_broker::QueueStats;
use pixmill_types::{NewTask, QueueName};

use super::tasks::{completion, in_queue, lasting_failure, passing_failure, task};
use super::{Backend, Bench};

const MINUTE: Duration = Duration::from_secs(60);

async fn finish_one_each_way(bench: &Bench) {
    let completed = bench.start(task()).await;
    bench.broker.complete(completed.id, completion()).await.unwrap();
    let failed = bench.start(task()).await;
    bench
        .broker
        .fail(failed.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    let cancelled = bench.submit(task()).await;
    bench.broker.cancel(cancelled.id, Vec::new()).await.unwrap();
}

pub(crate) async fn every_state_is_counted(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    assert_eq!(bench.broker.stats().await.unwrap().queues, []);
    finish_one_each_way(&bench).await;
    finish_one_each_way(&bench).await;
    let since = bench.now();
    bench.start(task()).await;
    let delayed = NewTask {
        not_before: Some(since.after(MINUTE)),
        ..task()
    };
    bench.submit_all([task(), delayed, task(), in_queue("a-queue")]).await;

    let bench = bench.reopen().await;
    let stats = bench.broker.stats().await.unwrap();
    assert_eq!((stats.now, stats.pending_deletions), (bench.now(), 0));
    let other = QueueStats {
        queue: "a-queue".parse().unwrap(),
        ready: 1,
        delayed: 0,
        running: 0,
        completed: 0,
        failed: 0,
        cancelled: 0,
        oldest_ready: Some(since),
        oldest_running: None,
    };
    let images = QueueStats {
        queue: QueueName::images(),
        ready: 2,
        delayed: 1,
        running: 1,
        completed: 2,
        failed: 2,
        cancelled: 2,
        oldest_ready: Some(since),
        oldest_running: Some(since),
    };
    assert_eq!(stats.queues, [other, images]);
}

pub(crate) async fn a_delayed_task_counts_as_ready_once_it_is_due(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.backoff_base = MINUTE).await;
    let due = bench.now().after(2 * MINUTE);
    let delayed = NewTask {
        not_before: Some(due),
        ..task()
    };
    let failing = bench.start(task()).await;
    bench
        .broker
        .fail(failing.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    bench.submit(delayed).await;
    assert_eq!(bench.images().await.oldest_ready.map(|time| time > bench.now()), None);
    bench.clock.advance(MINUTE);
    let one = bench.images().await;
    assert_eq!((one.ready, one.delayed), (1, 1), "the retry is due at the latest now");
    bench.clock.advance(10 * MINUTE);
    let both = bench.images().await;
    assert_eq!((both.ready, both.delayed), (2, 0));
    bench.claim_one().await;
    assert_eq!(
        bench.images().await.oldest_ready,
        Some(due),
        "since it could have been claimed"
    );
}

pub(crate) async fn the_oldest_are_found(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let begun = bench.now();
    let first = bench.start(task()).await;
    bench.clock.advance(MINUTE);
    let later = bench.now();
    let second = bench.start(task()).await;
    bench.submit(task()).await;
    bench.clock.advance(MINUTE);
    bench.submit(task()).await;
    let found = bench.images().await;
    assert_eq!((found.oldest_ready, found.oldest_running), (Some(later), Some(begun)));

    bench.broker.complete(first.id, completion()).await.unwrap();
    bench.claim_one().await;
    let found = bench.images().await;
    assert_eq!(
        (found.oldest_ready, found.oldest_running),
        (Some(bench.now()), Some(later))
    );

    bench.broker.release(second.id).await.unwrap();
    let found = bench.images().await;
    assert_eq!(
        (found.oldest_ready, found.oldest_running),
        (Some(later), Some(bench.now()))
    );
}

pub(crate) async fn deletions_are_counted_until_they_are_done(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let ids = bench.submit_all([task(), task(), task()]).await;
    for id in &ids[..2] {
        bench.broker.delete(*id).await.unwrap();
    }
    let bench = bench.reopen().await;
    assert_eq!(bench.broker.stats().await.unwrap().pending_deletions, 2);
    for _ in 0..2 {
        bench.broker.deletions_done(&ids).await.unwrap();
        assert_eq!(bench.broker.stats().await.unwrap().pending_deletions, 0);
    }
    assert_eq!(bench.images().await.ready, 1);
}
