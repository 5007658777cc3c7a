//! Opens the broker that the settings name.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use pixmill_broker::{Broker, BrokerOptions, MemoryBroker, RedisBroker, RedisOptions, Registry, SqliteBroker};

use crate::config::Config;
use crate::config::value::BrokerKind;

/// The database within the data folder.
pub(crate) const DATABASE: &str = "pixmill.db";

/// A broker as its users see it.
pub(crate) struct Opened {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) registry: Arc<dyn Registry>,
    /// For heartbeats alone, so that nothing else delays them.
    pub(crate) heartbeat: Arc<dyn Broker>,
}

impl Opened {
    fn shared(broker: Arc<impl Broker + Registry + 'static>) -> Self {
        Self {
            registry: broker.clone(),
            heartbeat: broker.clone(),
            broker,
        }
    }
}

/// Opens the broker of these settings.
pub(crate) async fn open(config: &Config, options: BrokerOptions) -> anyhow::Result<Opened> {
    match &config.broker.broker {
        BrokerKind::Memory => Ok(Opened::shared(Arc::new(MemoryBroker::new(options)))),
        BrokerKind::Sqlite => {
            let path = config.storage.data.join(DATABASE);
            Ok(Opened::shared(Arc::new(open_sqlite(&path, options).await?)))
        }
        BrokerKind::Redis(address) => {
            let redis = redis_options(config);
            let broker = open_redis(address, redis.clone(), options.clone()).await?;
            for warning in broker.warnings() {
                tracing::warn!("{warning}");
            }
            let heartbeat = open_redis(address, redis, options).await?;
            Ok(Opened {
                heartbeat: Arc::new(heartbeat),
                ..Opened::shared(Arc::new(broker))
            })
        }
    }
}

/// The settings that only Redis has.
pub(crate) fn redis_options(config: &Config) -> RedisOptions {
    RedisOptions {
        partitions: config.broker.redis_partitions,
        prefix: config.broker.redis_prefix.clone(),
        replicas: config.broker.redis_replicas,
        replica_timeout: config.broker.redis_replica_timeout,
        ca_file: config.broker.redis_ca_file.clone(),
    }
}

async fn open_redis(address: &str, redis: RedisOptions, options: BrokerOptions) -> anyhow::Result<RedisBroker> {
    RedisBroker::open(address, redis, options)
        .await
        .context("cannot keep tasks in Redis")
}

async fn open_sqlite(path: &Path, options: BrokerOptions) -> anyhow::Result<SqliteBroker> {
    let owned = path.to_owned();
    tokio::task::spawn_blocking(move || SqliteBroker::open(&owned, options))
        .await
        .context("the thread that opens the database ended")?
        .with_context(|| format!("cannot open {}", path.display()))
}
