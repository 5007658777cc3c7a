//! Whether the gateway could take a task now. Asked of the services at most once a second, however many ask us.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout};

use crate::Services;
use crate::error::Problem;
use crate::problem::ProblemCode;

/// An answer this old is asked for again: a check writes and syncs.
const MAX_AGE: Duration = Duration::from_secs(1);
/// A service that takes longer is not ready.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Shared<BoxFuture<'static, Result<(), Problem>>>;

/// The check under way, or the last one.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    last: Mutex<Option<(Instant, Check)>>,
}

impl Readiness {
    /// Checks broker and blob store, or joins the check that others began.
    ///
    /// # Errors
    /// A problem that says which service is not ready.
    pub(crate) async fn check(&self, services: &Services) -> Result<(), Problem> {
        let check = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            match &*last {
                Some((began, check)) if began.elapsed() < MAX_AGE => check.clone(),
                _ => {
                    let check = ask(services.clone()).boxed().shared();
                    *last = Some((Instant::now(), check.clone()));
                    check
                }
            }
        };
        check.await
    }
}

async fn ask(services: Services) -> Result<(), Problem> {
    let silent = |code, detail| move |_| Problem::unavailable(code, detail);
    let broker = async {
        timeout(CHECK_TIMEOUT, services.broker.check()).await.map_err(silent(
            ProblemCode::BrokerUnavailable,
            "the broker does not answer in time",
        ))??;
        Ok(())
    };
    let blobs = async {
        timeout(CHECK_TIMEOUT, services.blobs.check()).await.map_err(silent(
            ProblemCode::StorageUnavailable,
            "the blob store does not answer in time",
        ))??;
        Ok(())
    };
    futures::future::try_join(broker, blobs).await.map(|_| ())
}
