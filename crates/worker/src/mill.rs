//! What a worker does with a `Mill` payload between reading its input and writing its outputs.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pixmill_blob::AssetFolder;
use pixmill_engine::{Control, EngineError, Milled};
use pixmill_types::{Failure, FailureCode, FileFormat, Limits, Mill, Payload, Segment};

use crate::assets::FolderAssets;
use crate::running::Attempt;

/// The formats that the outputs will have, as far as that is known before.
pub(crate) fn planned_formats(mill: &Mill) -> Vec<FileFormat> {
    let outputs = mill.recipe.outputs().iter();
    outputs.map(|output| output.format_for(mill.input.format)).collect()
}

/// The names the outputs of these formats are stored under, in the recipe's order.
///
/// # Errors
/// A permanent failure when two outputs would get one name: `photo` and `{name}` do for an input `photo.jpg`.
pub(crate) fn segments(mill: &Mill, formats: &[FileFormat]) -> Result<Vec<Segment>, Failure> {
    let input = &mill.input;
    let segments: Vec<Segment> = mill
        .recipe
        .outputs()
        .iter()
        .zip(formats)
        .map(|(output, format)| output.segment_for(&input.segment, *format))
        .collect();
    let mut seen = HashSet::new();
    match segments.iter().find(|segment| !seen.insert(*segment)) {
        None => Ok(segments),
        Some(twice) => Err(Failure::new(
            FailureCode::RecipeImpossible,
            format!("two outputs would be named {twice}, give each its own name"),
        )),
    }
}

/// Mills on the calling thread; also returns how long it took.
pub(crate) fn mill(
    attempt: &Arc<Attempt>,
    input: &Bytes,
    assets: &AssetFolder,
    limits: &Limits,
) -> (Result<Milled, EngineError>, Duration) {
    let Payload::Mill(mill) = &attempt.lease.task.payload;
    let begun = Instant::now();
    let control = AttemptControl {
        attempt,
        asked: AtomicBool::new(false),
    };
    let milled = pixmill_engine::mill_with(&FolderAssets(assets), input, &mill.recipe, limits, &control);
    (milled, begun.elapsed())
}

struct AttemptControl<'a> {
    attempt: &'a Attempt,
    asked: AtomicBool,
}

impl Control for AttemptControl<'_> {
    fn should_stop(&self) -> bool {
        if fail::has_failpoints() && !self.asked.swap(true, Ordering::Relaxed) {
            fail::fail_point!("worker.mid_milling", |_| std::process::abort());
        }
        self.attempt.stop_reason().is_some()
    }
}
