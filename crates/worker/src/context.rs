//! What the loops and attempts of one worker share.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use pixmill_blob::BlobStore;
use pixmill_broker::{Broker, Registry};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff::Outage;
use crate::capacity::Capacity;
use crate::metrics::Metrics;
use crate::options::WorkerOptions;
use crate::running::Running;
use crate::slots::Slots;
use crate::store::Store;

const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Shared by everything that runs in one worker.
pub(crate) struct Context {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) blobs: BlobStore,
    pub(crate) options: WorkerOptions,
    pub(crate) capacity: Arc<Capacity>,
    pub(crate) running: Arc<Running>,
    pub(crate) slots: Slots,
    pub(crate) metrics: Arc<Metrics>,
    /// Owns the attempts.
    pub(crate) attempts: TaskTracker,
    /// The broker, as attempts that end see it.
    pub(crate) settling: Outage,
    /// The store, as attempts see it.
    pub(crate) store: Store,
    /// The reaper ended tasks whose last worker vanished.
    pub(crate) tasks_ended_by_reaper: Notify,
    /// Nothing is claimed any more.
    pub(crate) draining: CancellationToken,
    /// Nobody waits for the broker's answer any more.
    pub(crate) giving_up: CancellationToken,
    /// The loops end.
    pub(crate) stopping: CancellationToken,
}

/// Runs the loop that `start` makes until it ends, again after it panicked: a defect in one round must not leave a
/// worker that looks alive and does nothing.
pub(crate) async fn supervise<F>(name: &'static str, stopping: CancellationToken, mut start: impl FnMut() -> F)
where
    F: Future<Output = ()>,
{
    while let Err(panic) = AssertUnwindSafe(start()).catch_unwind().await {
        tracing::error!(
            worker.part = name,
            panic = panic_message(&*panic),
            "a part of the worker panicked and is started again"
        );
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(RESTART_AFTER) => {}
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no message",
    }
}
