//! The HTTP side. Skeleton; the gateway's owner fills it.
use std::sync::Arc;
use std::time::Duration;

use pixmill_blob::BlobStore;
use pixmill_broker::{Broker, Registry};
use pixmill_types::Limits;
use tokio_util::sync::CancellationToken;

/// How a gateway behaves.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// What one image may cost.
    pub limits: Limits,
    /// Origins that browsers may call from; `*` for any, none by default.
    pub cors_origins: Vec<String>,
    /// Uploads under way at the same time; more are answered 503.
    pub max_uploads: usize,
    /// How long a client may take to send the next piece of an upload.
    pub upload_idle_timeout: Duration,
    /// Longest long-poll a client may ask for.
    pub max_wait: Duration,
    /// Attempts a task gets.
    pub max_attempts: u32,
}

/// What the gateway stands on.
#[derive(Debug, Clone)]
pub struct Services {
    /// Tasks.
    pub broker: Arc<dyn Broker>,
    /// Small values.
    pub registry: Arc<dyn Registry>,
    /// Bytes.
    pub blobs: BlobStore,
}

/// The whole HTTP interface.
pub fn router(_services: Services, _options: GatewayOptions) -> axum::Router {
    unimplemented!()
}

/// Serves until `shutdown` is cancelled, then lets requests finish.
pub async fn serve(
    _listener: tokio::net::TcpListener,
    _router: axum::Router,
    _shutdown: CancellationToken,
) -> std::io::Result<()> {
    unimplemented!()
}
