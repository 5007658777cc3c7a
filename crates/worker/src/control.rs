//! The control channel: learns within milliseconds of leases that were revoked, and stops the attempts.

use std::sync::Arc;
use std::time::Duration;

use crate::backoff::{Backoff, LONGEST, Outage};
use crate::context::Context;

/// How long one call waits at the broker.
const WAIT: Duration = Duration::from_secs(30);

/// Listens until the loops end.
pub(crate) async fn run(context: Arc<Context>) {
    let outage = Outage::new("control channel: broker");
    let mut backoff = Backoff::up_to(LONGEST);
    loop {
        let revoked = tokio::select! {
            () = context.stopping.cancelled() => return,
            revoked = context.broker.revoked(&context.options.id, WAIT) => revoked,
        };
        match revoked {
            Ok(leases) => {
                outage.over();
                backoff.reset();
                for lease in leases {
                    context.running.revoke(lease);
                }
            }
            Err(error) => {
                outage.report(&error);
                tokio::select! {
                    () = context.stopping.cancelled() => return,
                    () = tokio::time::sleep(backoff.next_delay()) => {}
                }
            }
        }
    }
}
