//! The broker of many machines: Redis, or what speaks its language.
//!
//! Every operation is one Lua script ([`script`], `scripts/`), which Redis runs alone: that is the atomic step. All
//! keys of a partition share a hash tag, such as `{pixmill:0}`, so that they lie on one node of a cluster; a task's id
//! tells its partition ([`RedisBroker::partition_of`]). Calls share one connection ([`link`]); two tasks a partition
//! wait on connections of their own for word of what others did ([`waker`]).

mod address;
mod claim;
mod cursor;
mod error;
mod health;
mod link;
mod read;
mod record;
mod registry;
mod script;
mod service;
mod submit;
mod waker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use pixmill_types::{IdempotencyKey, LeaseId, TaskId};

pub use error::RedisOpenError;

use crate::hub::Hub;
use crate::{BrokerError, BrokerOptions};
use address::{Address, Purpose};
use health::Epoch;
use link::{Link, Replicas};
use script::{Call, Script};
use waker::Wakers;

/// Settings that only Redis has.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Partitions the tasks are spread over, 1 to 256. On one server one is best; on a cluster each may lie on another
    /// node. Cannot change while tasks are stored.
    pub partitions: u32,
    /// What all keys begin with, behind the brace.
    pub prefix: String,
    /// Replicas that must have a write before it is acknowledged; 0 waits for none.
    pub replicas: u32,
    /// How long to wait for them.
    pub replica_timeout: Duration,
    /// With TLS: a file of certificates in PEM, one of which must have signed the server's; the system's when there is
    /// none.
    pub ca_file: Option<PathBuf>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            partitions: 1,
            prefix: "pixmill".to_owned(),
            replicas: 0,
            replica_timeout: Duration::from_secs(1),
            ca_file: None,
        }
    }
}

/// What a server uses; of a cluster, all nodes together.
#[derive(Debug, Clone, Copy, Default)]
pub struct RedisUsage {
    /// Memory for data now, bytes.
    pub memory_bytes: u64,
    /// CPU time since it started, without that of children that save.
    pub cpu_time: Duration,
    /// Whether it is writing all its data to disk: a child does that, on a core of its own if there is one.
    pub is_saving: bool,
}

/// A [`Broker`](crate::Broker) and [`Registry`](crate::Registry) in Redis, shared by any number of processes.
///
/// What it acknowledges is as safe as the server's own settings make it: see [`RedisBroker::warnings`].
#[derive(Debug)]
pub struct RedisBroker {
    options: BrokerOptions,
    roots: Vec<String>,
    link: Arc<Link>,
    hub: Arc<Hub>,
    turn: AtomicUsize,
    warnings: Vec<String>,
    epoch: Epoch,
    _wakers: Wakers,
}

impl RedisBroker {
    /// Connects to the Redis at `address` and looks whether tasks are safe there.
    ///
    /// Addresses are `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS,
    /// `redis+unix:///path/to.sock`, `redis+cluster://host:port,host:port` and
    /// `redis+sentinel://[user:password@]host:port,host:port/master[/database]`; `rediss+cluster` and
    /// `rediss+sentinel` with TLS.
    ///
    /// # Errors
    /// [`RedisOpenError`], each with the reason and what to do about it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(address: &str, redis: RedisOptions, options: BrokerOptions) -> Result<Self, RedisOpenError> {
        let authorities = match redis.ca_file {
            Some(path) => Some(certificates(path).await?),
            None => None,
        };
        let address = Arc::new(Address::parse(address, authorities)?);
        let partitions = redis.partitions.clamp(1, 256);
        let roots: Vec<String> = (0..partitions)
            .map(|index| format!("{{{}:{index}}}", redis.prefix))
            .collect();
        let replicas = Replicas {
            count: redis.replicas,
            timeout: redis.replica_timeout,
        };
        let link = Arc::new(Link::new(Arc::clone(&address), replicas));
        let mut connection = link
            .connect(Purpose::Calls)
            .await
            .map_err(|error| RedisOpenError::at_start(&address.shown, error))?;
        let warnings = health::check_server(&mut connection, &address.shown).await?;
        health::check_partitions(&link, &address.shown, &roots).await?;
        let epoch = Epoch::find(&link, &address.shown, &roots[0]).await?;
        let hub = Arc::new(Hub::default());
        Ok(Self {
            _wakers: Wakers::start(&link, &hub, &roots),
            options,
            roots,
            link,
            hub,
            turn: AtomicUsize::new(0),
            warnings,
            epoch,
        })
    }

    /// What could be lost with the server's settings, in plain words; empty when nothing that was acknowledged is.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What the server uses, for all its keys together.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn server_usage(&self) -> Result<RedisUsage, BrokerError> {
        let mut connection = self.link.connect(Purpose::Calls).await.map_err(error::broker_error)?;
        health::usage(&mut connection).await.map_err(error::broker_error)
    }

    fn call(&self, script: &'static Script, partition: usize) -> Call {
        Call::new(script, self.roots[partition].clone(), &self.options)
    }

    fn partitions(&self) -> usize {
        self.roots.len()
    }

    /// Where a task is stored: its last, random byte decides.
    fn partition_of(&self, task: TaskId) -> usize {
        usize::from(task.as_bytes()[15]) % self.partitions()
    }

    /// Where a lease was taken: its bits were chosen so that they say so.
    fn partition_of_lease(&self, lease: LeaseId) -> usize {
        usize::try_from(lease.bits() % self.partitions() as u64).unwrap_or(0)
    }

    /// A fresh fence of `partition`.
    fn fresh_lease(&self, partition: usize) -> LeaseId {
        let partitions = self.partitions() as u64;
        let bits: u64 = rand::random();
        // Below the largest multiple, so that the sum cannot overflow.
        let base = (bits - bits % partitions).min(u64::MAX - u64::MAX % partitions - partitions);
        LeaseId::from_bits(base + partition as u64)
    }

    /// Where an idempotency key is remembered.
    fn partition_of_key(&self, key: &IdempotencyKey) -> usize {
        let hash = pixmill_types::ContentHash::of(key.as_str().as_bytes());
        usize::from(hash.as_bytes()[0]) % self.partitions()
    }
}

async fn certificates(path: PathBuf) -> Result<Vec<u8>, RedisOpenError> {
    let read = tokio::task::spawn_blocking({
        let path = path.clone();
        move || std::fs::read(path)
    });
    let read = read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    read.map_err(|source| RedisOpenError::Certificates { path, source })
}
