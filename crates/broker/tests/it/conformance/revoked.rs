//! Workers are told which leases were taken from them.

use std::time::Duration;

use pixmill_types::LeaseId;

use super::bench::LEASE;
use super::tasks::{claim_up_to, completion, lasting_failure, ordinary_worker, task, worker};
use super::{Backend, Bench};

async fn revoked(bench: &Bench) -> Vec<LeaseId> {
    bench.broker.revoked(&ordinary_worker(), Duration::ZERO).await.unwrap()
}

pub(crate) async fn a_cancelled_lease_is_told_to_its_worker_only(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    assert_eq!(revoked(&bench).await, []);
    bench.broker.cancel(lease.task.id, Vec::new()).await.unwrap();
    let other = bench
        .broker
        .revoked(&worker("host-2-bb"), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(other, []);
    assert_eq!(revoked(&bench).await, [lease.id]);
    assert_eq!(revoked(&bench).await, [], "once");
}

pub(crate) async fn a_deleted_lease_is_told(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    bench.broker.delete(lease.task.id).await.unwrap();
    assert_eq!(revoked(&bench).await, [lease.id]);
}

pub(crate) async fn a_reaped_lease_is_told(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit_all([task(), task()]).await;
    let mut taken: Vec<_> = bench
        .claim(claim_up_to(2))
        .await
        .leases
        .iter()
        .map(|lease| lease.id)
        .collect();
    bench.live(LEASE).await;
    let mut told = revoked(&bench).await;
    taken.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, taken);
}

pub(crate) async fn what_the_worker_gave_up_itself_is_not_told(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let [completed, failed, released] = [
        bench.start(task()).await.id,
        bench.start(task()).await.id,
        bench.start(task()).await.id,
    ];
    bench.broker.complete(completed, completion()).await.unwrap();
    bench.broker.fail(failed, lasting_failure(), Vec::new()).await.unwrap();
    bench.broker.release(released).await.unwrap();
    assert_eq!(revoked(&bench).await, []);
}

pub(crate) async fn a_waiting_worker_is_woken(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let waiting = bench
        .begin(|broker| async move {
            let long = Duration::from_secs(600);
            broker.revoked(&ordinary_worker(), long).await.unwrap()
        })
        .settled()
        .await;
    bench.broker.cancel(lease.task.id, Vec::new()).await.unwrap();
    assert_eq!(waiting.woken().await, [lease.id]);
}

pub(crate) async fn it_gives_up_when_the_wait_is_over(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.start(task()).await;
    let short = Duration::from_millis(20);
    assert_eq!(bench.broker.revoked(&ordinary_worker(), short).await.unwrap(), []);
}
