//! The Redis broker: the conformance suite against real servers of Redis and Valkey, and what is its own.

mod authority;
mod backend;
mod cluster;
mod failover;
mod hearing;
mod outages;
mod partitions;
mod ports;
mod purge;
mod sentinel;
mod server;
mod startup;
mod tls;

use backend::{KilledBackend, ReopeningBackend};
use cluster::ClusterBackend;

broker_conformance!(reopened, ReopeningBackend::new);
broker_conformance!(clustered, ClusterBackend::new);
broker_conformance!(killed, KilledBackend::new);
broker_conformance!(killed_valkey, KilledBackend::over_valkey);
