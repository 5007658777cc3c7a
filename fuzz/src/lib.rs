//! What must hold whatever bytes come in: one function a target of the fuzzer, which panics where it does not.
//!
//! The targets in `fuzz_targets/` hand them what libFuzzer makes up; `tests/seeds.rs` replays the files in `seeds/` and `found/`.

mod font;
mod jpeg;
mod probe;
mod process;
mod recipe;

pub use font::font;
pub use jpeg::jpeg;
pub use probe::probe;
pub use process::process;
pub use recipe::recipe;

use pixmill_engine::{EngineError, Milled, NeverStop};
use pixmill_types::{Limits, Recipe};

/// So small that an input takes milliseconds, so large that every stage has more than one strip.
fn limits() -> Limits {
    Limits {
        max_input_bytes: 64 * 1024,
        max_pixels: 128 * 128,
        max_width: 4096,
        max_height: 4096,
        max_frames: 8,
        max_output_pixels: 128 * 128,
        max_task_memory_bytes: 128 * 1024 * 1024,
        ..Limits::default()
    }
}

/// Mills; a defect of the engine is a finding, everything else has a code of its own.
fn mill(input: &[u8], recipe: &Recipe) -> Result<Milled, EngineError> {
    let milled = pixmill_engine::mill(input, recipe, &limits(), &NeverStop);
    if let Err(EngineError::Internal(why)) = &milled {
        panic!("{recipe}: {why}");
    }
    milled
}

/// Panics that end in the decoders of others are theirs: the engine catches them and says that the file is damaged. Those
/// that end in our own crates are findings, although they are caught as well.
pub fn forgive_panics_of_decoders() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_ours = panic.location().is_none_or(|location| {
            let file = location.file();
            !file.contains("/registry/") && !file.starts_with("/rustc/")
        });
        if is_ours {
            abort(panic);
        }
    }));
}
