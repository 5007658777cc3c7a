//! A broker hears what others do through the log.

use std::sync::Arc;
use std::time::Duration;

use pixmill_broker::{Broker, BrokerOptions, RedisBroker, RedisOptions};
use pixmill_types::TaskId;
use tokio::task::JoinHandle;

use super::server::Server;
use crate::conformance::tasks::{claim_up_to, completion, submission, task};

const LONG: Duration = Duration::from_secs(60);
/// Longer than a broker goes without looking where the log ends.
const MEANWHILE: Duration = Duration::from_secs(30);

async fn open(server: &Server) -> Arc<RedisBroker> {
    let opened = RedisBroker::open(&server.address(), RedisOptions::default(), BrokerOptions::default()).await;
    Arc::new(opened.unwrap())
}

async fn submit(broker: &RedisBroker) -> TaskId {
    let described = task();
    let id = described.id;
    broker.submit(submission(described)).await.unwrap();
    id
}

/// Waits for the end of a task, for longer than any test takes.
fn wait_for(broker: &Arc<RedisBroker>, task: TaskId) -> JoinHandle<()> {
    let broker = Arc::clone(broker);
    tokio::spawn(async move {
        let ended = broker.wait(task, LONG).await.unwrap();
        assert!(ended.state.is_final(), "{ended:?}");
    })
}

async fn complete_next(broker: &RedisBroker) {
    let lease = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);
    broker.complete(lease.id, completion()).await.unwrap();
}

fn connections_so_far(server: &Server) -> u64 {
    let told = server.command(&["INFO", "stats"]);
    let line = told
        .lines()
        .find(|line| line.starts_with("total_connections_received:"));
    line.unwrap().split(':').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn it_hears_of_one_end_after_the_other_over_one_connection() {
    let server = Server::start();
    let (teller, listener) = (open(&server).await, open(&server).await);
    let in_turn = async || {
        let ended = wait_for(&listener, submit(&teller).await);
        complete_next(&teller).await;
        ended.await.unwrap();
    };
    let for_ever = wait_for(&listener, submit(&teller).await);
    teller.claim(claim_up_to(1)).await.unwrap();
    in_turn().await;
    let before = connections_so_far(&server);
    for _ in 0..5 {
        in_turn().await;
    }
    // The one that asks.
    assert_eq!(connections_so_far(&server), before + 1);
    for_ever.abort();
}

#[tokio::test]
async fn it_hears_of_what_begins_anew_in_a_server_that_was_emptied() {
    let server = Server::start();
    let (teller, listener) = (open(&server).await, open(&server).await);
    let lost = wait_for(&listener, submit(&teller).await);
    teller.claim(claim_up_to(1)).await.unwrap();
    let heard = wait_for(&listener, submit(&teller).await);
    complete_next(&teller).await;
    heard.await.unwrap();

    assert!(server.command(&["FLUSHALL"]).starts_with("+OK"));
    let heard = wait_for(&listener, submit(&teller).await);
    complete_next(&teller).await;
    tokio::time::timeout(MEANWHILE, heard).await.expect("it heard").unwrap();
    lost.abort();
}
