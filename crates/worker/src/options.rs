//! What a worker needs to be told. Defaults and where the values come from are the binary's business.

use std::time::Duration;

use pixmill_types::{Limits, QueueName, WorkerId};

use crate::BrokerPlace;
use pixmill_blob::AssetFolder;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Who it is.
    pub id: WorkerId,
    /// The machine or container it runs on, for people.
    pub host: String,
    /// The queue it takes from.
    pub queue: QueueName,
    /// Images milled at the same time; each has its own thread. With 0 it takes no tasks, and nobody hears of it as a
    /// worker: what is left is the upkeep.
    pub slots: usize,
    /// Memory the images under way may be estimated to take together, bytes. An idle worker takes one image of any
    /// size all the same.
    pub memory_budget_bytes: u64,
    /// What one image may cost.
    pub limits: Limits,
    /// Where recipes find the files that they name.
    pub assets: AssetFolder,
    /// How long a drain lets running tasks finish before it releases them.
    pub drain_grace: Duration,
    /// Whether it reaps leases, purges expired records and sweeps stray blobs. Every step of that may run in many
    /// processes at once; it must run in one.
    pub upkeep: bool,
    /// How often leases are reaped.
    pub reap_interval: Duration,
    /// How often the janitor purges expired records; files without a record are looked for 24 times in a `sweep_age`,
    /// and no more often than this.
    pub janitor_interval: Duration,
    /// Where the broker keeps its tasks: what is swept depends on it.
    pub broker_place: BrokerPlace,
    /// Blobs without a record are swept at this age.
    pub sweep_age: Duration,
}
