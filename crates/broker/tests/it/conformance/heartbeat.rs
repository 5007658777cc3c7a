//! Workers keep their leases.

use std::time::Duration;

use pixmill_broker::{Reaped, Renewal};
use pixmill_types::{LeaseId, NewTask};

use super::bench::{HEARTBEAT, LEASE};
use super::tasks::{claim_up_to, completion, lasting_failure, ordinary_worker, passing_failure, task, worker};
use super::{Backend, Bench};

async fn renew(bench: &Bench, lease: LeaseId) -> Renewal {
    let answers = bench.broker.heartbeat(&ordinary_worker(), &[lease]).await.unwrap();
    assert_eq!(answers.len(), 1);
    answers[0]
}

pub(crate) async fn it_renews_the_lease(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    for _ in 0..6 {
        assert_eq!(bench.live(2 * HEARTBEAT).await, Reaped::default());
        let until = bench.now().after(LEASE);
        assert_eq!(renew(&bench, lease.id).await, Renewal::Renewed(until));
    }
    bench.broker.complete(lease.id, completion()).await.unwrap();
}

pub(crate) async fn it_never_goes_past_the_deadline_of_the_attempt(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let timeout = LEASE + HEARTBEAT;
    let lease = bench
        .start(NewTask {
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap(),
            ..task()
        })
        .await;
    let deadline = bench.now().after(timeout);
    bench.live(2 * HEARTBEAT).await;
    assert_eq!(renew(&bench, lease.id).await, Renewal::Renewed(deadline));
    bench.live(2 * HEARTBEAT - Duration::from_millis(1)).await;
    assert_eq!(renew(&bench, lease.id).await, Renewal::Renewed(deadline));
    bench.live(Duration::from_millis(1)).await;
    assert_eq!(renew(&bench, lease.id).await, Renewal::Stale);
    let waiting = bench.broker.cancel(lease.task.id, Vec::new()).await.unwrap();
    assert_eq!(waiting.attempt, 1);

    let brief = bench
        .start(NewTask {
            timeout_ms: 1_000,
            ..task()
        })
        .await;
    assert_eq!(
        brief.expires_at,
        bench.now().after(Duration::from_secs(1)),
        "nor does a claim"
    );
}

pub(crate) async fn it_saves_an_expired_lease_that_nobody_reaped(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    bench.clock.advance(2 * LEASE);
    let until = bench.now().after(LEASE);
    assert_eq!(renew(&bench, lease.id).await, Renewal::Renewed(until));
    assert_eq!(bench.live(LEASE - Duration::from_millis(1)).await, Reaped::default());
}

pub(crate) async fn it_answers_in_the_order_asked(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    bench.submit_all([task(), task(), task()]).await;
    let leases: Vec<_> = bench
        .claim(claim_up_to(3))
        .await
        .leases
        .iter()
        .map(|lease| lease.id)
        .collect();
    bench.broker.release(leases[1]).await.unwrap();
    let unknown = LeaseId::from_bits(leases[0].bits() ^ 1);

    let bench = bench.reopen().await;
    bench.clock.advance(HEARTBEAT);
    let asked = [leases[2], unknown, leases[0], leases[1], leases[2]];
    let renewed = Renewal::Renewed(bench.now().after(LEASE));
    assert_eq!(
        bench.broker.heartbeat(&ordinary_worker(), &asked).await.unwrap(),
        [renewed, Renewal::Stale, renewed, Renewal::Stale, renewed]
    );
    assert_eq!(bench.broker.heartbeat(&ordinary_worker(), &[]).await.unwrap(), []);
}

pub(crate) async fn it_renews_for_the_holder_only(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let lease = bench.start(task()).await;
    let answers = bench.broker.heartbeat(&worker("host-2-bb"), &[lease.id]).await.unwrap();
    assert_eq!(answers, [Renewal::Stale]);
    assert_ne!(renew(&bench, lease.id).await, Renewal::Stale);
}

pub(crate) async fn it_reports_every_lost_lease_as_stale(backend: Box<dyn Backend>) {
    let bench = Bench::open(backend).await;
    let mut lost = Vec::new();
    for _ in 0..7 {
        lost.push(bench.start(task()).await);
    }
    let broker = &bench.broker;
    broker.complete(lost[0].id, completion()).await.unwrap();
    broker.fail(lost[1].id, lasting_failure(), Vec::new()).await.unwrap();
    broker.fail(lost[2].id, passing_failure(), Vec::new()).await.unwrap();
    broker.release(lost[3].id).await.unwrap();
    broker.cancel(lost[4].task.id, Vec::new()).await.unwrap();
    broker.delete(lost[5].task.id).await.unwrap();
    assert_eq!(bench.live(LEASE).await.requeued.len(), 1);

    let ids: Vec<_> = lost.iter().map(|lease| lease.id).collect();
    let answers = bench.broker.heartbeat(&ordinary_worker(), &ids).await.unwrap();
    assert_eq!(answers, [Renewal::Stale; 7]);
}
