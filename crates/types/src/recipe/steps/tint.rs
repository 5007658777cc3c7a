//! `tint`: tones the picture in one colour.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::color::Color;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Mixes every pixel with the colour as bright as its own luma (ITU-R BT.601): white becomes the colour, black stays.
/// Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tint {
    /// The colour; opaque.
    pub color: Color,
    /// 0 changes nothing, 1 leaves no other colour.
    pub amount: f32,
}

impl StepDefinition for Tint {
    const REFERENCE: StepReference = StepReference {
        name: "tint",
        about: "Tones the picture in one colour: white becomes it, black stays. Alpha is kept.",
        parameters: &[
            Parameter {
                name: "color",
                kind: ParameterKind::Color,
                default: None,
                about: "The colour; opaque.",
            },
            Parameter {
                name: "amount",
                kind: ParameterKind::Decimal { min: 0.0, max: 1.0 },
                default: Some("1"),
                about: "0 changes nothing, 1 leaves no other colour.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let Some(color) = arguments.color("color")? else {
            return Err(arguments.error("color is not given, it is needed"));
        };
        if !color.is_opaque() {
            return Err(arguments.error(format!("color is \"{color}\", allowed is an opaque colour")));
        }
        Ok(Self {
            color,
            amount: arguments.decimal("amount")?.unwrap_or(1.0),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        let call = call.positional(self.color);
        if self.amount == 1.0 {
            call
        } else {
            call.named("amount", self.amount)
        }
    }
}
