//! What the gateway measures, and how Prometheus reads it.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Another recorder of metrics is installed in this process already.
#[derive(Debug, thiserror::Error)]
#[error("metrics are recorded elsewhere in this process already")]
pub struct AlreadyInstalled(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Where measurements are collected: those of the gateway, and, once installed, those of the whole process.
#[derive(Clone)]
pub struct Metrics {
    _handle: PrometheusHandle,
}

impl Metrics {
    /// Collects what anything in this process records through the `metrics` macros. At most once a process.
    ///
    /// # Errors
    /// [`AlreadyInstalled`] when somebody else collects it.
    pub fn install() -> Result<Self, AlreadyInstalled> {
        let handle = PrometheusBuilder::new()
            .install_recorder()
            .map_err(|error| AlreadyInstalled(Box::new(error)))?;
        Ok(Self { _handle: handle })
    }

    /// Collects nothing but what this gateway itself records: for several gateways in one process.
    #[must_use]
    pub fn detached() -> Self {
        let handle = PrometheusBuilder::new().build_recorder().handle();
        Self { _handle: handle }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
