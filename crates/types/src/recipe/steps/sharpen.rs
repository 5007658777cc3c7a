//! `sharpen`: unsharp mask.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Adds to every level `amount` times what a Gaussian blur would take from it. Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sharpen {
    /// Standard deviation of the Gaussian, pixels; 0.3 to 20.
    pub sigma: f32,
    /// How much of the difference is added; 0 to 10.
    pub amount: f32,
    /// The largest difference that is left alone, of 255 levels.
    pub threshold: u32,
}

impl StepDefinition for Sharpen {
    const REFERENCE: StepReference = StepReference {
        name: "sharpen",
        about: "Unsharp mask: adds to every level some of its difference from a Gaussian blur. Alpha is kept.",
        parameters: &[
            Parameter {
                name: "sigma",
                kind: ParameterKind::Decimal { min: 0.3, max: 20.0 },
                default: Some("1"),
                about: "Standard deviation of the Gaussian, pixels: how wide the details are.",
            },
            Parameter {
                name: "amount",
                kind: ParameterKind::Decimal { min: 0.0, max: 10.0 },
                default: Some("1"),
                about: "How much of the difference is added; 0 changes nothing.",
            },
            Parameter {
                name: "threshold",
                kind: ParameterKind::Integer { min: 0, max: 255 },
                default: Some("0"),
                about: "The largest difference that is left alone, of 255 levels: more spares smooth areas their noise.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            sigma: arguments.decimal("sigma")?.unwrap_or(1.0),
            amount: arguments.decimal("amount")?.unwrap_or(1.0),
            threshold: arguments.integer("threshold")?.unwrap_or(0),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        let mut call = call.positional(self.sigma);
        if self.amount != 1.0 {
            call = call.named("amount", self.amount);
        }
        if self.threshold != 0 {
            call = call.named("threshold", self.threshold);
        }
        call
    }
}
