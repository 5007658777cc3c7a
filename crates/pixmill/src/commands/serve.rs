//! `pixmill serve`: gateway and workers in one process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use pixmill_blob::BlobStore;
use pixmill_broker::{Broker, BrokerOptions, MemoryBroker, Registry, SqliteBroker};
use pixmill_gateway::{Gateway, GatewayOptions, Metrics, Services};
use pixmill_types::QueueName;
use pixmill_worker::{Worker, WorkerOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::value::{Auto, BrokerKind};
use crate::config::{Config, Flags};
use crate::stop::StopSignals;
use crate::{machine, output, telemetry};

/// The database within the data folder.
pub(super) const DATABASE: &str = "pixmill.db";

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(flags)?;
    telemetry::init(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(async_threads())
        .enable_all()
        .thread_name("pixmill-async")
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(serve(&config))
}

/// Threads of the async runtime: half the cores. Milling, hashing and the disk have threads of their own, and waking a
/// second thread for the little that is left costs more than it brings.
fn async_threads() -> usize {
    (machine::cores() / 2).max(1)
}

async fn serve(config: &Config) -> anyhow::Result<ExitCode> {
    let mut signals = StopSignals::listen()?;
    let address = config.server.listen.0;
    // Before anything is opened: a second instance on the same port stops here.
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr().context("cannot tell the address listened on")?;

    let (services, heartbeat_broker) = open(config).await?;
    let worker = match slots(config) {
        0 => None,
        slots => Some(Worker::start(
            Arc::clone(&services.broker),
            heartbeat_broker,
            services.blobs.clone(),
            worker_options(config, slots)?,
        )?),
    };
    let stop_gateway = CancellationToken::new();
    let gateway = Gateway::new(services, gateway_options(config));
    let mut gateway = tokio::spawn(gateway.serve(listener, stop_gateway.clone()));
    if let Err(error) = greet(address, config) {
        tracing::warn!("{error:#}");
    }

    tokio::select! {
        () = signals.next() => tracing::info!("stopping: finishing what runs, a second signal stops at once"),
        ended = &mut gateway => ended.context("the gateway ended")?.context("the gateway failed")?,
    }
    stop_gateway.cancel();
    let drain = async {
        if let Some(worker) = &worker {
            worker.drain().await;
        }
    };
    tokio::pin!(drain);
    tokio::select! {
        () = &mut drain => {}
        () = signals.next() => {
            tracing::warn!("stopping at once: running tasks go back to the queue");
            if let Some(worker) = &worker {
                worker.stop_now();
            }
            gateway.abort();
            drain.await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens what the services stand on; the second broker is the heartbeat's own.
async fn open(config: &Config) -> anyhow::Result<(Services, Arc<dyn Broker>)> {
    let data = &config.storage.data;
    let blobs = BlobStore::local(data)
        .await
        .with_context(|| format!("cannot use the folder {}", data.display()))?;
    let metrics = Metrics::install().context("cannot install the metrics recorder")?;
    let options = broker_options(config);
    let (broker, registry): (Arc<dyn Broker>, Arc<dyn Registry>) = match config.broker.broker {
        BrokerKind::Memory => {
            let broker = Arc::new(MemoryBroker::new(options));
            (Arc::clone(&broker) as Arc<dyn Broker>, broker)
        }
        BrokerKind::Sqlite => {
            let path = data.join(DATABASE);
            let broker = Arc::new(open_sqlite(&path, options).await?);
            (Arc::clone(&broker) as Arc<dyn Broker>, broker)
        }
    };
    let heartbeat_broker = Arc::clone(&broker);
    Ok((
        Services {
            broker,
            registry,
            blobs,
            metrics,
        },
        heartbeat_broker,
    ))
}

async fn open_sqlite(path: &Path, options: BrokerOptions) -> anyhow::Result<SqliteBroker> {
    let owned = path.to_owned();
    tokio::task::spawn_blocking(move || SqliteBroker::open(&owned, options))
        .await
        .context("the thread that opens the database ended")?
        .with_context(|| format!("cannot open {}", path.display()))
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
        ..BrokerOptions::default()
    }
}

fn gateway_options(config: &Config) -> GatewayOptions {
    GatewayOptions {
        limits: config.limits.clone(),
        cors_origins: config.server.cors_origins.clone(),
        max_uploads: config.server.max_uploads as usize,
        upload_idle_timeout: config.server.upload_idle_timeout,
        max_wait: config.server.max_wait,
        max_attempts: config.broker.max_attempts,
        max_connections: config.server.max_connections as usize,
        drain_grace: config.worker.drain_grace,
        ..GatewayOptions::default()
    }
}

fn worker_options(config: &Config, slots: usize) -> anyhow::Result<WorkerOptions> {
    let memory_budget_bytes = match config.worker.memory_budget {
        Auto::Auto => machine::memory_bytes() / 2,
        Auto::Given(bytes) => bytes.0,
    };
    Ok(WorkerOptions {
        id: machine::worker_id()?,
        queue: QueueName::images(),
        slots,
        memory_budget_bytes,
        limits: config.limits.clone(),
        drain_grace: config.worker.drain_grace,
        reap_interval: config.worker.reap_interval,
        janitor_interval: config.worker.janitor_interval,
        sweep_age: config.storage.sweep_age,
    })
}

fn slots(config: &Config) -> usize {
    match config.worker.slots {
        Auto::Auto => machine::cores(),
        Auto::Given(slots) => slots as usize,
    }
}

/// Says where pixmill listens and what to try first.
fn greet(address: SocketAddr, config: &Config) -> anyhow::Result<()> {
    let kept = match config.broker.broker {
        BrokerKind::Sqlite => format!("tasks and files in {}", config.storage.data.display()),
        BrokerKind::Memory => format!("tasks in memory only, files in {}", config.storage.data.display()),
    };
    output::print(&format!(
        "pixmill {} listening on http://{address}\n\
         {kept}, {} slots; try it, and see http://{address}/docs:\n  \
         curl -F file=@photo.jpg http://{address}/upload\n",
        env!("CARGO_PKG_VERSION"),
        slots(config),
    ))
}
