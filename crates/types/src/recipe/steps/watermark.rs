//! `watermark`: lays an image on the picture.

use super::{Bound, CallWriter, RecipeError, StepDefinition, StepReference};
use crate::recipe::asset::AssetName;
use crate::recipe::gravity::Gravity;
use crate::recipe::parameter::{Parameter, ParameterKind};

/// Lays an image of the folder of assets on the picture, which has colour afterwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watermark {
    /// The file of the image.
    pub image: AssetName,
    /// Where in the picture it lies.
    pub gravity: Gravity,
    /// How much of it is seen; 0 to 1.
    pub opacity: f32,
    /// Its width, percent of the picture's, 1 to 100; `None` leaves it as large as it is. It is never larger than the
    /// picture within its margins.
    pub scale: Option<f32>,
    /// Whether it is repeated all over the picture, from the upper left corner on.
    pub tile: bool,
    /// Room between it and the sides of the picture, or between two of it, pixels; 0 to 10,000.
    pub margin: u32,
}

const MARGIN: u32 = 16;

impl StepDefinition for Watermark {
    const REFERENCE: StepReference = StepReference {
        name: "watermark",
        about: "Lays an image of the folder of assets on the picture, which has colour afterwards.",
        parameters: &[
            Parameter {
                name: "image",
                kind: ParameterKind::AssetName,
                default: None,
                about: "Its file, of any format that is read; up to 2 megapixels.",
            },
            Parameter {
                name: "gravity",
                kind: ParameterKind::Choice(Gravity::NAMES),
                default: Some("south-east"),
                about: "Where in the picture it lies.",
            },
            Parameter {
                name: "opacity",
                kind: ParameterKind::Decimal { min: 0.0, max: 1.0 },
                default: Some("1"),
                about: "How much of it is seen.",
            },
            Parameter {
                name: "scale",
                kind: ParameterKind::Decimal { min: 1.0, max: 100.0 },
                default: None,
                about: "Its width, percent of the picture's; as large as it is when not given, and never larger than the \
                        picture within the margins.",
            },
            Parameter {
                name: "tile",
                kind: ParameterKind::Flag,
                default: Some("false"),
                about: "Whether it is repeated all over the picture, from the upper left corner on.",
            },
            Parameter {
                name: "margin",
                kind: ParameterKind::Integer { min: 0, max: 10_000 },
                default: Some("16"),
                about: "Room between it and the sides of the picture, or between two of it, pixels.",
            },
        ],
    };

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError> {
        let Some(image) = arguments.asset("image")? else {
            return Err(arguments.error("image is not given, it is needed"));
        };
        Ok(Self {
            image,
            gravity: arguments.gravity("gravity")?.unwrap_or(Gravity::SouthEast),
            opacity: arguments.decimal("opacity")?.unwrap_or(1.0),
            scale: arguments.decimal("scale")?,
            tile: arguments.flag("tile")?.unwrap_or(false),
            margin: arguments.integer("margin")?.unwrap_or(MARGIN),
        })
    }

    fn write(&self, call: CallWriter) -> CallWriter {
        let mut call = call.positional(self.image);
        if self.gravity != Gravity::SouthEast {
            call = call.named("gravity", self.gravity);
        }
        if self.opacity != 1.0 {
            call = call.named("opacity", self.opacity);
        }
        if let Some(scale) = self.scale {
            call = call.named("scale", scale);
        }
        if self.tile {
            call = call.named("tile", true);
        }
        if self.margin != MARGIN {
            call = call.named("margin", self.margin);
        }
        call
    }

    fn asset(&self) -> Option<AssetName> {
        Some(self.image)
    }
}
