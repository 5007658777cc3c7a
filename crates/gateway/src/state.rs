//! What every request shares: the services, the bounds, and the work that outlives its request.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::HttpMetrics;
use crate::readiness::Readiness;
use crate::{GatewayOptions, Services};

/// Refused uploads whose rest is read at the same time.
const MAX_LINGERING: usize = 32;

/// Shared by every request of one gateway.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) services: Services,
    pub(crate) options: GatewayOptions,
    /// One permit an upload.
    pub(crate) uploads: Arc<Semaphore>,
    /// One permit for each refused upload whose rest is read.
    pub(crate) lingering: Arc<Semaphore>,
    /// Work that must not end with the request that began it.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the gateway is told to stop.
    pub(crate) shutdown: CancellationToken,
    pub(crate) readiness: Readiness,
    pub(crate) http_metrics: HttpMetrics,
}

impl App {
    pub(crate) fn new(services: Services, options: GatewayOptions) -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(options.max_uploads.min(Semaphore::MAX_PERMITS))),
            lingering: Arc::new(Semaphore::new(MAX_LINGERING)),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            readiness: Readiness::default(),
            http_metrics: HttpMetrics::new(&services.metrics),
            services,
            options,
        }
    }
}
