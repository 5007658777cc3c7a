//! Redis brokers for the conformance suite: opened again, and over a server that was killed.

use std::sync::Arc;

use async_trait::async_trait;
use pixmill_broker::{BrokerOptions, RedisBroker, RedisOptions};

use super::server::Server;
use crate::conformance::{Backend, Opened};

/// Opens the broker at an address.
pub(crate) async fn open(address: &str, redis: RedisOptions, options: BrokerOptions) -> Opened {
    let broker = Arc::new(RedisBroker::open(address, redis, options).await.unwrap());
    Opened {
        broker: broker.clone(),
        registry: broker,
    }
}

/// A server that lives on while brokers come and go.
pub(crate) struct ReopeningBackend {
    server: Server,
}

impl ReopeningBackend {
    pub(crate) fn new() -> Self {
        Self {
            server: Server::start(),
        }
    }
}

#[async_trait]
impl Backend for ReopeningBackend {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        open(&self.server.address(), RedisOptions::default(), options).await
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A server that is killed, and started again over its append-only file, wherever a case opens the broker again.
pub(crate) struct KilledBackend {
    server: Server,
    is_first: bool,
}

impl KilledBackend {
    pub(crate) fn new() -> Self {
        Self::over(Server::start())
    }

    pub(crate) fn over_valkey() -> Self {
        Self::over(Server::start_valkey())
    }

    fn over(server: Server) -> Self {
        Self { server, is_first: true }
    }
}

#[async_trait]
impl Backend for KilledBackend {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        if !std::mem::take(&mut self.is_first) {
            self.server.restart();
        }
        open(&self.server.address(), RedisOptions::default(), options).await
    }

    fn is_durable(&self) -> bool {
        true
    }
}
