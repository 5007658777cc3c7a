//! Renews all leases at a third of their length. On a thread, a runtime and a broker connection of its own, so that
//! nothing the worker is busy with keeps it from that. The worker's record in the registry is renewed here as well.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pixmill_broker::{Broker, Registry, Renewal};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::backoff::{Backoff, LONGEST, Outage, jittered};
use crate::context::{Context, supervise};
use crate::registration;

/// Starts the thread, which counts in `alive` as long as it lives; it ends when the loops end.
///
/// # Errors
/// The operating system's, when it refuses the thread or what a runtime needs.
pub(crate) fn start(
    context: Arc<Context>,
    broker: Arc<dyn Broker>,
    registry: Arc<dyn Registry>,
    alive: &TaskTracker,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let token = alive.token();
    thread::Builder::new()
        .name("pixmill-heartbeat".to_owned())
        .spawn(move || {
            let _token = token;
            let started = Instant::now();
            let stopping = || context.stopping.clone();
            let heartbeat = supervise("heartbeat", stopping(), || run(&context, broker.as_ref()));
            let registration = supervise("registration", stopping(), || {
                registration::run(&context, registry.as_ref(), started)
            });
            runtime.block_on(async { tokio::join!(heartbeat, registration) });
        })
}

async fn run(context: &Context, broker: &dyn Broker) {
    let outage = Outage::new("heartbeat: broker");
    let mut backoff = Backoff::up_to(LONGEST);
    let mut shortest_lease = context.running.shortest_lease();
    let mut last = Instant::now();
    // How long after `last` the next beat is due, when that is sooner than the leases ask for.
    let mut sooner: Option<Duration> = None;
    loop {
        // No lease was ever taken: there is nothing to renew until that changes.
        let interval = shortest_lease.borrow_and_update().map(|lease| lease / 3);
        let due = interval.map(|interval| last + sooner.unwrap_or(interval).min(interval));
        tokio::select! {
            () = context.stopping.cancelled() => return,
            changed = shortest_lease.changed() => {
                // The sender lives in the context.
                if changed.is_err() { return }
                continue;
            }
            () = until(due) => {}
        }
        last = Instant::now();
        let renewed = tokio::select! {
            () = context.stopping.cancelled() => return,
            renewed = beat(context, broker, &outage) => renewed,
        };
        sooner = if renewed {
            backoff.reset();
            interval.map(jittered)
        } else {
            Some(backoff.next_delay())
        };
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Whether the leases were renewed.
async fn beat(context: &Context, broker: &dyn Broker, outage: &Outage) -> bool {
    let leases = context.running.leases();
    if leases.is_empty() {
        return true;
    }
    let renewals = match broker.heartbeat(&context.options.id, &leases).await {
        Ok(renewals) => renewals,
        Err(error) => {
            outage.report(&error);
            return false;
        }
    };
    outage.over();
    for (lease, renewal) in leases.into_iter().zip(renewals) {
        match renewal {
            Renewal::Renewed(_) => context.metrics.heartbeats.increment(1),
            Renewal::Stale => context.running.stop_if_running(lease),
        }
    }
    true
}
