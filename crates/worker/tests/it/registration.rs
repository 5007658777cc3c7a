//! What a worker tells the others of itself.

use pixmill_broker::{LivingWorker, living_workers};
use pixmill_types::EventKind;

use crate::support::{Bench, Call, PATIENCE, PHOTO, endless, recipe};

async fn listed(bench: &Bench) -> Vec<LivingWorker> {
    living_workers(&*bench.registry, None, 100).await.unwrap().workers
}

/// Waits until what is listed is as it should be.
async fn until(bench: &Bench, matches: impl Fn(&[LivingWorker]) -> bool) {
    let told = async {
        while !matches(&listed(bench).await) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_says_what_it_is_and_that_it_ends() {
    let bench = Bench::new();
    let worker = bench.start();
    until(&bench, |workers| !workers.is_empty()).await;
    let found = listed(&bench).await.remove(0);
    assert_eq!(found.id, bench.options.id);
    let report = found.report;
    assert_eq!((report.host.as_str(), report.pid), ("test-host", std::process::id()));
    assert_eq!((report.slots, report.busy, report.draining), (2, 0, false));
    worker.drain().await;
    assert_eq!(listed(&bench).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_drains_says_so_at_once() {
    let bench = Bench::new();
    let worker = bench.start();
    let task = bench.submit(PHOTO, |task| recipe(task, endless())).await;
    bench.happened(task, EventKind::Started).await;
    // It asks for more once what it was given has its slot; to be told of the start is too early for that.
    bench.broker.called(Call::Claim, 2).await;
    tokio::join!(worker.drain(), async {
        until(&bench, |workers| {
            workers
                .iter()
                .any(|worker| worker.report.draining && worker.report.busy == 1)
        })
        .await;
        worker.stop_now();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_a_process_without_slots() {
    let mut bench = Bench::new();
    bench.options.slots = 0;
    let worker = bench.start();
    // It has done what it does at the start.
    bench.broker.called(Call::Reap, 2).await;
    assert_eq!(listed(&bench).await, []);
    worker.drain().await;
}
