//! What a Redis must be, and what is said about one that could lose tasks.

use pixmill_broker::{Broker, BrokerOptions, RedisBroker, RedisOpenError, RedisOptions};

use super::server::{DURABLE, Server};
use crate::conformance::tasks::{submission, task};

async fn open(server: &Server, redis: RedisOptions) -> Result<RedisBroker, RedisOpenError> {
    RedisBroker::open(&server.address(), redis, BrokerOptions::default()).await
}

#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let server = Server::start_with(&["--maxmemory-policy", policy]);
        let refused = open(&server, RedisOptions::default()).await.unwrap_err();
        assert!(matches!(&refused, RedisOpenError::Evicts { policy: found, .. } if found == policy));
        assert!(
            refused.to_string().contains("set `maxmemory-policy noeviction`"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn what_could_be_lost_is_said() {
    for (settings, said) in [
        (&["--appendonly", "no"][..], Some("Redis keeps no append-only file")),
        (
            &["--appendonly", "yes", "--appendfsync", "everysec"][..],
            Some("up to a second"),
        ),
        (DURABLE, None),
    ] {
        let server = Server::start_with(settings);
        let broker = open(&server, RedisOptions::default()).await.unwrap();
        match said {
            None => assert_eq!(broker.warnings(), [""; 0]),
            Some(said) => assert!(broker.warnings()[0].contains(said), "{:?}", broker.warnings()),
        }
    }
}

#[tokio::test]
async fn the_number_of_partitions_cannot_change() {
    let server = Server::start();
    let with = |partitions| RedisOptions {
        partitions,
        ..RedisOptions::default()
    };
    open(&server, with(2)).await.unwrap();
    open(&server, with(2)).await.unwrap();
    let refused = open(&server, with(3)).await.unwrap_err();
    assert!(matches!(
        refused,
        RedisOpenError::Partitions {
            found: 2,
            wanted: 3,
            ..
        }
    ));
}

#[tokio::test]
async fn passwords_and_databases_are_taken_from_the_address() {
    let settings = [DURABLE, &["--requirepass", "secret"]].concat();
    let server = Server::start_with_password(&settings, "secret");
    let address = format!("{}?pass=secret&db=3", server.address());
    RedisBroker::open(&address, RedisOptions::default(), BrokerOptions::default())
        .await
        .unwrap();
    for (guess, said) in [
        ("?pass=wrong", "it does not know the user and password of the address"),
        ("", "it asks for a password and the address has none"),
    ] {
        let address = format!("{}{guess}", server.address());
        let refused = RedisBroker::open(&address, RedisOptions::default(), BrokerOptions::default()).await;
        let refused = refused.unwrap_err();
        assert!(matches!(&refused, RedisOpenError::Refused { reason, .. } if reason.starts_with(said)));
        assert!(!refused.to_string().contains("wrong"), "{refused}");
    }
}

#[tokio::test]
async fn nobody_there_is_an_error_at_once() {
    let began = std::time::Instant::now();
    let nowhere = RedisBroker::open("redis://127.0.0.1:1", RedisOptions::default(), BrokerOptions::default()).await;
    assert!(matches!(nowhere.unwrap_err(), RedisOpenError::Unreachable { .. }));
    assert!(began.elapsed().as_secs() < 5);
}

#[tokio::test]
async fn memory_grows_with_what_is_stored() {
    let server = Server::start();
    let broker = open(&server, RedisOptions::default()).await.unwrap();
    let before = broker.server_usage().await.unwrap().memory_bytes;
    for _ in 0..100 {
        broker.submit(submission(task())).await.unwrap();
    }
    let grown = broker.server_usage().await.unwrap().memory_bytes - before;
    assert!(
        (100 * 500..100 * 10_000).contains(&grown),
        "{grown} bytes for 100 tasks"
    );
}
