//! Tasks come in.

use std::time::Duration;

use pixmill_broker::{BrokerError, Submission, Submitted};
use pixmill_types::{EventKind, IdempotencyKey, NewTask, Task, TaskState};

use super::tasks::{in_queue, keyed, submission, task};
use super::{Backend, Bench};

const HOUR: Duration = Duration::from_secs(3_600);

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

pub(crate) async fn the_same_key_and_request_again_is_the_existing_task(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let first = bench
        .broker
        .submit(keyed(task(), "key-1", b"photo, blur"))
        .await
        .unwrap();
    let Submitted::Created(first) = first else {
        panic!("not created: {first:?}")
    };

    let bench = bench.reopen().await;
    let repeated = keyed(task(), "key-1", b"photo, blur");
    let unneeded = repeated.task.id;
    let again = bench.broker.submit(repeated).await.unwrap();
    assert_eq!(again, Submitted::Existing(first));
    assert_eq!(bench.broker.known(&[unneeded]).await.unwrap(), [false]);
    assert_eq!(bench.images().await.ready, 1);
}

pub(crate) async fn the_same_key_with_another_request_is_refused(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench
        .broker
        .submit(keyed(task(), "key-1", b"photo, blur"))
        .await
        .unwrap();

    let bench = bench.reopen().await;
    let other = keyed(task(), "key-1", b"photo, grayscale");
    let id = other.task.id;
    assert_refused!(bench.broker.submit(other).await, BrokerError::KeyReused);
    assert_eq!(bench.broker.known(&[id]).await.unwrap(), [false]);
    let elsewhere = bench.broker.submit(keyed(task(), "key-2", b"photo, grayscale")).await;
    assert!(matches!(elsewhere, Ok(Submitted::Created(_))), "{elsewhere:?}");
}

pub(crate) async fn a_key_is_forgotten_after_its_time(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.idempotency_ttl = HOUR).await;
    let submit = async |request: &[u8]| bench.broker.submit(keyed(task(), "key-1", request)).await;
    submit(b"one").await.unwrap();

    bench.clock.advance(HOUR - Duration::from_millis(1));
    bench.broker.purge(1_000).await.unwrap();
    assert_refused!(submit(b"two").await, BrokerError::KeyReused);
    let key: IdempotencyKey = "key-1".parse().unwrap();
    assert!(bench.broker.is_used(&key).await.unwrap());

    bench.clock.advance(Duration::from_millis(1));
    assert!(!bench.broker.is_used(&key).await.unwrap());
    let free = submit(b"two").await;
    assert!(matches!(free, Ok(Submitted::Created(_))), "{free:?}");
    bench.broker.purge(1_000).await.unwrap();
    assert_refused!(submit(b"three").await, BrokerError::KeyReused);
}

pub(crate) async fn a_key_is_free_again_once_its_task_is_deleted(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let first = keyed(task(), "key-1", b"one");
    let id = first.task.id;
    let key: IdempotencyKey = "key-1".parse().unwrap();
    assert!(!bench.broker.is_used(&key).await.unwrap());
    bench.broker.submit(first).await.unwrap();
    assert!(bench.broker.is_used(&key).await.unwrap());
    bench.broker.delete(id).await.unwrap();
    assert!(!bench.broker.is_used(&key).await.unwrap());
    let again = bench.broker.submit(keyed(task(), "key-1", b"two")).await;
    assert!(matches!(again, Ok(Submitted::Created(_))), "{again:?}");
}

pub(crate) async fn a_full_queue_takes_no_more(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_queued = 2).await;
    let delayed = NewTask {
        not_before: Some(bench.now().after(HOUR)),
        ..task()
    };
    bench.submit_all([task(), delayed]).await;

    let refused = keyed(task(), "key-1", b"one");
    let id = refused.task.id;
    let full = Submitted::Full { queued: 2, limit: 2 };
    assert_eq!(bench.broker.submit(refused.clone()).await.unwrap(), full);
    assert_eq!(bench.broker.known(&[id]).await.unwrap(), [false]);
    assert_eq!(bench.history(id).await, []);

    bench.submit(in_queue("other")).await;
    bench.claim_one().await;
    let room = bench.broker.submit(refused).await.unwrap();
    assert!(
        matches!(room, Submitted::Created(_)),
        "what runs does not wait: {room:?}"
    );
}

pub(crate) async fn a_full_queue_still_knows_what_it_holds(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_queued = 1).await;
    let held = keyed(task(), "key-1", b"one");
    bench.broker.submit(held.clone()).await.unwrap();
    for again in [held, keyed(task(), "key-1", b"one")] {
        let answer = bench.broker.submit(again).await.unwrap();
        assert!(matches!(answer, Submitted::Existing(_)), "{answer:?}");
    }
}

pub(crate) async fn an_input_that_was_staged_too_long_ago_is_refused(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_staging_age = HOUR).await;
    let staged = |task: NewTask, staged_for: Duration| Submission {
        staged_for,
        ..submission(task)
    };
    let late = staged(task(), HOUR + Duration::from_millis(1));
    let id = late.task.id;
    assert_refused!(bench.broker.submit(late).await, BrokerError::StagedTooLong);
    assert_eq!(bench.broker.known(&[id]).await.unwrap(), [false]);

    let in_time = task();
    let answer = bench.broker.submit(staged(in_time.clone(), HOUR)).await.unwrap();
    assert!(matches!(answer, Submitted::Created(_)), "{answer:?}");
    let again = bench.broker.submit(staged(in_time, 2 * HOUR)).await.unwrap();
    assert!(matches!(again, Submitted::Existing(_)), "its input is safe: {again:?}");
}

pub(crate) async fn of_many_at_once_with_one_id_one_creates(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let described = task();
    let answers = bench
        .at_once(8, |broker, _| {
            let submission = submission(described.clone());
            async move { broker.submit(submission).await.unwrap() }
        })
        .await;
    let created = answers.iter().filter(|answer| matches!(answer, Submitted::Created(_)));
    assert_eq!(created.count(), 1, "{answers:?}");
    assert_eq!(bench.images().await.ready, 1);
}

pub(crate) async fn of_many_at_once_with_one_key_one_creates(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let answers = bench
        .at_once(8, |broker, _| async move {
            broker.submit(keyed(task(), "key-1", b"one")).await.unwrap()
        })
        .await;
    let mut ids = Vec::new();
    let mut created = 0;
    for answer in answers {
        match answer {
            Submitted::Created(task) => {
                created += 1;
                ids.push(task.id);
            }
            Submitted::Existing(task) => ids.push(task.id),
            Submitted::Full { .. } => panic!("there is room"),
        }
    }
    ids.dedup();
    assert_eq!((created, ids.len()), (1, 1), "all are told of the same task");
    assert_eq!(bench.images().await.ready, 1);
}

pub(crate) async fn many_at_once_never_overfill_a_queue(backend: Box<dyn Backend>) {
    let bench = Bench::open_with(backend, |options| options.max_queued = 5).await;
    let answers = bench
        .at_once(12, |broker, _| async move {
            broker.submit(submission(task())).await.unwrap()
        })
        .await;
    let full = Submitted::Full { queued: 5, limit: 5 };
    assert_eq!(answers.iter().filter(|answer| **answer == full).count(), 7);
    assert_eq!(bench.images().await.ready, 5);
}
