//! Tasks come in.

use pixmill_broker::Submitted;
use pixmill_types::{EventKind, NewTask, Task, TaskState};

use super::tasks::{submission, task};
use super::{Backend, Bench};

pub(crate) async fn a_created_task_is_queued_and_as_it_was_described(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let described = task();
    let created = bench.submit(described.clone()).await;
    let NewTask {
        id,
        queue,
        payload,
        priority,
        not_before,
        max_attempts,
        cost_bytes,
        timeout_ms,
        trace_parent,
    } = described;
    let expected = Task {
        id,
        queue,
        payload,
        priority,
        state: TaskState::Queued,
        attempt: 0,
        max_attempts,
        cost_bytes,
        timeout_ms,
        trace_parent,
        created_at: bench.now(),
        not_before,
        started_at: None,
        finished_at: None,
        expires_at: None,
        success: None,
        failure: None,
    };
    assert_eq!(created, expected);

    let bench = bench.reopen().await;
    assert_eq!(bench.get(id).await, expected);
    assert_eq!(bench.history(id).await, [(EventKind::Queued, 0)]);
}

pub(crate) async fn the_same_id_again_is_the_existing_task(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let described = task();
    let created = bench.submit(described.clone()).await;
    let lease = bench.claim_one().await;

    let bench = bench.reopen().await;
    let again = bench.broker.submit(submission(described)).await.unwrap();
    assert_eq!(
        again,
        Submitted::Existing(Box::new(lease.task)),
        "as it is now, not as it was"
    );
    assert_eq!(bench.images().await.ready, 0);
    assert_eq!(bench.history(created.id).await.len(), 2);
}
