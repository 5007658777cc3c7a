//! A cluster of three nodes, each with a third of the slots.

use std::net::TcpStream;
use std::process::Child;

use async_trait::async_trait;
use pixmill_broker::{BrokerOptions, RedisOptions};
use tempfile::TempDir;

use super::backend;
use super::ports::Ports;
use super::server::{DURABLE, converse, start_process, wait_until};
use crate::conformance::{Backend, Opened};

const NODES: usize = 3;
/// Slots of a cluster.
const SLOTS: u32 = 16_384;

/// Three processes; killed when dropped.
pub(crate) struct Cluster {
    _folder: TempDir,
    _claim: Ports,
    ports: Vec<u16>,
    processes: Vec<Child>,
}

impl Cluster {
    /// Starts the nodes and waits until they take writes.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Each with the next one, which the nodes talk to each other over.
        let claim = Ports::claim();
        let ports: Vec<u16> = (0..NODES as u16).map(|node| claim.get(2 * node)).collect();
        let mut processes = Vec::new();
        for port in &ports {
            let own = folder.path().join(port.to_string());
            std::fs::create_dir(&own).unwrap();
            let bus = (port + 1).to_string();
            let settings = [
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--cluster-enabled",
                "yes",
            ]
            .into_iter()
            .chain(["--cluster-port", &bus, "--cluster-node-timeout", "5000", "--save", ""])
            .chain(DURABLE.iter().copied())
            .map(str::to_owned)
            .collect::<Vec<_>>();
            processes.push(start_process(&own, &settings));
        }
        let cluster = Self {
            _folder: folder,
            _claim: claim,
            ports,
            processes,
        };
        cluster.join();
        cluster
    }

    /// The address for the broker: one node tells of the others.
    pub(crate) fn address(&self) -> String {
        format!(
            "redis+cluster://127.0.0.1:{},127.0.0.1:{}",
            self.ports[0], self.ports[1]
        )
    }

    /// The keys of a node.
    pub(crate) fn keys(&self, node: usize) -> usize {
        let answer = self.ask(node, &["DBSIZE"]).unwrap();
        answer.trim_start_matches(':').trim().parse().unwrap()
    }

    fn join(&self) {
        for (node, port) in self.ports.iter().enumerate() {
            wait_until("a node answers", || self.ask(node, &["PING"]).is_ok());
            let share = SLOTS / NODES as u32;
            let first = share * node as u32;
            let last = if node + 1 == NODES {
                SLOTS - 1
            } else {
                first + share - 1
            };
            let own = ["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()];
            assert!(self.ask(node, &own).unwrap().starts_with("+OK"));
            let epoch = ["CLUSTER", "SET-CONFIG-EPOCH", &(node + 1).to_string()];
            assert!(self.ask(node, &epoch).unwrap().starts_with("+OK"));
            if node > 0 {
                let bus = (port + 1).to_string();
                let meet = ["CLUSTER", "MEET", "127.0.0.1", &port.to_string(), &bus];
                assert!(self.ask(0, &meet).unwrap().starts_with("+OK"));
            }
        }
        for node in 0..NODES {
            wait_until("the nodes are a cluster", || {
                let info = self.ask(node, &["CLUSTER", "INFO"]).unwrap();
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            });
        }
    }

    fn ask(&self, node: usize, command: &[&str]) -> std::io::Result<String> {
        converse(&mut TcpStream::connect(("127.0.0.1", self.ports[node]))?, command)
    }
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
