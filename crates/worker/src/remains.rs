//! Removes what attempts left behind that died with their worker: whoever took the lease over, or ended the task, does
//! what the dead cannot.
//!
//! A folder is deleted only if it was there before a moment at which its lease was known to be void. Asked the other
//! way round, a lease taken between the question and the deletion would lose its outputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pixmill_broker::{BrokerError, EndedQuery, Renewal};
use pixmill_types::{Causes, LeaseId, Task, TaskId, Timestamp};

use crate::attempt::Ending;
use crate::context::Context;
use crate::running::{Attempt, StopReason};
use crate::upkeep::{UpkeepError, rounds};

/// Records looked at in one step.
const BATCH: usize = 100;
/// Rounds overlap by so much: the end of a task can be seen a little later than it says, and the nodes of a cluster have
/// clocks of their own.
const OVERLAP: Duration = Duration::from_secs(10);

/// Removes the outputs of earlier attempts at the task before its next one begins.
///
/// # Errors
/// [`Ending::Stopped`] when it turns out that the lease is void itself.
pub(crate) async fn clear_earlier(context: &Context, attempt: &Attempt) -> Result<(), Ending> {
    let task = &attempt.lease.task;
    // A first attempt has no predecessor, unless the task was sent round again by hand.
    if task.attempt <= 1 && task.failure.is_none() {
        return Ok(());
    }
    match try_clear_earlier(context, attempt).await {
        Ok(Renewal::Renewed(_)) => Ok(()),
        Ok(Renewal::Stale) => Err(Ending::Stopped(StopReason::Revoked)),
        Err(error) => {
            // They do not count and go with the record: no reason to fail an attempt.
            tracing::debug!(error = %Causes(&error), "outputs of an earlier attempt were left in place");
            Ok(())
        }
    }
}

async fn try_clear_earlier(context: &Context, attempt: &Attempt) -> Result<Renewal, UpkeepError> {
    let (lease, task) = (attempt.lease.id, attempt.lease.task.id);
    let found = context.blobs.leases(task).await?;
    if found.is_empty() {
        return Ok(Renewal::Renewed(attempt.lease.expires_at));
    }
    let renewals = context.broker.heartbeat(&context.options.id, &[lease]).await?;
    match renewals.first() {
        Some(renewed @ Renewal::Renewed(_)) => {
            delete(context, task, &found, Some(lease)).await?;
            Ok(*renewed)
        }
        Some(Renewal::Stale) | None => Ok(Renewal::Stale),
    }
}

/// Removes the outputs of tasks that ended with a dead worker's attempt: once on start, and whenever the reaper ended
/// tasks, until the loops end.
pub(crate) async fn clear_dead_ends(context: Arc<Context>) {
    let context = &*context;
    let last_round = AtomicU64::new(0);
    let round = || clear_ended(context, &last_round);
    rounds(context, "remains", round, || context.tasks_ended_by_reaper.notified()).await;
}

/// Clears tasks that ended since `last_round` (milliseconds by the broker's clock; 0 before the first, which looks back
/// for one sweep age).
async fn clear_ended(context: &Context, last_round: &AtomicU64) -> Result<(), UpkeepError> {
    let begun = context.broker.stats().await?.now;
    let since = match last_round.load(Ordering::Relaxed) {
        0 => begun.before(context.options.sweep_age),
        millis => Timestamp::from_millis(millis).before(OVERLAP),
    };
    let mut query = EndedQuery {
        queue: context.options.queue.clone(),
        since,
        after: None,
        limit: BATCH,
    };
    loop {
        let tasks = context.broker.ended(query.clone()).await?;
        for task in tasks.iter().filter(|task| may_have_remains(task)) {
            clear_task(context, task.id).await?;
        }
        let Some(last) = tasks.last() else { break };
        query.since = last.finished_at.unwrap_or(query.since);
        query.after = Some(last.id);
    }
    last_round.store(begun.as_millis(), Ordering::Relaxed);
    Ok(())
}

/// An attempt that ends by its own worker's hand tidies up; a bad image is not even written.
fn may_have_remains(task: &Task) -> bool {
    let bad_image = task.failure.as_ref().is_some_and(|failure| failure.code.is_permanent());
    task.attempt > 0 && !bad_image
}

async fn clear_task(context: &Context, task: TaskId) -> Result<(), UpkeepError> {
    let found = context.blobs.leases(task).await?;
    if found.is_empty() {
        return Ok(());
    }
    match context.broker.get(task).await {
        Ok(record) if record.state.is_final() => {
            let counts = record.success.map(|success| success.lease);
            delete(context, task, &found, counts).await
        }
        // Sent round again by hand, or deleted with all its files.
        Ok(_) | Err(BrokerError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn delete(context: &Context, task: TaskId, leases: &[LeaseId], keep: Option<LeaseId>) -> Result<(), UpkeepError> {
    for lease in leases.iter().filter(|lease| Some(**lease) != keep) {
        context.blobs.delete_lease(task, *lease).await?;
    }
    Ok(())
}
