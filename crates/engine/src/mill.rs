//! Carries out a plan: decodes, works, encodes, and minds the time.

use std::time::Duration;

use pixmill_types::{ImageFormat, Limits, Recipe};

use crate::EngineError;

/// Asked between pieces of work whether to go on.
pub trait Control: Sync {
    /// Whether the work is to stop now: cancelled, or out of time.
    fn should_stop(&self) -> bool;
}

/// One finished output.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: ImageFormat,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
}

/// What milling one image brought.
#[derive(Debug, Clone)]
pub struct Milled {
    /// One output for each of the recipe's, in its order.
    pub outputs: Vec<Rendered>,
    /// What a person should know although it worked.
    pub warnings: Vec<String>,
    /// Time spent in each stage, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Mills one image.
pub fn mill(_input: &[u8], _recipe: &Recipe, _limits: &Limits, _control: &dyn Control) -> Result<Milled, EngineError> {
    unimplemented!()
}
