//! A master, a replica and three sentinels: the master dies, the replica takes over.

use std::os::unix::net::UnixStream;
use std::process::Child;
use std::time::{Duration, Instant};

use pixmill_broker::{Broker, BrokerError, BrokerOptions, RedisBroker, RedisOptions};
use tempfile::TempDir;

use super::authority::Authority;
use super::ports::Ports;
use super::server::{DURABLE, converse, start_process, wait_until};
use crate::conformance::tasks::{claim_up_to, completion, submission, task};

/// Of a process, in its folder.
const SOCKET: &str = "redis.sock";

/// Five processes; killed when dropped.
pub(super) struct Watched {
    folder: TempDir,
    /// What each is told so that it talks to nobody but over TLS; nothing where all talk openly.
    tls: Vec<String>,
    _claim: Ports,
    pub(super) servers: Vec<u16>,
    sentinels: Vec<u16>,
    processes: Vec<Child>,
}

impl Watched {
    pub(super) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// Starts servers and sentinels that talk to nobody but over TLS, and to the test through a socket.
    pub(super) fn start_behind(authority: &Authority) -> Self {
        let mut tls = authority.settings();
        tls.extend(["--tls-replication", "yes"].map(str::to_owned));
        Self::start_with(tls)
    }

    fn start_with(tls: Vec<String>) -> Self {
        let claim = Ports::claim();
        let mut watched = Self {
            folder: tempfile::tempdir().unwrap(),
            servers: (0..2).map(|index| claim.get(index)).collect(),
            sentinels: (2..5).map(|index| claim.get(index)).collect(),
            _claim: claim,
            tls,
            processes: Vec::new(),
        };
        let master = watched.servers[0].to_string();
        watched.start_server(0, &[]);
        watched.start_server(1, &["--replicaof", "127.0.0.1", &master]);
        wait_until("the replica follows", || {
            watched
                .ask(watched.servers[1], &["INFO", "replication"])
                .contains("master_link_status:up")
        });
        for port in watched.sentinels.clone() {
            let own = watched.folder.path().join(port.to_string());
            std::fs::create_dir(&own).unwrap();
            let file = own.join("sentinel.conf");
            let settings = format!(
                "bind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
            );
            std::fs::write(&file, settings).unwrap();
            let mut words = vec![file.display().to_string(), "--sentinel".to_owned()];
            words.extend(watched.place(port));
            watched.processes.push(start_process(&own, &words));
        }
        for port in watched.sentinels.clone() {
            wait_until("the sentinels know each other and the replica", || {
                let answer = watched.ask(port, &["SENTINEL", "MASTER", "main"]);
                field(&answer, "num-other-sentinels") == Some("2") && field(&answer, "num-slaves") == Some("1")
            });
        }
        watched
    }

    fn start_server(&mut self, index: usize, more: &[&str]) {
        let port = self.servers[index].to_string();
        let own = self.folder.path().join(&port);
        std::fs::create_dir(&own).unwrap();
        let settings = ["--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"];
        let settings = settings.iter().chain(DURABLE).chain(more).map(|&word| word.to_owned());
        let port = self.servers[index];
        let settings: Vec<String> = settings.chain(self.place(port)).collect();
        self.processes.push(start_process(&own, &settings));
        wait_until("a server answers", || self.ask(port, &["PING"]).starts_with("+PONG"));
    }

    /// Where a process listens.
    fn place(&self, port: u16) -> Vec<String> {
        let port = port.to_string();
        let place: &[&str] = if self.tls.is_empty() {
            &["--port", &port]
        } else {
            &["--port", "0", "--tls-port", &port]
        };
        let place = place.iter().chain(&["--unixsocket", SOCKET]);
        place
            .map(|&word| word.to_owned())
            .chain(self.tls.iter().cloned())
            .collect()
    }

    pub(super) fn address(&self) -> String {
        let scheme = if self.tls.is_empty() { "redis" } else { "rediss" };
        let nodes: Vec<String> = self.sentinels.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("{scheme}+sentinel://{}/main/0", nodes.join(","))
    }

    /// Waits until every sentinel says that this server is the master, and is well.
    pub(super) fn wait_for_master(&self, index: usize) {
        let port = self.servers[index].to_string();
        for sentinel in &self.sentinels {
            wait_until("the sentinels agree on the new master", || {
                let answer = self.ask(*sentinel, &["SENTINEL", "MASTER", "main"]);
                field(&answer, "port") == Some(&port) && field(&answer, "flags") == Some("master")
            });
        }
    }

    /// Has the sentinels make the replica the master while the master is well.
    pub(super) fn switch(&self) {
        let answer = self.ask(self.sentinels[0], &["SENTINEL", "FAILOVER", "main"]);
        assert!(answer.starts_with("+OK"), "{answer}");
    }

    pub(super) fn kill(&mut self, index: usize) {
        self.processes[index].kill().unwrap();
        self.processes[index].wait().unwrap();
    }

    /// What a process answers; nothing when it does not.
    pub(super) fn ask(&self, port: u16, command: &[&str]) -> String {
        let socket = self.folder.path().join(port.to_string()).join(SOCKET);
        let answer = UnixStream::connect(socket).and_then(|mut stream| converse(&mut stream, command));
        answer.unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself; then there is nothing to kill.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A field of a flat answer of names and values.
fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let mut words = answer.split("\r\n").filter(|word| !word.starts_with(['$', '*']));
    words.find(|word| *word == name)?;
    words.next()
}

pub(super) fn with_replicas(replicas: u32) -> RedisOptions {
    RedisOptions {
        replicas,
        replica_timeout: Duration::from_millis(500),
        ..RedisOptions::default()
    }
}

#[tokio::test]
async fn what_a_replica_has_survives_the_loss_of_the_master() {
    let mut watched = Watched::start();
    let broker = RedisBroker::open(&watched.address(), with_replicas(1), BrokerOptions::default())
        .await
        .unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..50 {
        let described = task();
        acknowledged.push(described.id);
        broker.submit(submission(described)).await.unwrap();
    }
    let lease = broker.claim(claim_up_to(1)).await.unwrap().leases.remove(0);

    watched.kill(0);
    let began = Instant::now();
    let known = loop {
        match broker.known(&acknowledged).await {
            Ok(known) => break known,
            Err(error) => assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(15), "nobody took over");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(
        known.into_iter().all(|is_known| is_known),
        "something acknowledged was lost"
    );

    // No replica is left to wait for: nothing is acknowledged, although it may be stored.
    assert_refused!(broker.submit(submission(task())).await, BrokerError::Unavailable(_));
    watched.wait_for_master(1);
    let alone = RedisBroker::open(&watched.address(), with_replicas(0), BrokerOptions::default())
        .await
        .unwrap();
    alone.complete(lease.id, completion()).await.unwrap();
}
