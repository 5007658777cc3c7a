//! The reaper: has the broker expire the leases of workers that are gone, at once on start and every few seconds.

use std::sync::Arc;

use crate::backoff::Outage;
use crate::context::Context;

/// Leases expired in one step.
const BATCH: usize = 100;

/// Reaps until the loops end.
pub(crate) async fn run(context: Arc<Context>) {
    let outage = Outage::new("reaper: broker");
    loop {
        // Cut short by a stop, whether it happened is open; it may be repeated by anybody.
        tokio::select! {
            () = context.stopping.cancelled() => return,
            () = reap(&context, &outage) => {}
        }
        if !context.pause(context.options.reap_interval).await {
            return;
        }
    }
}

async fn reap(context: &Context, outage: &Outage) {
    loop {
        let reaped = match context.broker.reap(BATCH).await {
            Ok(reaped) => reaped,
            Err(error) => return outage.report(&error),
        };
        outage.over();
        context.metrics.reaped_requeued.increment(reaped.requeued);
        context.metrics.reaped_failed.increment(reaped.failed);
        let tasks = reaped.requeued + reaped.failed;
        if tasks > 0 {
            tracing::warn!(
                requeued = reaped.requeued,
                failed = reaped.failed,
                "took tasks from workers that no longer answer"
            );
        }
        if tasks < BATCH as u64 {
            return;
        }
    }
}
