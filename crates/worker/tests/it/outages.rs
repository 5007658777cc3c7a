//! A broker that is away, or whose replies are lost, and a store that comes and goes: nothing is lost, nothing is done twice.

use std::fs;
use std::time::Duration;

use pixmill_blob::{BlobKey, BlobStore};
use pixmill_broker::BrokerOptions;
use pixmill_types::{DisplayName, InstallationId};

use crate::support::{Bench, Call, Fault, PHOTO};

async fn all_are_delivered_at_the_first_attempt(bench: &Bench, tasks: &[pixmill_types::TaskId]) {
    for task in tasks {
        bench.delivered(*task).await;
        assert_eq!(bench.ended(*task).await.attempt, 1);
    }
}

async fn submit(bench: &Bench, count: usize) -> Vec<pixmill_types::TaskId> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        tasks.push(bench.submit(PHOTO, |_| {}).await);
    }
    tasks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_during_an_outage_works_after_it() {
    let bench = Bench::new();
    bench.broker.set_away(true);
    let _worker = bench.start();
    bench.broker.called(Call::Claim, 3).await;
    let tasks = submit(&bench, 3).await;
    bench.broker.set_away(false);
    all_are_delivered_at_the_first_attempt(&bench, &tasks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_finished_during_an_outage_is_delivered_after_it() {
    let bench = Bench::new();
    bench.broker.then(Call::Complete, [Fault::Held]);
    let _worker = bench.start();
    let tasks = submit(&bench, 1).await;
    bench.broker.called(Call::Complete, 1).await;
    bench.broker.set_away(true);
    bench.broker.called(Call::Complete, 3).await;
    bench.broker.set_away(false);
    bench.broker.let_go();
    all_are_delivered_at_the_first_attempt(&bench, &tasks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_whose_replies_were_lost_are_asked_for_again() {
    let bench = Bench::new();
    let tasks = submit(&bench, 6).await;
    bench
        .broker
        .then(Call::Claim, [Fault::ReplyLost, Fault::Refused, Fault::ReplyLost]);
    let _worker = bench.start();
    all_are_delivered_at_the_first_attempt(&bench, &tasks).await;
    let claims = bench.broker.claims();
    assert!(claims[..4].iter().all(|claim| claim.request == claims[0].request));
    assert_ne!(claims[4].request, claims[0].request, "a fresh name for every claim");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_whose_reply_was_lost_keeps_its_outputs() {
    let mut bench = Bench::with(BrokerOptions {
        lease: Duration::from_millis(60),
        ..BrokerOptions::default()
    });
    // The lease is that short for the heartbeat's sake only.
    bench.options.reap_interval = Duration::from_secs(60 * 60);
    bench.broker.then(Call::Complete, [Fault::ReplyLost, Fault::Held]);
    let worker = bench.start();
    let tasks = submit(&bench, 1).await;
    // The completion took effect, so the lease is void: no reason to remove what it delivered.
    bench.broker.found_stale(1).await;
    bench.broker.let_go();
    worker.drain().await;
    assert_eq!(bench.broker.calls(Call::Complete), 2);
    all_are_delivered_at_the_first_attempt(&bench, &tasks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_whose_reply_was_lost_counts_once() {
    let bench = Bench::new();
    bench.broker.then(Call::Fail, [Fault::ReplyLost, Fault::Refused]);
    let worker = bench.start();
    let task = bench.submit("hostile/body_cut.jpg", |_| {}).await;
    bench.failure(task).await;
    worker.drain().await;
    assert_eq!(bench.broker.calls(Call::Fail), 3);
    assert_eq!(bench.ended(task).await.attempt, 1);
}

/// A file that cannot be read while the store answers again may be the next that the outage is to blame for.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_soon_after_the_store_was_away_uses_up_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench {
        blobs: BlobStore::local(folder.path()).await.unwrap(),
        ..Bench::new()
    };
    // A sweep would join broker and storage, and so bring the note back.
    bench.options.upkeep = false;
    bench.blobs.note_installation(InstallationId::generate()).await.unwrap();
    let task = bench.submit(PHOTO, |task| task.max_attempts = 1).await;
    let input = folder
        .path()
        .join(BlobKey::input(task, &DisplayName::from_client(PHOTO).segment()).as_str());
    let (note, aside) = (folder.path().join("installation"), folder.path().join("aside"));
    let photo = folder.path().join("photo");
    fs::rename(&input, &photo).unwrap();
    fs::create_dir(&input).unwrap();
    fs::rename(&note, &aside).unwrap();

    let _worker = bench.start();
    bench.broker.called(Call::Release, 1).await;
    fs::rename(&aside, &note).unwrap();
    bench.broker.called(Call::Release, 2).await;
    fs::remove_dir(&input).unwrap();
    fs::rename(&photo, &input).unwrap();
    all_are_delivered_at_the_first_attempt(&bench, &[task]).await;
}
