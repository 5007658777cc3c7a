//! `normalise`: stretches the levels to all there are.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Stretches the levels so that the darkest luma (ITU-R BT.601) becomes black and the lightest white, all channels alike:
/// colours keep their hue. Some of the darkest and lightest pixels are left out of account; transparent ones always are.
/// A picture of one level stays as it is. Alpha is kept. All frames of an animation are stretched alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalise {
    /// The part of the pixels that may become black, percent; 0 to 49.
    pub low: f32,
    /// The part of the pixels that may become white, percent; 0 to 49.
    pub high: f32,
}

const PERCENT: ParameterKind = ParameterKind::Decimal { min: 0.0, max: 49.0 };

impl StepDefinition for Normalise {
    const REFERENCE: StepReference = StepReference {
        name: "normalise",
        about: "Stretches the levels so that the darkest luma becomes black and the lightest white, all channels alike: \
                colours keep their hue. Alpha is kept. All frames of an animation are stretched alike.",
        parameters: &[
            Parameter {
                name: "low",
                kind: PERCENT,
                default: Some("1"),
                about: "The part of the pixels, the darkest, that becomes black, percent.",
            },
            Parameter {
                name: "high",
                kind: PERCENT,
                default: Some("1"),
                about: "The part of the pixels, the lightest, that becomes white, percent.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            low: arguments.decimal("low")?.unwrap_or(1.0),
            high: arguments.decimal("high")?.unwrap_or(1.0),
        })
    }

    fn write(&self, mut call: CallWriter) -> CallWriter {
        if self.low != 1.0 {
            call = call.positional(self.low);
        }
        if self.high != 1.0 {
            call = call.named("high", self.high);
        }
        call
    }
}
