//! Redis goes away and comes back, forgets its scripts, or stands still.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pixmill_broker::{
    Broker, BrokerError, BrokerOptions, ClaimRequest, Expected, PutOutcome, RedisBroker, RedisOptions, Registry,
    Submitted,
};
use pixmill_types::{Causes, TaskId, TaskState};
use rustix::process::{Pid, Signal, kill_process};

use super::server::{DURABLE, Server};
use crate::conformance::tasks::{claim_up_to, completion, ordinary_worker, submission, task};

/// As the issue promises.
const BACK_WITHIN: Duration = Duration::from_secs(5);

async fn open(server: &Server) -> Arc<RedisBroker> {
    let opened = RedisBroker::open(&server.address(), RedisOptions::default(), BrokerOptions::default()).await;
    Arc::new(opened.unwrap())
}

/// Calls until Redis answers again, and fails when that takes too long.
async fn submit_when_back(broker: &RedisBroker) {
    let began = Instant::now();
    let described = task();
    while let Err(error) = broker.submit(submission(described.clone())).await {
        assert!(began.elapsed() < BACK_WITHIN, "not back: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn while_it_is_away_calls_fail_soon_and_then_all_goes_on() {
    let mut server = Server::start();
    let broker = open(&server).await;
    let acknowledged = task();
    broker.submit(submission(acknowledged.clone())).await.unwrap();
    let lease = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);

    server.kill();
    for _ in 0..3 {
        let began = Instant::now();
        assert_refused!(broker.submit(submission(task())).await, BrokerError::Unavailable(_));
        assert_refused!(broker.check().await, BrokerError::Unavailable(_));
        assert_refused!(
            broker.heartbeat(&ordinary_worker(), &[lease.id]).await,
            BrokerError::Unavailable(_)
        );
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }

    server.restart();
    submit_when_back(&broker).await;
    let completed = broker.complete(lease.id, completion()).await.unwrap();
    assert_eq!(completed.id, acknowledged.id);
}

#[tokio::test]
async fn a_claim_that_waits_is_asked_again_and_hears_of_what_comes_afterwards() {
    let mut server = Server::start();
    let broker = open(&server).await;
    let waiting = tokio::spawn({
        let broker = Arc::clone(&broker);
        async move {
            loop {
                let request = ClaimRequest {
                    wait: Duration::from_secs(60),
                    ..claim_up_to(1)
                };
                match broker.claim(request).await {
                    Ok(claimed) => return claimed,
                    Err(error) => assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}"),
                }
            }
        }
    });
    tokio::task::yield_now().await;
    server.restart();
    submit_when_back(&broker).await;
    let claimed = tokio::time::timeout(BACK_WITHIN, waiting)
        .await
        .expect("it heard")
        .unwrap();
    assert_eq!(claimed.leases.len(), 1);
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_is_told_them_again() {
    let server = Server::start();
    let broker = open(&server).await;
    for _ in 0..3 {
        assert!(server.command(&["SCRIPT", "FLUSH"]).starts_with("+OK"));
        broker.submit(submission(task())).await.unwrap();
        assert!(server.command(&["SCRIPT", "FLUSH"]).starts_with("+OK"));
        let lease = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);
        assert!(server.command(&["SCRIPT", "FLUSH"]).starts_with("+OK"));
        broker.complete(lease.id, completion()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_was_emptied_is_told_from_what_it_was() {
    let server = Server::start();
    let (broker, neighbour) = (open(&server).await, open(&server).await);
    broker.check().await.unwrap();
    neighbour.check().await.unwrap();
    assert!(server.command(&["FLUSHALL"]).starts_with("+OK"));
    let refused = broker.check().await.unwrap_err();
    assert!(Causes(&refused).to_string().contains("it was emptied"), "{refused:?}");
    // Who begins there makes it another one.
    open(&server).await.check().await.unwrap();
    assert_refused!(neighbour.check().await, BrokerError::Unavailable(_));
}

#[tokio::test]
async fn a_server_that_stands_still_is_not_waited_for() {
    let server = Server::start();
    let broker = open(&server).await;
    let process = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    kill_process(process, Signal::STOP).unwrap();
    let described = task();
    let began = Instant::now();
    assert_refused!(
        broker.submit(submission(described.clone())).await,
        BrokerError::Unavailable(_)
    );
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    kill_process(process, Signal::CONT).unwrap();

    // Whether it was stored is unknown, so the caller asks again: stored once either way.
    submit_when_back(&broker).await;
    let again = broker.submit(submission(described)).await.unwrap();
    assert!(
        matches!(again, Submitted::Created(_) | Submitted::Existing(_)),
        "{again:?}"
    );
    assert_eq!(broker.stats().await.unwrap().queues[0].ready, 2);
}

#[tokio::test]
async fn a_full_server_says_so_and_keeps_what_it_has() {
    let server = Server::start();
    let broker = open(&server).await;
    for _ in 0..2 {
        broker.submit(submission(task())).await.unwrap();
    }
    assert!(server.command(&["CONFIG", "SET", "maxmemory", "1"]).starts_with("+OK"));
    assert_refused!(broker.submit(submission(task())).await, BrokerError::StorageFull(_));
    assert_refused!(broker.check().await, BrokerError::StorageFull(_));
    // What is there can be worked off, also by a process that starts now, or it would stay full for ever.
    let broker = open(&server).await;
    let announced = broker.put_if(
        "workers",
        "a",
        b"busy".to_vec(),
        Expected::Any,
        Some(Duration::from_secs(60)),
    );
    assert!(matches!(announced.await.unwrap(), PutOutcome::Stored(_)));
    let leases = broker.claim(claim_up_to(2)).await.unwrap().leases;
    broker.release(leases[0].id).await.unwrap();
    broker.complete(leases[1].id, completion()).await.unwrap();
    let again = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);
    broker.complete(again.id, completion()).await.unwrap();
    assert!(server.command(&["CONFIG", "SET", "maxmemory", "0"]).starts_with("+OK"));
    broker.check().await.unwrap();
    let stats = broker.stats().await.unwrap();
    assert_eq!((stats.queues[0].ready, stats.queues[0].completed), (0, 2));
}

#[tokio::test]
async fn a_server_that_asks_for_a_password_meanwhile_is_away() {
    let server = Server::start();
    let broker = open(&server).await;
    broker.submit(submission(task())).await.unwrap();
    server.commands(&[
        &["CONFIG", "SET", "requirepass", "secret"],
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    ]);
    for _ in 0..3 {
        assert_refused!(broker.submit(submission(task())).await, BrokerError::Unavailable(_));
        assert_refused!(broker.stats().await, BrokerError::Unavailable(_));
    }
    server.commands(&[&["AUTH", "secret"], &["CONFIG", "SET", "requirepass", ""]]);
    submit_when_back(&broker).await;
    assert_eq!(broker.stats().await.unwrap().queues[0].ready, 2);
}

#[tokio::test]
async fn while_a_server_has_another_password_every_refusal_says_so() {
    let server = Server::start_with_password(&[DURABLE, &["--requirepass", "secret"]].concat(), "secret");
    let address = format!("{}?pass=secret", server.address());
    let broker = RedisBroker::open(&address, RedisOptions::default(), BrokerOptions::default());
    let broker = broker.await.unwrap();
    server.commands(&[
        &["AUTH", "secret"],
        &["CONFIG", "SET", "requirepass", "changed"],
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    ]);
    // Those included that come too soon to try again.
    for _ in 0..5 {
        let error = broker.stats().await.unwrap_err();
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
        let told = Causes(&error).to_string();
        assert!(
            told.contains("Password authentication failed") && !told.contains("secret"),
            "{told}"
        );
    }
}

/// What one loop was told, by the time it ended.
#[derive(Default)]
struct Acknowledged {
    submitted: Vec<TaskId>,
    completed: Vec<TaskId>,
}

/// Submits, claims and completes until told to stop; asks again whatever was not answered.
async fn work(broker: Arc<RedisBroker>, stop: Arc<AtomicBool>) -> Acknowledged {
    let mut told = Acknowledged::default();
    while !stop.load(Ordering::Relaxed) {
        let described = task();
        if broker.submit(submission(described.clone())).await.is_ok() {
            told.submitted.push(described.id);
        }
        let request = claim_up_to(1);
        let claimed = loop {
            match broker.claim(request.clone()).await {
                Ok(claimed) => break claimed,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        for lease in claimed.leases {
            loop {
                match broker.complete(lease.id, completion()).await {
                    Ok(task) => break told.completed.push(task.id),
                    Err(BrokerError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                    Err(error) => panic!("{error}: a lease that nobody reaped"),
                }
            }
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_keeps_all_it_acknowledged_and_completes_each_once() {
    let mut server = Server::start();
    let broker = open(&server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let loops: tokio::task::JoinSet<Acknowledged> =
        (0..8).map(|_| work(Arc::clone(&broker), Arc::clone(&stop))).collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.restart();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let told = loops.join_all().await;

    let submitted: Vec<TaskId> = told.iter().flat_map(|one| one.submitted.clone()).collect();
    let completed: Vec<TaskId> = told.iter().flat_map(|one| one.completed.clone()).collect();
    assert!(submitted.len() > 50, "only {} tasks", submitted.len());
    let known = broker.known(&submitted).await.unwrap();
    assert!(
        known.into_iter().all(|is_known| is_known),
        "something acknowledged was lost"
    );
    let unique: HashSet<TaskId> = completed.iter().copied().collect();
    assert_eq!(unique.len(), completed.len(), "each once");
    for id in completed {
        let record = Broker::get(&*broker, id).await.unwrap();
        assert_eq!((record.state, record.attempt), (TaskState::Completed, 1));
    }
}
