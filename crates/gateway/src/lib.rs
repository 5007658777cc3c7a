//! The HTTP side: turns requests into tasks and tasks into answers.
//!
//! Owns routes, documents, limits of connections and the mapping of errors to statuses. Knows nothing of pixels, of
//! how a task is stored, or of command lines.

mod conditions;
mod cors;
mod error;
mod extract;
mod intake;
mod metrics;
mod observe;
mod openapi;
mod options;
mod problem;
mod readiness;
mod routes;
mod server;
mod state;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use pixmill_blob::BlobStore;
use pixmill_broker::{Broker, Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::metrics::{Metrics, MetricsError};
pub use crate::options::GatewayOptions;
use crate::state::App;

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

/// The whole HTTP interface over some services. Cheap to clone; clones are the same gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    app: Arc<App>,
}

impl Gateway {
    /// Puts the parts together. Does no IO.
    #[must_use]
    pub fn new(services: Services, options: GatewayOptions) -> Self {
        Self {
            app: Arc::new(App::new(services, options)),
        }
    }

    /// The routes, without a listener: for tests, or to be served by other means.
    pub fn router(&self) -> Router {
        self.finish(routes::router())
    }

    /// `/healthz`, `/readyz` and `/metrics` alone.
    pub fn probe_router(&self) -> Router {
        self.finish(routes::probes())
    }

    fn finish(&self, routes: Router<Arc<App>>) -> Router {
        let router = routes
            .fallback(observe::route_not_found)
            .method_not_allowed_fallback(observe::method_not_allowed)
            // The bounds of bodies are ours: they depend on the route, and are problems when they are passed.
            .layer(DefaultBodyLimit::disable());
        let router = match cors::layer(&self.app.options.cors_origins) {
            Some(layer) => router.layer(layer),
            None => router,
        };
        router
            .layer(from_fn_with_state(self.app.clone(), observe::observe))
            .with_state(self.app.clone())
    }

    /// Serves until `shutdown` is cancelled, then takes no more requests, lets those under way finish within the
    /// grace period, and waits for every upload that was being published.
    ///
    /// # Errors
    /// An [`io::Error`] when the listener breaks for good.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        server::serve(&self.app, self.router(), listener, shutdown).await
    }

    /// Serves [`Gateway::probe_router`] until `shutdown` is cancelled: for a process that does something else, or for a
    /// second address that clients do not reach.
    ///
    /// # Errors
    /// An [`io::Error`] when the listener breaks for good.
    pub async fn serve_probes(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        server::serve(&self.app, self.probe_router(), listener, shutdown).await
    }

    /// From now on `/readyz` says that the process is about to end.
    pub fn announce_shutdown(&self) {
        self.app.shutdown.cancel();
    }
}
