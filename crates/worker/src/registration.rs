//! Tells the others that this worker lives, what it is and how busy: a record in the registry that lives only as long
//! as it is renewed. On the heartbeat's thread, so that no work keeps it from that.

use std::time::Duration;

use pixmill_broker::{Registry, WorkerReport, announce_worker, withdraw_worker};
use tokio::time::{Instant, timeout};

use crate::backoff::{Outage, jittered};
use crate::context::Context;

/// How often the record is renewed.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long it lives: as long as two renewals may be missed.
const LIFETIME: Duration = Duration::from_secs(30);
/// How long the broker may take to forget the worker before it ends all the same; its record runs out then.
const LAST_CALL: Duration = Duration::from_secs(2);

/// Renews the record until the loops end, then takes it back.
pub(crate) async fn run(context: &Context, registry: &dyn Registry, started: Instant) {
    let outage = Outage::new("worker registry: broker");
    while !context.stopping.is_cancelled() {
        let told_of_drain = context.draining.is_cancelled();
        let report = report(context, started, told_of_drain);
        let announced = tokio::select! {
            () = context.stopping.cancelled() => break,
            announced = announce_worker(registry, &context.options.id, report, LIFETIME) => announced,
        };
        match announced {
            Ok(()) => outage.over(),
            Err(error) => outage.report(&error),
        }
        tokio::select! {
            () = context.stopping.cancelled() => {}
            () = context.draining.cancelled(), if !told_of_drain => {}
            () = tokio::time::sleep(jittered(INTERVAL)) => {}
        }
    }
    let withdrawn = timeout(LAST_CALL, withdraw_worker(registry, &context.options.id)).await;
    if !matches!(withdrawn, Ok(Ok(()))) {
        tracing::debug!("the worker's record is left to run out");
    }
}

fn report(context: &Context, started: Instant, draining: bool) -> WorkerReport {
    let options = &context.options;
    WorkerReport {
        host: options.host.clone(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        queue: options.queue.clone(),
        slots: options.slots as u64,
        busy: context.capacity.busy_slots() as u64,
        draining,
        uptime_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
