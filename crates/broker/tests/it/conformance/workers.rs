//! What workers say of themselves, kept as small values that run out.

use std::time::Duration;

use pixmill_broker::{WorkerReport, announce_worker, living_workers, withdraw_worker};
use pixmill_types::QueueName;

use super::{Backend, Bench};

const MINUTE: Duration = Duration::from_secs(60);

async fn announce(bench: &Bench, id: &str, busy: u64) {
    let report = WorkerReport {
        host: "a-host".to_owned(),
        pid: 42,
        version: "0.1.0".to_owned(),
        queue: QueueName::images(),
        slots: 4,
        busy,
        draining: false,
        uptime_ms: 1_000,
    };
    announce_worker(&*bench.registry, &id.parse().unwrap(), report, MINUTE)
        .await
        .unwrap();
}

async fn listed(bench: &Bench) -> Vec<(String, u64)> {
    let page = living_workers(&*bench.registry, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    let workers = page.workers.into_iter();
    workers
        .map(|worker| (worker.id.to_string(), worker.report.busy))
        .collect()
}

pub(crate) async fn they_are_listed_until_they_end_or_fall_silent(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    assert_eq!(listed(&bench).await, []);
    for id in ["silent", "lively", "ending"] {
        announce(&bench, id, 0).await;
    }
    bench.clock.advance(MINUTE / 2);
    announce(&bench, "lively", 3).await;
    withdraw_worker(&*bench.registry, &"ending".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(
        listed(&bench).await,
        [("lively".to_owned(), 3), ("silent".to_owned(), 0)]
    );
    bench.clock.advance(MINUTE / 2);
    assert_eq!(listed(&bench).await, [("lively".to_owned(), 3)]);
}

pub(crate) async fn the_brokers_clock_dates_what_they_say(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let before = bench.now();
    announce(&bench, "worker", 1).await;
    let after = bench.now();
    let page = living_workers(&*bench.registry, None, 1).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("worker"), "a full page may not be the last");
    let worker = &page.workers[0];
    assert!((before..=after).contains(&worker.last_heartbeat), "{worker:?}");
    assert_eq!(worker.last_heartbeat.since(worker.started_at()), Duration::from_secs(1));
    let rest = living_workers(&*bench.registry, page.next.as_deref(), 1).await.unwrap();
    assert_eq!((rest.workers.len(), rest.next), (0, None));
}
