//! What only this broker keeps for a while, and forgets.

use pixmill_broker::{BrokerOptions, EndedQuery, RedisOptions};
use pixmill_types::Timestamp;

use super::backend::open;
use super::server::Server;
use crate::conformance::tasks::{submission, task};

fn amount(server: &Server, command: &[&str]) -> u64 {
    server.command(command).trim().trim_start_matches(':').parse().unwrap()
}

#[tokio::test]
async fn deleted_tasks_are_forgotten_with_their_events_in_one_loop() {
    const TASKS: u64 = 200;
    let server = Server::start();
    let options = BrokerOptions {
        max_events: 10,
        ..BrokerOptions::default()
    };
    let broker = open(&server.address(), RedisOptions::default(), options).await.broker;
    for _ in 0..TASKS {
        let described = task();
        let id = described.id;
        broker.submit(submission(described)).await.unwrap();
        broker.delete(id).await.unwrap();
    }
    // A log is trimmed by whole nodes: it may be longer than it should.
    let events = amount(&server, &["XLEN", "{pixmill:0}:events"]);
    assert!(events < TASKS, "{events}");
    while broker.purge(7).await.unwrap() == 7 {}
    let remembered = amount(&server, &["ZCARD", "{pixmill:0}:gone"]);
    assert!(remembered <= events, "{remembered} for {events} events");
}

/// An earlier release, which runs beside this one for a while, does not know the set.
#[tokio::test]
async fn places_that_tasks_have_left_without_saying_so_are_taken_out() {
    let server = Server::start();
    let opened = open(&server.address(), RedisOptions::default(), BrokerOptions::default()).await;
    let broker = opened.broker;
    let (kept, gone) = (task(), task());
    for described in [&kept, &gone] {
        broker.submit(submission(described.clone())).await.unwrap();
        broker.cancel(described.id, Vec::new()).await.unwrap();
    }
    amount(&server, &["DEL", &format!("{{pixmill:0}}:task:{}", gone.id)]);
    let query = EndedQuery {
        queue: kept.queue,
        since: Timestamp::from_millis(0),
        after: None,
        limit: 9,
    };
    let ended = broker.ended(query).await.unwrap();
    assert_eq!(ended.iter().map(|task| task.id).collect::<Vec<_>>(), [kept.id]);
    assert_eq!(amount(&server, &["ZCARD", "{pixmill:0}:ends:images"]), 1);
}
