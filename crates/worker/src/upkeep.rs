//! How reaper, janitor and their like go about: round after round, patiently when broker or store are away.

use std::time::Duration;

use pixmill_blob::BlobError;
use pixmill_broker::BrokerError;

use crate::InstallationError;
use crate::backoff::{Backoff, Outage};
use crate::context::Context;

/// The longest pause after a round that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a round ended early. Rounds may be repeated, so what is left is left to the next one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpkeepError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("files without a record are not looked for")]
    Installation(#[from] InstallationError),
}

/// Does one `round` after the other until the loops end, each when `next` is over; sooner after one that failed.
pub(crate) async fn rounds<R, N>(
    context: &Context,
    duty: &'static str,
    mut round: impl FnMut() -> R,
    mut next: impl FnMut() -> N,
) where
    R: Future<Output = Result<(), UpkeepError>>,
    N: Future<Output = ()>,
{
    let outage = Outage::new(duty);
    let mut backoff = Backoff::up_to(LONGEST_PAUSE);
    let mut turn = async || match round().await {
        Ok(()) => {
            outage.over();
            backoff.reset();
            next().await;
        }
        Err(error) => {
            outage.report(&error);
            tokio::time::sleep(backoff.next_delay()).await;
        }
    };
    loop {
        tokio::select! {
            () = context.stopping.cancelled() => return,
            () = turn() => {}
        }
    }
}
