//! One attempt at one task: read, mill, write, settle.
//!
//! The input's length is checked against the record, its hash is not: the store published it whole after hashing it,
//! and disks and object stores check their own bits. What a second pass over every input could still find does not
//! pay for it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt, stream};
use pixmill_blob::{BlobError, BlobKey};
use pixmill_broker::Completion;
use pixmill_engine::{EngineError, Milled, Rendered};
use pixmill_types::{Failure, FailureCode, Mill, OutputImage, Payload, Segment};
use tracing::Instrument;

use crate::capacity::{MemoryPermit, SlotPermit};
use crate::context::Context;
use crate::mill;
use crate::remains;
use crate::running::{Attempt, Registration, StopReason};
use crate::settle;
use crate::store;

/// Outputs of one task written at the same time.
const CONCURRENT_WRITES: usize = 4;

/// Why there is nothing to deliver.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It cannot be done, or not now.
    Failed {
        /// For the record.
        failure: Failure,
        /// For the log alone: it may name paths of the server.
        cause: Option<BlobError>,
    },
    /// Nothing can be stored now, whatever it is: no fault of this task's, and no reason to use up its attempts.
    Unstored(BlobError),
    /// It was told to stop.
    Stopped(StopReason),
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Self::Failed { failure, cause: None }
    }
}

/// What an attempt holds while it runs.
pub(crate) struct Holding {
    pub(crate) registration: Registration,
    pub(crate) slot: SlotPermit,
    pub(crate) memory: MemoryPermit,
}

/// Runs the attempt to its end, whatever that is.
pub(crate) async fn run(context: Arc<Context>, holding: Holding) {
    let task = &holding.registration.attempt().lease.task;
    let span = tracing::info_span!(
        "attempt",
        task.id = %task.id,
        task.attempt = task.attempt,
        trace.parent = task.trace_parent,
    );
    attempt(&context, holding).instrument(span).await;
}

async fn attempt(context: &Context, holding: Holding) {
    fail::fail_point!("worker.claimed", |_| std::process::abort());
    let Holding {
        registration,
        slot,
        memory,
    } = holding;
    let attempt = registration.attempt();
    let mut outputs_begun = false;
    let worked = work(context, attempt, slot, memory, &mut outputs_begun).await;
    // The permit lives until here: what is not yet settled is still in hand.
    let (ended, _memory) = match worked {
        Ok((completion, memory)) => (Ok(completion), Some(memory)),
        Err(ending) => (Err(ending), None),
    };
    settle::settle(context, attempt, ended, outputs_begun).await;
}

async fn work(
    context: &Context,
    attempt: &Arc<Attempt>,
    slot: SlotPermit,
    memory: MemoryPermit,
    outputs_begun: &mut bool,
) -> Result<(Completion, MemoryPermit), Ending> {
    let Payload::Mill(mill) = &attempt.lease.task.payload;
    // Names that clash are found before anything is done.
    let planned = mill::segments(mill, &mill::planned_formats(mill))?;
    remains::clear_earlier(context, attempt).await?;
    let input = read(context, attempt, mill).await?;
    let (milled, mut memory) = mill_in_slot(context, attempt, slot, memory, input).await?;
    let outputs_bytes: usize = milled.outputs.iter().map(|output| output.bytes.len()).sum();
    memory.shrink_to(outputs_bytes as u64);
    if milled.outputs.len() != planned.len() {
        let message = format!("{} outputs instead of {}", milled.outputs.len(), planned.len());
        return Err(Failure::new(FailureCode::Internal, message).into());
    }
    let formats: Vec<_> = milled.outputs.iter().map(|output| output.format).collect();
    let segments = mill::segments(mill, &formats)?;
    *outputs_begun = true;
    let outputs = write(context, attempt, segments, milled.outputs).await?;
    let completion = Completion {
        outputs,
        warnings: milled.warnings,
        follow_ups: Vec::new(),
    };
    Ok((completion, memory))
}

