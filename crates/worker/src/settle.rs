//! Tells the broker how an attempt ended, until it has answered, and removes outputs that will never count.
//!
//! The one rule here: once a completion was sent, nothing but the broker's own answer to it says whether the outputs
//! count. A heartbeat that finds the lease gone does not: a completion whose reply was lost ends the lease too.

use pixmill_blob::BlobError;
use pixmill_broker::{BrokerError, Completion};
use pixmill_types::{Causes, Failure, FailureCode, TaskState};

use crate::attempt::Ending;
use crate::backoff::{Backoff, LONGEST};
use crate::context::Context;
use crate::metrics::Outcome;
use crate::running::{Attempt, StopReason};
use crate::store;

/// Ends the attempt at the broker and in the store, as far as they answer.
pub(crate) async fn settle(
    context: &Context,
    attempt: &Attempt,
    ended: Result<Completion, Ending>,
    outputs_begun: bool,
) {
    if ended.is_err() && outputs_begun {
        // Before the broker hears of it: whoever learns that the attempt failed finds no trace of it. A store that is away is
        // not waited for: the lease would run out, and that would use up the attempt.
        let removed = remove_outputs(context, attempt);
        if matches!(ended, Err(Ending::Unstored(_))) {
            drop(tokio::time::timeout(store::PATIENCE, removed).await);
        } else {
            removed.await;
        }
    }
    let outcome = match ended {
        Ok(completion) => {
            context.store.over();
            complete(context, attempt, completion).await
        }
        Err(Ending::Unstored(cause)) => {
            // Before it is given back: it would come here again at once.
            context.store.pause(&cause);
            release(context, attempt).await
        }
        Err(Ending::Failed { failure, cause }) => fail(context, attempt, failure, cause).await,
        Err(Ending::Stopped(StopReason::TimedOut)) => {
            let message = format!("it took longer than {} ms", attempt.lease.task.timeout_ms);
            let failure = Failure::new(FailureCode::TimedOut, message);
            fail(context, attempt, failure, None).await
        }
        Err(Ending::Stopped(StopReason::Revoked)) => Outcome::Revoked,
        Err(Ending::Stopped(StopReason::Drained)) => release(context, attempt).await,
    };
    if outcome == Outcome::Revoked {
        context.metrics.stale_leases.increment(1);
    }
    tracing::debug!(outcome = outcome.as_str(), "the attempt ended");
    context.metrics.attempt_ended(outcome);
}

/// Gives a lease back without using up an attempt.
pub(crate) async fn release(context: &Context, attempt: &Attempt) -> Outcome {
    let lease = attempt.lease.id;
    match until_answered(context, || context.broker.release(lease)).await {
        Answer::Accepted(_) => Outcome::Released,
        Answer::Stale => Outcome::Revoked,
        Answer::None => Outcome::Unknown,
    }
}

async fn complete(context: &Context, attempt: &Attempt, completion: Completion) -> Outcome {
    fail::fail_point!("worker.before_complete", |_| std::process::abort());
    let lease = attempt.lease.id;
    let answer = until_answered(context, || context.broker.complete(lease, completion.clone())).await;
    fail::fail_point!("worker.after_complete", |_| std::process::abort());
    match answer {
        Answer::Accepted(_) => Outcome::Completed,
        Answer::Stale => {
            remove_outputs(context, attempt).await;
            Outcome::Revoked
        }
        Answer::None => Outcome::Unknown,
    }
}

async fn fail(context: &Context, attempt: &Attempt, failure: Failure, cause: Option<BlobError>) -> Outcome {
    let lease = attempt.lease.id;
    let answer = until_answered(context, || context.broker.fail(lease, failure.clone(), Vec::new())).await;
    let (outcome, message) = match answer {
        Answer::Accepted(TaskState::Failed) => (Outcome::Failed, "the attempt failed, and the task for good"),
        Answer::Accepted(_) => (Outcome::Retried, "the attempt failed, another follows"),
        Answer::Stale => (Outcome::Revoked, "the attempt failed, and was no longer wanted"),
        Answer::None => (Outcome::Unknown, "the attempt failed, what follows is not known"),
    };
    report(&failure, cause.as_ref(), message);
    outcome
}

enum Answer {
    /// It counts; the task is in this state.
    Accepted(TaskState),
    /// The lease is void: it does not count.
    Stale,
    /// There is none, so whether it counts is unknown.
    None,
}

/// Repeats `call` while the broker is away or full. Heartbeats renew the lease meanwhile, so this may go on for as
/// long as the lease can live; a drain that runs out of patience ends it.
async fn until_answered<F>(context: &Context, mut call: impl FnMut() -> F) -> Answer
where
    F: Future<Output = Result<pixmill_types::Task, BrokerError>>,
{
    let mut backoff = Backoff::up_to(LONGEST);
    let ask = async {
        loop {
            let error = match call().await {
                Ok(task) => {
                    context.settling.over();
                    return Answer::Accepted(task.state);
                }
                Err(BrokerError::StaleLease) => {
                    context.settling.over();
                    return Answer::Stale;
                }
                Err(error) => error,
            };
            if !may_heal(&error) {
                tracing::error!(error = %Causes(&error), "the broker refused the end of an attempt");
                return Answer::None;
            }
            context.settling.report(&error);
            tokio::time::sleep(backoff.next_delay()).await;
        }
    };
    tokio::select! {
        biased;
        answer = ask => answer,
        () = context.giving_up.cancelled() => Answer::None,
    }
}

fn may_heal(error: &BrokerError) -> bool {
    match error {
        BrokerError::Unavailable(_) | BrokerError::StorageFull(_) => true,
        BrokerError::NotFound(_)
        | BrokerError::Conflict(_)
        | BrokerError::StaleLease
        | BrokerError::KeyReused
        | BrokerError::StagedTooLong
        | BrokerError::InvalidCursor
        | BrokerError::Corrupt(_) => false,
    }
}

/// What is not removed now goes with the task's record.
async fn remove_outputs(context: &Context, attempt: &Attempt) {
    let lease = &attempt.lease;
    if let Err(error) = context.blobs.delete_lease(lease.task.id, lease.id).await {
        tracing::warn!(error = %Causes(&error), "outputs that do not count could not be removed");
    }
}

/// The one place where a failure is logged, when it is known what comes of it: a defect is worse than a bad image.
fn report(failure: &Failure, cause: Option<&BlobError>, message: &str) {
    let code = failure.code.as_str();
    let cause = cause.map(|cause| tracing::field::display(Causes(cause)));
    if failure.code == FailureCode::Internal {
        tracing::error!(failure.code = code, failure.message, cause, "{message}");
    } else {
        tracing::warn!(failure.code = code, failure.message, cause, "{message}");
    }
}
