//! Takes tasks from the broker, has the engine mill them, delivers the outputs. Skeleton; the worker's owner fills it.
use std::sync::Arc;
use std::time::Duration;

use pixmill_blob::BlobStore;
use pixmill_broker::Broker;
use pixmill_types::{Limits, QueueName, WorkerId};

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Who it is.
    pub id: WorkerId,
    /// The queue it takes from.
    pub queue: QueueName,
    /// Images milled at the same time; each has its own thread.
    pub slots: usize,
    /// Memory the images under way may be estimated to take together, bytes.
    pub memory_budget_bytes: u64,
    /// What one image may cost.
    pub limits: Limits,
    /// How long a drain lets running tasks finish before it releases them.
    pub drain_grace: Duration,
    /// How often leases are reaped.
    pub reap_interval: Duration,
    /// How often the janitor runs.
    pub janitor_interval: Duration,
    /// Blobs without a record are swept at this age.
    pub sweep_age: Duration,
}

/// A worker that runs.
#[derive(Debug)]
pub struct Worker;

impl Worker {
    /// Starts the claim loop, the heartbeat thread, the reaper and the janitor on the current runtime.
    pub fn start(_broker: Arc<dyn Broker>, _blobs: BlobStore, _options: WorkerOptions) -> Self {
        unimplemented!()
    }

    /// Claims no more, lets what runs finish within the grace period, releases the rest.
    pub async fn drain(&self) {
        unimplemented!()
    }

    /// Ends a drain at once: releases what still runs.
    pub fn stop_now(&self) {
        unimplemented!()
    }
}
