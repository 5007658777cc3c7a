//! Dead letters go round again.

use std::time::Duration;

use pixmill_broker::BrokerError;
use pixmill_types::{EventKind, FailureCode, Task, TaskId, TaskState};

use super::tasks::{claim_up_to, completion, lasting_failure, passing_failure, task, with_attempts};
use super::{Backend, Bench};

pub(crate) async fn a_failed_task_starts_anew(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| {
        options.backoff_base = Duration::ZERO;
        options.retention = Some(Duration::from_secs(60));
    })
    .await;
    let id = bench.submit(with_attempts(2)).await.id;
    for _ in 0..2 {
        let lease = bench.claim_one().await;
        bench
            .broker
            .fail(lease.id, passing_failure(), Vec::new())
            .await
            .unwrap();
    }
    let dead = bench.get(id).await;
    assert_eq!((dead.state, dead.attempt), (TaskState::Failed, 2));
    bench.clock.advance(Duration::from_secs(1));
    let younger = bench.submit(task()).await.id;
    bench.clock.advance(Duration::from_secs(1));
    let queued = bench.broker.retry(id).await.unwrap();
    let expected = Task {
        state: TaskState::Queued,
        attempt: 0,
        not_before: None,
        finished_at: None,
        expires_at: None,
        failure: None,
        ..dead
    };
    assert_eq!(queued, expected);

    let bench = bench.reopen().await;
    assert_eq!(bench.get(id).await, expected);
    assert_eq!(
        bench.claimed_ids(claim_up_to(1)).await,
        [younger],
        "it has waited no longer than since its retry"
    );
    let lease = bench.claim_one().await;
    assert_eq!((lease.task.id, lease.task.attempt), (id, 1));
    let waiting = bench
        .broker
        .fail(lease.id, passing_failure(), Vec::new())
        .await
        .unwrap();
    assert_eq!(waiting.state, TaskState::Queued, "both attempts are new");
    assert_eq!(
        bench.history(id).await[4..],
        [
            (EventKind::Failed(FailureCode::StorageUnavailable), 2),
            (EventKind::Retried, 0),
            (EventKind::Started, 1),
            (EventKind::Retrying(FailureCode::StorageUnavailable), 1),
        ]
    );
}

pub(crate) async fn what_has_not_failed_is_a_conflict(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let completed = bench.start(task()).await;
    bench.broker.complete(completed.id, completion()).await.unwrap();
    let running = bench.start(task()).await.task.id;
    let [queued, cancelled]: [TaskId; 2] = [bench.submit(task()).await.id, bench.submit(task()).await.id];
    bench.broker.cancel(cancelled, Vec::new()).await.unwrap();
    for task in [completed.task.id, running, queued, cancelled] {
        let before = bench.get(task).await;
        assert_refused!(bench.broker.retry(task).await, BrokerError::Conflict(_));
        assert_eq!(bench.get(task).await, before);
    }
    let failed = bench.claim_one().await;
    bench
        .broker
        .fail(failed.id, lasting_failure(), Vec::new())
        .await
        .unwrap();
    bench.broker.retry(failed.task.id).await.unwrap();
    assert_refused!(bench.broker.retry(failed.task.id).await, BrokerError::Conflict(_));
}
