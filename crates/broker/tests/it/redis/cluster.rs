//! A cluster of three nodes, each with a third of the slots.

use std::os::unix::net::UnixStream;
use std::process::Child;

use async_trait::async_trait;
use pixmill_broker::{BrokerOptions, RedisOptions};
use tempfile::TempDir;

use super::authority::Authority;
use super::backend;
use super::ports::Ports;
use super::server::{DURABLE, converse, start_process, wait_until};
use crate::conformance::{Backend, Opened};

const NODES: usize = 3;
/// Slots of a cluster.
const SLOTS: u32 = 16_384;
/// Of a node, in its folder.
const SOCKET: &str = "redis.sock";

/// Three processes; killed when dropped.
pub(crate) struct Cluster {
    folder: TempDir,
    _claim: Ports,
    scheme: &'static str,
    ports: Vec<u16>,
    processes: Vec<Child>,
}

impl Cluster {
    /// Starts the nodes and waits until they take writes.
    pub(crate) fn start() -> Self {
        Self::start_with("redis+cluster", |_| Vec::new())
    }

    /// Starts nodes that talk to nobody but over TLS, and to the test through a socket.
    pub(super) fn start_behind(authority: &Authority) -> Self {
        Self::start_with("rediss+cluster", |port| {
            let place = ["--port", "0", "--tls-port", port, "--tls-cluster", "yes"];
            let place = place.into_iter().map(str::to_owned);
            place.chain(authority.settings()).collect()
        })
    }

    fn start_with(scheme: &'static str, more: impl Fn(&str) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Each with the next one, which the nodes talk to each other over.
        let claim = Ports::claim();
        let ports: Vec<u16> = (0..NODES as u16).map(|node| claim.get(2 * node)).collect();
        let mut processes = Vec::new();
        for port in &ports {
            let own = folder.path().join(port.to_string());
            std::fs::create_dir(&own).unwrap();
            // As if they had met before: meeting takes them up to ten seconds.
            std::fs::write(own.join("nodes.conf"), known_nodes(&ports, *port)).unwrap();
            let bus = (port + 1).to_string();
            let port = port.to_string();
            let settings = [
                "--port",
                &port,
                "--unixsocket",
                SOCKET,
                "--bind",
                "127.0.0.1",
                "--cluster-enabled",
                "yes",
            ]
            .into_iter()
            .chain(["--cluster-port", &bus, "--cluster-node-timeout", "5000", "--save", ""])
            .chain(DURABLE.iter().copied())
            .map(str::to_owned)
            .chain(more(&port))
            .collect::<Vec<_>>();
            processes.push(start_process(&own, &settings));
        }
        let cluster = Self {
            folder,
            _claim: claim,
            scheme,
            ports,
            processes,
        };
        cluster.wait_until_it_takes_writes();
        cluster
    }

    /// The address for the broker: one node tells of the others.
    pub(crate) fn address(&self) -> String {
        format!(
            "{}://127.0.0.1:{},127.0.0.1:{}",
            self.scheme, self.ports[0], self.ports[1]
        )
    }

    /// The keys of a node.
    pub(crate) fn keys(&self, node: usize) -> usize {
        let answer = self.ask(node, &["DBSIZE"]).unwrap();
        answer.trim_start_matches(':').trim().parse().unwrap()
    }

    fn wait_until_it_takes_writes(&self) {
        for node in 0..NODES {
            wait_until("the nodes are a cluster", || {
                let info = self.ask(node, &["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            });
        }
    }

    fn ask(&self, node: usize, command: &[&str]) -> std::io::Result<String> {
        let socket = self.folder.path().join(self.ports[node].to_string()).join(SOCKET);
        converse(&mut UnixStream::connect(socket)?, command)
    }
}

/// What the node at `own` remembers of a cluster of nodes at these ports, in which each has its share of the slots.
fn known_nodes(ports: &[u16], own: u16) -> String {
    let share = SLOTS / NODES as u32;
    let mut lines = String::new();
    for (node, port) in ports.iter().enumerate() {
        let (id, bus, epoch) = (format!("{port:040x}"), port + 1, node + 1);
        let first = share * node as u32;
        let last = if epoch == NODES { SLOTS - 1 } else { first + share - 1 };
        let flags = if *port == own { "myself,master" } else { "master" };
        lines += &format!("{id} 127.0.0.1:{port}@{bus} {flags} - 0 0 {epoch} connected {first}-{last}\n");
    }
    lines + &format!("vars currentEpoch {NODES} lastVoteEpoch 0\n")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself; then there is nothing to kill.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A cluster under brokers that come and go.
pub(crate) struct ClusterBackend {
    cluster: Cluster,
}

impl ClusterBackend {
    pub(crate) fn new() -> Self {
        Self {
            cluster: Cluster::start(),
        }
    }
}

#[async_trait]
impl Backend for ClusterBackend {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        backend::open(&self.cluster.address(), RedisOptions::default(), options).await
    }

    fn is_durable(&self) -> bool {
        true
    }
}
