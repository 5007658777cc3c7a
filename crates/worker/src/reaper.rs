//! The reaper: has the broker expire the leases of workers that are gone, at once on start and every few seconds.

use std::sync::Arc;

use tokio::time::sleep;

use crate::backoff::jittered;
use crate::context::Context;
use crate::upkeep::{UpkeepError, rounds};

/// Leases expired in one step.
const BATCH: usize = 100;

/// Reaps until the loops end.
pub(crate) async fn run(context: Arc<Context>) {
    let context = &*context;
    let interval = context.options.reap_interval;
    rounds(context, "reaper", || reap(context), || sleep(jittered(interval))).await;
}

async fn reap(context: &Context) -> Result<(), UpkeepError> {
    loop {
        let reaped = context.broker.reap(BATCH).await?;
        context.metrics.reaped_requeued.increment(reaped.requeued.len() as u64);
        context.metrics.reaped_failed.increment(reaped.failed.len() as u64);
        reaped.log();
        if !reaped.failed.is_empty() {
            context.tasks_ended_by_reaper.notify_one();
        }
        if reaped.attempts() < BATCH {
            return Ok(());
        }
    }
}
