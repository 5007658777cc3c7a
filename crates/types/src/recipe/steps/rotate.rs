//! `rotate`: turns by an angle.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::call::word_of;
use crate::recipe::color::Color;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Turns the picture clockwise about its middle; the result is as large as the turned picture needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotate {
    /// Clockwise, degrees; -360 to 360. Multiples of 90 lose nothing.
    pub angle: f32,
    /// What the corners that become free are filled with.
    pub background: Color,
    /// How pixels are mixed at other angles than right ones.
    pub filter: RotateFilter,
}

/// How `rotate` mixes pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotateFilter {
    /// Linear interpolation of 4 pixels: fast and soft.
    Bilinear,
    /// Cubic convolution of Catmull and Rom (a = -0.5) of 16 pixels.
    CatmullRom,
}

const FILTERS: &[(&str, RotateFilter)] = &[
    ("bilinear", RotateFilter::Bilinear),
    ("catmull_rom", RotateFilter::CatmullRom),
];

impl StepDefinition for Rotate {
    const REFERENCE: StepReference = StepReference {
        name: "rotate",
        about: "Turns the picture clockwise; the result is as large as the turned picture needs. Right angles lose nothing. \
                At others the picture gains alpha when the background has some, and colour when it has that.",
        parameters: &[
            Parameter {
                name: "angle",
                kind: ParameterKind::Decimal {
                    min: -360.0,
                    max: 360.0,
                },
                default: None,
                about: "Clockwise, degrees.",
            },
            Parameter {
                name: "background",
                kind: ParameterKind::Color,
                default: Some("white"),
                about: "What the corners that become free are filled with.",
            },
            Parameter {
                name: "filter",
                kind: ParameterKind::Choice(&["bilinear", "catmull_rom"]),
                default: Some("catmull_rom"),
                about: "How pixels are mixed when the angle is no right one.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        Ok(Self {
            angle: arguments.required_decimal("angle")?,
            background: arguments.color("background")?.unwrap_or(Color::WHITE),
            filter: arguments.choice("filter", FILTERS)?.unwrap_or(RotateFilter::CatmullRom),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        let mut call = call.positional(self.angle);
        if self.background != Color::WHITE {
            call = call.named("background", self.background);
        }
        if self.filter != RotateFilter::CatmullRom {
            call = call.named("filter", word_of(FILTERS, self.filter));
        }
        call
    }
}