async fn read(context: &Context, attempt: &Attempt, mill: &Mill) -> Result<Bytes, Ending> {
    let begun = Instant::now();
    let key = BlobKey::input(attempt.lease.task.id, &mill.input.segment);
    let input = store::unless_silent(context, attempt, context.blobs.get(&key)).await?;
    let input = match input {
        Ok(input) => input,
        Err(cause) => return Err(store::failure(context, attempt, cause, "the input could not be read").await),
    };
    if input.len() as u64 != mill.input.bytes {
        let message = format!("the input has {} bytes instead of {}", input.len(), mill.input.bytes);
        return Err(Failure::new(FailureCode::StorageUnavailable, message).into());
    }
    context.metrics.reading.record(begun.elapsed().as_secs_f64());
    Ok(input)
}

/// The slot and the memory stay taken until the thread is done, even when nobody waits for it any more.
async fn mill_in_slot(
    context: &Context,
    attempt: &Arc<Attempt>,
    slot: SlotPermit,
    memory: MemoryPermit,
    input: Bytes,
) -> Result<(Milled, MemoryPermit), Ending> {
    let (limits, assets) = (context.options.limits.clone(), context.options.assets.clone());
    let in_thread = Arc::clone(attempt);
    let work = context.slots.run(move || {
        let milled = mill::mill(&in_thread, &input, &assets, &limits);
        drop(slot);
        (milled, memory)
    });
    let Ok(((milled, time), memory)) = unless_stopped(attempt, work).await? else {
        return Err(Failure::new(FailureCode::Internal, "the engine panicked").into());
    };
    context.metrics.milling.record(time.as_secs_f64());
    match (milled, attempt.stop_reason()) {
        (Ok(milled), _) => {
            context.metrics.engine_stages(&milled.timings);
            Ok((milled, memory))
        }
        (Err(EngineError::Stopped), Some(reason)) => Err(Ending::Stopped(reason)),
        (Err(error), _) => Err(error.to_failure().into()),
    }
}

/// Writes that have begun are waited for, also when one of them fails or the attempt is told to stop: a write left to
/// itself could end after its folder was cleared.
async fn write(
    context: &Context,
    attempt: &Attempt,
    segments: Vec<Segment>,
    rendered: Vec<Rendered>,
) -> Result<Vec<OutputImage>, Ending> {
    let begun = Instant::now();
    let writes = segments
        .into_iter()
        .zip(rendered)
        .map(|(segment, rendered)| write_one(context, attempt, segment, rendered));
    let written: Vec<Result<OutputImage, Ending>> = stream::iter(writes).buffered(CONCURRENT_WRITES).collect().await;
    context.metrics.writing.record(begun.elapsed().as_secs_f64());
    written.into_iter().collect()
}

async fn write_one(
    context: &Context,
    attempt: &Attempt,
    segment: Segment,
    rendered: Rendered,
) -> Result<OutputImage, Ending> {
    if let Some(reason) = attempt.stop_reason() {
        return Err(Ending::Stopped(reason));
    }
    let lease = &attempt.lease;
    let key = BlobKey::output(lease.task.id, lease.id, &segment);
    let stored = context.blobs.put(&key, Bytes::from(rendered.bytes)).await;
    let stored = match stored {
        Ok(stored) => stored,
        Err(cause) => return Err(store::failure(context, attempt, cause, "an output could not be written").await),
    };
    fail::fail_point!("worker.output_written", |_| std::process::abort());
    Ok(OutputImage {
        segment,
        bytes: stored.bytes,
        hash: stored.hash,
        format: rendered.format,
        width: rendered.width,
        height: rendered.height,
    })
}

/// The result of `work`, unless the attempt is told to stop or runs out of time before.
pub(crate) async fn unless_stopped<F: Future>(attempt: &Attempt, work: F) -> Result<F::Output, Ending> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        reason = attempt.stopped() => Err(Ending::Stopped(reason)),
        () = tokio::time::sleep_until(attempt.deadline) => {
            attempt.stop(StopReason::TimedOut);
            Err(Ending::Stopped(attempt.stop_reason().unwrap_or(StopReason::TimedOut)))
        }
    }
}
