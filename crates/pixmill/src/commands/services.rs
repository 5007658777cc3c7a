//! Opens what gateway and workers stand on, and says in their own terms how they are to behave.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use pixmill_blob::{AssetFolder, BlobError, BlobStore};
use pixmill_broker::{Broker, BrokerOptions, Registry};
use pixmill_gateway::{GatewayOptions, Metrics, Services};
use pixmill_types::DiskSync;
use pixmill_worker::{BrokerPlace, WorkerOptions, WorkerServices, check_installation};

use super::serve::Part;
use crate::config::Config;
use crate::config::place::Place;
use crate::config::value::{Auto, BrokerKind};
use crate::{broker, machine};

/// What both parts stand on.
pub(super) struct Opened {
    broker: Arc<dyn Broker>,
    heartbeat_broker: Arc<dyn Broker>,
    registry: Arc<dyn Registry>,
    blobs: BlobStore,
    metrics: Metrics,
}

impl Opened {
    pub(super) async fn open(config: &Config, part: Part) -> anyhow::Result<Self> {
        if config.storage.sync == DiskSync::Never {
            tracing::warn!("sync is never: a power cut loses uploads, tasks and results of about the last half minute");
        }
        let blobs = open_blobs(config, part).await?;
        let metrics = Metrics::install().context("cannot install the metrics recorder")?;
        let opened = broker::open(config, broker_options(config)).await?;
        check_installation(&*opened.registry, broker_place(config), &blobs)
            .await
            .with_context(|| format!("cannot use {} with this broker", files(config)))?;
        Ok(Self {
            heartbeat_broker: opened.heartbeat,
            broker: opened.broker,
            registry: opened.registry,
            blobs,
            metrics,
        })
    }

    pub(super) fn for_gateway(&self) -> Services {
        Services {
            broker: Arc::clone(&self.broker),
            registry: Arc::clone(&self.registry),
            blobs: self.blobs.clone(),
            metrics: self.metrics.clone(),
        }
    }

    pub(super) fn for_worker(&self) -> WorkerServices {
        WorkerServices {
            broker: Arc::clone(&self.broker),
            heartbeat_broker: Arc::clone(&self.heartbeat_broker),
            registry: Arc::clone(&self.registry),
            blobs: self.blobs.clone(),
        }
    }
}

async fn open_blobs(config: &Config, part: Part) -> anyhow::Result<BlobStore> {
    let data = &config.storage.data;
    let Some(bucket) = &config.bucket else {
        return BlobStore::local_with(data, config.storage.sync)
            .await
            .with_context(|| format!("cannot use the folder {}", data.display()));
    };
    // Each error on the way says again what caused it: the last says it once.
    let refused = |what: &str, error: BlobError| {
        let (place, server) = (&config.storage.storage, &bucket.options);
        let error = anyhow::Error::new(error);
        let hint = bucket
            .options
            .missing_credentials()
            .map_or_else(String::new, |missing| {
                format!(" ({missing} would say who we are; without, the machine's own identity was asked for)")
            });
        anyhow!("cannot {what} {place} at {server}: {}{hint}", error.root_cause())
    };
    let blobs = BlobStore::bucket(&bucket.options).map_err(|error| refused("use", error))?;
    // A name that is wrong, or a key, should show now and not with the first upload.
    blobs.check().await.map_err(|error| refused("use", error))?;
    if part != Part::Worker && bucket.redirect.is_some() {
        let signed = blobs.check_links().await;
        signed.map_err(|error| refused("sign links to", error))?;
    }
    Ok(blobs)
}

fn broker_options(config: &Config) -> BrokerOptions {
    BrokerOptions {
        lease: config.broker.lease,
        max_queued: config.broker.max_queued,
        ageing: config.broker.ageing,
        backoff_base: config.broker.backoff_base,
        backoff_cap: config.broker.backoff_cap,
        retention: config.storage.retention,
        idempotency_ttl: config.broker.idempotency_ttl,
        max_staging_age: config.storage.sweep_age / 2,
        max_events: config.broker.max_events,
        sync: config.storage.sync,
        ..BrokerOptions::default()
    }
}

pub(super) fn gateway_options(config: &Config) -> GatewayOptions {
    GatewayOptions {
        limits: config.limits.clone(),
        cors_origins: config.server.cors_origins.clone(),
        accept_tasks: config.server.accept_tasks,
        max_uploads: config.server.max_uploads as usize,
        upload_idle_timeout: config.server.upload_idle_timeout,
        max_wait: config.server.max_wait,
        max_attempts: config.broker.max_attempts,
        max_connections: config.server.max_connections as usize,
        drain_grace: config.worker.drain_grace,
        redirect_downloads: config.bucket.as_ref().and_then(|bucket| bucket.redirect),
        ..GatewayOptions::default()
    }
}

pub(super) fn worker_options(config: &Config, slots: usize) -> anyhow::Result<WorkerOptions> {
    let memory_budget_bytes = match config.worker.memory_budget {
        Auto::Auto => machine::memory_bytes() / 2,
        Auto::Given(bytes) => bytes.0,
    };
    Ok(WorkerOptions {
        id: machine::worker_id()?,
        host: machine::host(),
        queue: config.worker.queue.clone(),
        slots,
        memory_budget_bytes,
        limits: config.limits.clone(),
        assets: AssetFolder::new(config.worker.assets.clone()),
        drain_grace: config.worker.drain_grace,
        upkeep: config.worker.upkeep,
        reap_interval: config.worker.reap_interval,
        janitor_interval: config.worker.janitor_interval,
        broker_place: broker_place(config),
        sweep_age: config.storage.sweep_age,
    })
}

fn broker_place(config: &Config) -> BrokerPlace {
    match (&config.broker.broker, &config.bucket) {
        (BrokerKind::Memory, _) => BrokerPlace::Process,
        (BrokerKind::Sqlite, None) => BrokerPlace::BesideFiles,
        (BrokerKind::Sqlite, Some(_)) | (BrokerKind::Redis(_), _) => BrokerPlace::Apart,
    }
}

/// Where tasks and files are kept, for people.
pub(super) fn kept(config: &Config) -> String {
    let (data, files) = (config.storage.data.display(), files(config));
    match (&config.broker.broker, &config.storage.storage) {
        (BrokerKind::Sqlite, Place::Local) => format!("tasks and files in {data}"),
        (BrokerKind::Sqlite, Place::Bucket(..)) => format!("tasks in {data}, files in {files}"),
        (BrokerKind::Memory, _) => format!("tasks in memory only, files in {files}"),
        (BrokerKind::Redis(_), _) => format!("tasks in Redis, files in {files}"),
    }
}

/// Where files lie.
fn files(config: &Config) -> String {
    match &config.storage.storage {
        Place::Local => config.storage.data.display().to_string(),
        bucket @ Place::Bucket(..) => bucket.to_string(),
    }
}
