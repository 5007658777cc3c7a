//! Requests that come together share a commit, and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use pixmill_broker::{Broker, BrokerError, BrokerOptions, ClaimRequest, SqliteBroker, Submitted};
use pixmill_types::{LeaseId, TaskState};
use rusqlite::{Connection, TransactionBehavior};

use crate::conformance::tasks::{claim_up_to, completion, keyed, submission, task};

const SUBMITTERS: usize = 200;

#[tokio::test]
async fn submissions_that_come_together_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let broker = SqliteBroker::open(&folder.path().join("pixmill.db"), BrokerOptions::default()).unwrap();
    let before = broker.commits();
    let submissions = (0..SUBMITTERS).map(|_| broker.submit(submission(task())));
    for submitted in join_all(submissions).await {
        assert!(matches!(submitted.unwrap(), Submitted::Created(_)));
    }
    let commits = broker.commits() - before;
    assert!((1..=SUBMITTERS as u64 / 10).contains(&commits), "{commits} commits");
    assert_eq!(broker.stats().await.unwrap().queues[0].ready, SUBMITTERS as u64);
}

#[tokio::test]
async fn a_refused_request_undoes_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let broker = SqliteBroker::open(&folder.path().join("pixmill.db"), BrokerOptions::default()).unwrap();
    broker.submit(keyed(task(), "key", b"one")).await.unwrap();
    let good = (0..50).map(|_| broker.submit(submission(task())));
    let bad = (0..50).map(|_| broker.submit(keyed(task(), "key", b"another")));
    let stale = (0..50).map(|lease| broker.complete(LeaseId::from_bits(lease), completion()));
    let (good, bad, stale) = tokio::join!(join_all(good), join_all(bad), join_all(stale));
    assert!(good.iter().all(|answer| matches!(answer, Ok(Submitted::Created(_)))));
    assert!(bad.iter().all(|answer| matches!(answer, Err(BrokerError::KeyReused))));
    assert!(
        stale
            .iter()
            .all(|answer| matches!(answer, Err(BrokerError::StaleLease)))
    );
    assert_eq!(broker.stats().await.unwrap().queues[0].ready, 51);
}

#[tokio::test]
async fn a_waiting_claim_is_served_by_the_commit_that_brings_its_task() {
    let folder = tempfile::tempdir().unwrap();
    let broker = SqliteBroker::open(&folder.path().join("pixmill.db"), BrokerOptions::default()).unwrap();
    let broker = Arc::new(broker);
    let waiting = tokio::spawn({
        let broker = broker.clone();
        let request = ClaimRequest {
            wait: Duration::from_secs(30),
            ..claim_up_to(1)
        };
        async move { broker.claim(request).await.unwrap() }
    });
    // The claim is at the writer before the submission: channels keep their order, and the runtime has one thread.
    tokio::task::yield_now().await;
    let before = broker.commits();
    let start = Instant::now();
    let task = task();
    let id = task.id;
    broker.submit(submission(task)).await.unwrap();
    let claimed = waiting.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "nobody waited for a poll");
    assert_eq!(claimed.leases[0].task.id, id);
    assert_eq!(broker.commits() - before, 1);
    assert_eq!(broker.get(id).await.unwrap().state, TaskState::Running);
}

#[tokio::test]
async fn a_claim_dropped_on_its_way_to_the_writer_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let broker = Arc::new(SqliteBroker::open(&database, BrokerOptions::default()).unwrap());
    let mut neighbour = Connection::open(&database).unwrap();
    // While a neighbour writes, requests gather before the writer.
    let writing = neighbour
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    let begin = |request: ClaimRequest| {
        let broker = broker.clone();
        tokio::spawn(async move { broker.claim(request).await.unwrap() })
    };
    let submitted = task();
    let id = submitted.id;
    let submitting = tokio::spawn({
        let broker = broker.clone();
        async move { broker.submit(submission(submitted)).await.unwrap() }
    });
    let dropped = begin(claim_up_to(1));
    tokio::task::yield_now().await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    let waiting = begin(ClaimRequest {
        wait: Duration::from_secs(30),
        ..claim_up_to(1)
    });
    tokio::task::yield_now().await;
    writing.commit().unwrap();

    submitting.await.unwrap();
    let leases = waiting.await.unwrap().leases;
    assert_eq!(leases.iter().map(|lease| lease.task.id).collect::<Vec<_>>(), [id]);
}
