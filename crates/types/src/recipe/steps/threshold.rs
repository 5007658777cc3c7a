//! `threshold`: makes black and white.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Makes luma (ITU-R BT.601) of `level` and above white, the rest black. Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// The darkest level that becomes white, of 255.
    pub level: u32,
}

impl StepDefinition for Threshold {
    const REFERENCE: StepReference = StepReference {
        name: "threshold",
        about: "Makes luma (ITU-R BT.601) of that level and above white, the rest black. Alpha is kept.",
        parameters: &[Parameter {
            name: "level",
            kind: ParameterKind::Integer { min: 1, max: 255 },
            default: Some("128"),
            about: "The darkest level that becomes white, of 255.",
        }],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            level: arguments.integer("level")?.unwrap_or(128),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        call.positional(self.level)
    }
}
