//! The janitor: purges what has expired at the broker, deletes the blobs of deleted tasks, sweeps blobs and staging files
//! that no record owns. In bounded batches, so that it never holds the broker or the store for long.
//!
//! Every step may be repeated and may run on many nodes at once. A record that is deleted leaves a note until its
//! blobs are gone, so a janitor that dies half way loses nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use pixmill_blob::BlobError;
use pixmill_types::TaskId;
use tokio::time::sleep;

use crate::backoff::jittered;
use crate::context::Context;
use crate::installation::{BrokerPlace, check_installation};
use crate::upkeep::{UpkeepError, rounds};

/// Tasks treated in one step.
const BATCH: usize = 100;
/// Tasks whose blobs are deleted at the same time.
const CONCURRENT_DELETIONS: usize = 4;
/// How often the notes of deleted records are read. One small query: cheap enough that somebody who deletes an image
/// need not wonder why its file is still there.
const DELETION_INTERVAL: Duration = Duration::from_secs(2);
/// Sweeps in one sweep age.
const SWEEPS: u32 = 24;

/// Purges what has expired until the loops end.
pub(crate) async fn purge_expired(context: Arc<Context>) {
    let context = &*context;
    let interval = context.options.janitor_interval;
    rounds(
        context,
        "janitor, purge",
        || purge(context),
        || sleep(jittered(interval)),
    )
    .await;
}

/// Deletes the blobs of deleted records until the loops end.
pub(crate) async fn delete_blobs(context: Arc<Context>) {
    let context = &*context;
    let interval = context.options.janitor_interval.min(DELETION_INTERVAL);
    rounds(
        context,
        "janitor, deletions",
        || delete_pending(context),
        || sleep(jittered(interval)),
    )
    .await;
}

/// Sweeps what no record owns until the loops end.
pub(crate) async fn sweep_strays(context: Arc<Context>) {
    let context = &*context;
    let interval = context.options.janitor_interval.max(context.options.sweep_age / SWEEPS);
    rounds(
        context,
        "janitor, sweep",
        || sweep(context),
        || sleep(jittered(interval)),
    )
    .await;
}

async fn purge(context: &Context) -> Result<(), UpkeepError> {
    loop {
        let purged = context.broker.purge(BATCH).await?;
        context.metrics.purged.increment(purged);
        if purged < BATCH as u64 {
            return Ok(());
        }
    }
}

async fn delete_pending(context: &Context) -> Result<(), UpkeepError> {
    loop {
        let pending = context.broker.pending_deletions(BATCH).await?;
        if pending.is_empty() {
            return Ok(());
        }
        let (deleted, failed) = delete_tasks(context, &pending).await;
        context.metrics.deleted.increment(deleted.len() as u64);
        context.broker.deletions_done(&deleted).await?;
        // Those that failed come first again in the next batch: go on only while there is progress.
        if let Some(error) = failed.filter(|_| deleted.is_empty()) {
            return Err(error.into());
        }
        if pending.len() < BATCH {
            return Ok(());
        }
    }
}

async fn sweep(context: &Context) -> Result<(), UpkeepError> {
    let place = context.options.broker_place;
    if place == BrokerPlace::Process && context.blobs.installation().await?.is_some() {
        return Ok(());
    }
    check_installation(&*context.registry, place, &context.blobs).await?;
    let age = context.options.sweep_age;
    let mut batches = context.blobs.tasks_older_than(age).try_chunks(BATCH);
    while let Some(batch) = batches.next().await {
        let tasks = batch.map_err(|cut_short| cut_short.1)?;
        // A task is submitted at most half a sweep age after its upload began, so one that is unknown at this age
        // will never come into being.
        let known = context.broker.known(&tasks).await?;
        let orphans: Vec<TaskId> = tasks
            .into_iter()
            .zip(known)
            .filter_map(|(task, known)| (!known).then_some(task))
            .collect();
        if orphans.is_empty() {
            continue;
        }
        // The broker may have been emptied since: then it knows nothing, and this neither.
        check_installation(&*context.registry, place, &context.blobs).await?;
        let (deleted, failed) = delete_tasks(context, &orphans).await;
        context.metrics.orphans.increment(deleted.len() as u64);
        if !deleted.is_empty() {
            tracing::warn!(tasks = deleted.len(), "files of tasks that have no record were deleted");
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    let staging_files = context.blobs.sweep_staging(age).await?;
    context.metrics.staging_files.increment(staging_files);
    Ok(())
}

/// Deletes the blobs of `tasks`: those that are gone, and the last error.
async fn delete_tasks(context: &Context, tasks: &[TaskId]) -> (Vec<TaskId>, Option<BlobError>) {
    let deletions = tasks
        .iter()
        .copied()
        .map(|task| async move { (task, context.blobs.delete_task(task).await) });
    let mut results = stream::iter(deletions).buffer_unordered(CONCURRENT_DELETIONS);
    let (mut deleted, mut failed) = (Vec::with_capacity(tasks.len()), None);
    while let Some((task, result)) = results.next().await {
        match result {
            Ok(()) => deleted.push(task),
            Err(error) => failed = Some(error),
        }
    }
    (deleted, failed)
}
