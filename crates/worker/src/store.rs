//! The store as attempts see it: whose fault it is when a file cannot be read or written.
//!
//! A store that is full, refuses everything, or accepts and is silent is no fault of a task's, and no reason to use up its
//! attempts; one that refuses this file alone may never take it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pixmill_blob::BlobError;
use pixmill_types::{Failure, FailureCode};
use tokio::time::{Instant, sleep, timeout};

use crate::attempt::{Ending, unless_stopped};
use crate::backoff::Pause;
use crate::context::Context;
use crate::running::{Attempt, StopReason};

/// How long a read may take before the store is asked whether it answers at all, and how long that answer may take: for an
/// attempt with less time than it takes to notice, less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Questions and answers that fit into the time of an attempt.
const SHARE_OF_TIME: u32 = 4;
/// For so long after the store did not answer, an error is its fault and not the file's: a store that comes and goes may
/// well answer just when it is asked.
const UNSETTLED: Duration = Duration::from_secs(60);

/// What is known of the store.
#[derive(Debug)]
pub(crate) struct Store {
    /// Nothing is claimed while nothing can be stored.
    pause: Pause,
    /// When it was last asked and did not answer, or was full.
    last_away: Mutex<Option<Instant>>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            pause: Pause::new("attempts: blob store"),
            last_away: Mutex::new(None),
        }
    }

    /// Something could not be stored, through no fault of its own.
    pub(crate) fn pause(&self, cause: &BlobError) {
        self.pause.pause(cause);
    }

    /// Everything of a task was stored.
    pub(crate) fn over(&self) {
        self.pause.over();
    }

    /// Asks the store whether it could take something, for no longer than `patience`.
    async fn ask(&self, context: &Context, patience: Duration) -> Result<(), BlobError> {
        let silent = |_| {
            Err(BlobError::Unavailable(
                format!("no answer within {} ms", patience.as_millis()).into(),
            ))
        };
        let answer = timeout(patience, context.blobs.check()).await.unwrap_or_else(silent);
        if answer.is_err() {
            *self.last_away.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        answer
    }

    fn was_away_lately(&self) -> bool {
        let last = *self.last_away.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < UNSETTLED)
    }
}

/// Waits until it is worth claiming something: at once, or after an outage when the store answers again.
///
/// # Cancel safety
/// Cancel safe.
pub(crate) async fn until_usable(context: &Context) {
    let store = &context.store;
    loop {
        store.pause.wait().await;
        if !store.pause.lasts() {
            return;
        }
        match store.ask(context, PATIENCE).await {
            Ok(()) => return,
            Err(cause) => store.pause(&cause),
        }
    }
}

/// The result of `read`, unless the attempt is told to stop, or the store falls silent.
pub(crate) async fn unless_silent<T>(
    context: &Context,
    attempt: &Attempt,
    read: impl Future<Output = T>,
) -> Result<T, Ending> {
    tokio::select! {
        biased;
        done = unless_stopped(attempt, read) => done,
        cause = silence(context, attempt) => Err(Ending::Unstored(cause)),
    }
}

/// Ends when the store does not answer: it is asked early enough for the lease to be given back in time.
async fn silence(context: &Context, attempt: &Attempt) -> BlobError {
    let left = attempt.deadline.saturating_duration_since(Instant::now());
    let patience = PATIENCE.min(left / SHARE_OF_TIME);
    loop {
        sleep(patience).await;
        if let Err(cause) = context.store.ask(context, patience).await {
            return cause;
        }
    }
}

/// What an error of the store means for the task.
pub(crate) async fn failure(context: &Context, attempt: &Attempt, cause: BlobError, message: &'static str) -> Ending {
    let code = match cause {
        BlobError::NotFound(_) => FailureCode::InputMissing,
        BlobError::Full(_) => return Ending::Unstored(cause),
        BlobError::Unavailable(_) if context.store.was_away_lately() => return Ending::Unstored(cause),
        // A drain has no time for a store that does not answer.
        BlobError::Unavailable(_) => match unless_stopped(attempt, context.store.ask(context, PATIENCE)).await {
            Ok(Ok(())) => FailureCode::StorageUnavailable,
            Ok(Err(_)) | Err(Ending::Stopped(StopReason::TimedOut)) => return Ending::Unstored(cause),
            Err(stopped) => return stopped,
        },
    };
    Ending::Failed {
        failure: Failure::new(code, message),
        cause: Some(cause),
    }
}
