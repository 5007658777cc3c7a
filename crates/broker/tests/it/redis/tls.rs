//! Redis behind TLS, with a user of its own and a database other than the first: certificates are made for each test.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pixmill_broker::{Broker, BrokerOptions, ClaimRequest, RedisBroker, RedisOpenError, RedisOptions};

use super::authority::Authority;
use super::cluster::Cluster;
use super::ports::Ports;
use super::sentinel::Watched;
use super::server::{DURABLE, Server};
use crate::conformance::tasks::{claim_up_to, completion, submission, task};

/// A server that lets in nobody but over TLS, or through its socket.
struct Guarded {
    authority: Authority,
    ports: Ports,
    server: Server,
}

impl Guarded {
    fn start() -> Self {
        let (authority, ports) = (Authority::new(), Ports::claim());
        let port = ports.get(0).to_string();
        let tls = authority.settings();
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        // What a user of Redis needs who may touch nothing but the keys of pixmill.
        let user = [
            "--user",
            "mill",
            "on",
            ">pass-word",
            "~{pixmill:*",
            "+@all",
            "-@dangerous",
            "+info",
            "+config|get",
        ];
        let place = ["--tls-port", &port, "--bind", "127.0.0.1"];
        let settings = [DURABLE, &place, &tls, &user, &["--requirepass", "secret"]].concat();
        let server = Server::start_with_password(&settings, "secret");
        Self {
            authority,
            ports,
            server,
        }
    }

    async fn open(&self, user: &str, ca_file: Option<PathBuf>) -> Result<RedisBroker, RedisOpenError> {
        let address = format!("rediss://{user}@127.0.0.1:{}/5", self.ports.get(0));
        let redis = RedisOptions {
            ca_file,
            ..RedisOptions::default()
        };
        RedisBroker::open(&address, redis, BrokerOptions::default()).await
    }
}

#[tokio::test]
async fn a_life_behind_tls() {
    let guarded = Guarded::start();
    let broker = guarded
        .open("mill:pass-word", Some(guarded.authority.file("ca.pem")))
        .await
        .unwrap();
    assert_eq!(broker.warnings(), [""; 0]);
    let waiting = ClaimRequest {
        wait: Duration::from_secs(20),
        ..claim_up_to(1)
    };
    let described = task();
    // The claim hears of the task over a connection of its own, which is behind TLS as well.
    let (claimed, submitted) = tokio::join!(broker.claim(waiting), broker.submit(submission(described.clone())));
    submitted.unwrap();
    let lease = claimed.unwrap().leases.remove(0);
    let completed = broker.complete(lease.id, completion()).await.unwrap();
    assert_eq!(completed.id, described.id);

    let databases = guarded.server.commands(&[&["AUTH", "secret"], &["INFO", "keyspace"]]);
    assert!(databases.contains("db5:") && !databases.contains("db0:"), "{databases}");
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_trusted_has_signed_is_refused() {
    let guarded = Guarded::start();
    let other = Authority::new();
    for ca_file in [
        Some(other.file("ca.pem")),
        // Nor has any authority of the system.
        None,
    ] {
        let refused = guarded.open("mill:pass-word", ca_file.clone()).await.unwrap_err();
        assert!(
            matches!(refused, RedisOpenError::Unreachable { .. }),
            "{ca_file:?}: {refused:?}"
        );
    }
    for user in ["mill:wrong", "nobody:pass-word"] {
        let refused = guarded.open(user, Some(guarded.authority.file("ca.pem"))).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, RedisOpenError::Refused { .. }), "{user}: {refused:?}");
    }
    let missing = guarded
        .open("mill:pass-word", Some(other.file("none")))
        .await
        .unwrap_err();
    assert!(matches!(missing, RedisOpenError::Certificates { .. }), "{missing:?}");
    let empty = guarded
        .open("mill:pass-word", Some(other.file("ca.key")))
        .await
        .unwrap_err();
    assert!(matches!(empty, RedisOpenError::Address { .. }), "{empty:?}");
}

#[tokio::test]
async fn a_scheme_that_does_not_fit_the_port_is_told_the_other() {
    let guarded = Guarded::start();
    let plain = Ports::claim();
    let port = plain.get(0).to_string();
    let _server = Server::start_with(&["--port", &port, "--bind", "127.0.0.1"]);
    for (address, wanted) in [
        (
            format!("redis://127.0.0.1:{}", guarded.ports.get(0)),
            "rediss instead of redis)",
        ),
        (format!("rediss://127.0.0.1:{port}"), "redis instead of rediss)"),
    ] {
        let refused = RedisBroker::open(&address, RedisOptions::default(), BrokerOptions::default()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.ends_with(wanted), "{address}: {refused}");
    }
}

#[tokio::test]
async fn a_cluster_behind_tls() {
    let authority = Authority::new();
    let cluster = Cluster::start_behind(&authority);
    let redis = RedisOptions {
        partitions: 8,
        ..trusting(&authority)
    };
    let broker = RedisBroker::open(&cluster.address(), redis, BrokerOptions::default())
        .await
        .unwrap();
    a_task_passes(&broker).await;
    nobody_else_is_trusted(&cluster.address()).await;
}

#[tokio::test]
async fn sentinels_and_their_servers_behind_tls() {
    let authority = Authority::new();
    let mut watched = Watched::start_behind(&authority);
    let broker = RedisBroker::open(&watched.address(), trusting(&authority), BrokerOptions::default())
        .await
        .unwrap();
    a_task_passes(&broker).await;
    watched.kill(0);
    watched.wait_for_master(1);
    a_task_passes(&broker).await;
    nobody_else_is_trusted(&watched.address()).await;
}

fn trusting(authority: &Authority) -> RedisOptions {
    RedisOptions {
        ca_file: Some(authority.file("ca.pem")),
        ..RedisOptions::default()
    }
}

/// Checks that the server there is refused by who trusts another authority than its own.
async fn nobody_else_is_trusted(address: &str) {
    let refused = RedisBroker::open(address, trusting(&Authority::new()), BrokerOptions::default()).await;
    assert!(
        matches!(refused, Err(RedisOpenError::Unreachable { .. })),
        "{refused:?}"
    );
}

/// Submits as soon as the broker is there again, claims and completes.
async fn a_task_passes(broker: &RedisBroker) {
    let described = task();
    let began = Instant::now();
    while let Err(error) = broker.submit(submission(described.clone())).await {
        assert!(began.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let waiting = ClaimRequest {
        wait: Duration::from_secs(20),
        ..claim_up_to(1)
    };
    let lease = broker.claim(waiting).await.unwrap().leases.remove(0);
    assert_eq!(broker.complete(lease.id, completion()).await.unwrap().id, described.id);
}
