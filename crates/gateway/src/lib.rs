//! The HTTP side: turns requests into tasks and tasks into answers.
//!
//! Owns routes, documents, limits of connections and the mapping of errors to statuses. Knows nothing of pixels, of
//! how a task is stored, or of command lines.

mod metrics;
mod options;

use std::io;
use std::sync::Arc;

use pixmill_blob::BlobStore;
use pixmill_broker::{Broker, Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::metrics::{AlreadyInstalled, Metrics};
pub use crate::options::GatewayOptions;

/// What the gateway stands on.
#[derive(Debug, Clone)]
pub struct Services {
    /// Tasks.
    pub broker: Arc<dyn Broker>,
    /// Small values.
    pub registry: Arc<dyn Registry>,
    /// Bytes.
    pub blobs: BlobStore,
    /// Measurements.
    pub metrics: Metrics,
}

/// The whole HTTP interface over some services.
#[derive(Debug)]
pub struct Gateway {
    _services: Services,
    _options: GatewayOptions,
}

impl Gateway {
    /// Puts the routes together. Does no IO.
    #[must_use]
    pub fn new(services: Services, options: GatewayOptions) -> Self {
        Self {
            _services: services,
            _options: options,
        }
    }

    /// The routes, without a listener: for tests, or to be served by other means.
    #[must_use]
    pub fn router(&self) -> axum::Router {
        unimplemented!()
    }

    /// Serves until `shutdown` is cancelled, then takes no more requests, lets those under way finish within the
    /// grace period, and waits for every upload that was being published.
    ///
    /// # Errors
    /// An [`io::Error`] when the listener breaks for good.
    pub async fn serve(self, _listener: TcpListener, _shutdown: CancellationToken) -> io::Result<()> {
        unimplemented!()
    }
}
