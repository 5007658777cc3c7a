//! What comes of a task when nothing but the task itself stands in the way.

use std::time::Duration;

use pixmill_blob::BlobKey;
use pixmill_broker::{Broker, BrokerOptions};
use pixmill_types::{EventKind, FailureCode, ImageFormat, Payload, TaskState};

use crate::support::{Bench, Call, PHOTO, endless, new_task, recipe, testdata};

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_milled_and_delivered() {
    let bench = Bench::new();
    let worker = bench.start();
    let task = bench.submit(PHOTO, |_| {}).await;
    let delivered = bench.delivered(task).await;
    let [(output, bytes)] = &delivered[..] else {
        panic!("{delivered:?}");
    };
    assert_eq!(output.segment.as_str(), "processed_photo_0.3mp.jpg");
    assert_eq!(output.format, ImageFormat::Jpeg);
    assert_ne!(bytes[..], testdata(PHOTO)[..]);
    let record = bench.ended(task).await;
    assert_eq!((record.attempt, record.failure), (1, None));
    assert!(bench.has_input(task, PHOTO).await);
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_output_of_a_recipe_is_delivered_in_its_order() {
    let bench = Bench::new();
    let _worker = bench.start();
    let several = "grayscale => png; webp:60,name=small; blur:1 | jpeg:50,name=soft_{name}";
    let task = bench.submit(PHOTO, |task| recipe(task, several.parse().unwrap())).await;
    let delivered = bench.delivered(task).await;
    let names: Vec<&str> = delivered.iter().map(|(output, _)| output.segment.as_str()).collect();
    assert_eq!(
        names,
        ["processed_photo_0.3mp.png", "small.webp", "soft_photo_0.3mp.jpg"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tasks_than_slots_are_all_delivered_at_the_first_attempt() {
    let bench = Bench::new();
    let _worker = bench.start();
    let mut tasks = Vec::new();
    for _ in 0..20 {
        tasks.push(bench.submit(PHOTO, |_| {}).await);
    }
    for task in tasks {
        bench.delivered(task).await;
        assert_eq!(bench.ended(task).await.attempt, 1);
    }
    for claim in bench.broker.claims() {
        assert!(
            (1..=2).contains(&claim.max_tasks),
            "more than the free slots: {claim:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_image_fails_at_once_and_leaves_no_output() {
    let bench = Bench::new();
    let _worker = bench.start();
    let task = bench.submit("hostile/body_cut.jpg", |_| {}).await;
    assert_eq!(bench.failure(task).await.code, FailureCode::ImageTruncated);
    assert_eq!(bench.ended(task).await.attempt, 1, "another attempt cannot help");
    assert_eq!(bench.leases(task).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_outputs_of_one_name_are_refused() {
    let bench = Bench::new();
    let _worker = bench.start();
    let clash = "grayscale => jpeg:name={name}; jpeg:50,name=photo_0.3mp";
    let task = bench.submit(PHOTO, |task| recipe(task, clash.parse().unwrap())).await;
    let failure = bench.failure(task).await;
    assert_eq!(failure.code, FailureCode::RecipeImpossible);
    assert!(failure.message.contains("photo_0.3mp.jpg"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_is_gone_fails_at_once() {
    let bench = Bench::new();
    let _worker = bench.start();
    let task = bench.submit_alone(new_task(PHOTO, &testdata(PHOTO))).await;
    assert_eq!(bench.failure(task).await.code, FailureCode::InputMissing);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_of_another_length_is_not_milled() {
    let bench = Bench::new();
    let mut task = new_task(PHOTO, &testdata(PHOTO));
    task.max_attempts = 2;
    let Payload::Mill(mill) = &task.payload;
    let key = BlobKey::input(task.id, &mill.input.segment);
    bench
        .blobs
        .put(&key, testdata("bench/restart_markers_0.3mp.jpg"))
        .await
        .unwrap();
    let _worker = bench.start();
    let task = bench.submit_alone(task).await;
    assert_eq!(bench.failure(task).await.code, FailureCode::StorageUnavailable);
    assert_eq!(bench.ended(task).await.attempt, 2, "storage may heal");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_takes_too_long_is_stopped() {
    let bench = Bench::new();
    let worker = bench.start();
    let task = bench
        .submit(PHOTO, |task| {
            recipe(task, endless());
            task.timeout_ms = 200;
            task.max_attempts = 1;
        })
        .await;
    assert_eq!(bench.failure(task).await.code, FailureCode::TimedOut);
    assert_eq!(bench.leases(task).await, []);
    // Ends only when the milling thread has.
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_are_renewed_for_as_long_as_the_work_takes() {
    let bench = Bench::with(BrokerOptions {
        lease: Duration::from_secs(1),
        ..BrokerOptions::default()
    });
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    // Twice as long as a lease.
    bench.broker.called(Call::Heartbeat, 7).await;
    let record = bench.record(task).await;
    assert_eq!((record.state, record.attempt), (TaskState::Running, 1));
    worker.stop_now();
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_budget_is_kept_and_small_tasks_pass() {
    let mut bench = Bench::new();
    bench.options.memory_budget_bytes = 100 << 20;
    let _worker = bench.start();
    let large = |task: &mut pixmill_types::NewTask| task.cost_bytes = 60 << 20;
    let running = bench
        .submit(PHOTO, |task| {
            large(task);
            recipe(task, endless());
        })
        .await;
    bench.happened(running, EventKind::Started).await;
    let passed_over = bench.submit(PHOTO, large).await;
    let small = bench.submit(PHOTO, |task| task.cost_bytes = 40 << 20).await;
    bench.delivered(small).await;
    let record = bench.record(passed_over).await;
    assert_eq!(record.state, TaskState::Queued, "a slot is free, the memory is not");
    // The claim that waits offered too little: the worker must ask again for more.
    bench.broker.cancel(running, Vec::new()).await.unwrap();
    bench.delivered(passed_over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_takes_a_task_of_any_size() {
    let mut bench = Bench::new();
    bench.options.memory_budget_bytes = 1 << 20;
    let _worker = bench.start();
    for _ in 0..2 {
        let task = bench.submit(PHOTO, |task| task.cost_bytes = u64::MAX / 2).await;
        bench.delivered(task).await;
    }
}
