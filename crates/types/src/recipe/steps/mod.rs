//! The steps a recipe can name, one file each: parameters, ranges, canonical text. What they do to pixels is the
//! engine's.

mod blur;
mod brightness;
mod contrast;
mod crop;
mod edge;
mod flatten;
mod flip;
mod flop;
mod gamma;
mod grayscale;
mod hue;
mod invert;
mod median;
mod normalise;
mod orient;
mod pad;
mod pixelate;
mod resize;
mod rotate;
mod round;
mod saturation;
mod sepia;
mod sharpen;
mod text;
mod threshold;
mod tint;
mod trim;
mod watermark;

pub use blur::Blur;
pub use brightness::Brightness;
pub use contrast::Contrast;
pub use crop::{Crop, CropAt};
pub use edge::{Edge, EdgeOperator};
pub use flatten::Flatten;
pub use flip::Flip;
pub use flop::Flop;
pub use gamma::Gamma;
pub use grayscale::Grayscale;
pub use hue::Hue;
pub use invert::Invert;
pub use median::Median;
pub use normalise::Normalise;
pub use orient::Orient;
pub use pad::{Pad, PadBy};
pub use pixelate::Pixelate;
pub use resize::{Filter, Fit, Resize};
pub use rotate::{Rotate, RotateFilter};
pub use round::Round;
pub use saturation::Saturation;
pub use sepia::Sepia;
pub use sharpen::Sharpen;
pub use text::{Align, Font, Text};
pub use threshold::Threshold;
pub use tint::Tint;
pub use trim::Trim;
pub use watermark::Watermark;

use std::fmt;

use super::RecipeError;
use super::asset::AssetName;
use super::call::{Bound, Call, CallWriter};
use super::parameter::StepReference;
use super::quote::shortened;

/// What a file of this folder provides for its step.
trait StepDefinition: Sized {
    const REFERENCE: StepReference;

    fn parse(arguments: &mut Bound) -> Result<Self, RecipeError>;

    /// Adds the arguments that differ from their defaults.
    fn write(&self, call: CallWriter) -> CallWriter;

    /// The file of the folder of assets that the step uses, if any.
    fn asset(&self) -> Option<AssetName> {
        None
    }
}

macro_rules! steps {
    ($($step:ident),+ $(,)?) => {
        /// One step of a recipe.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Step {
            $(#[doc = concat!("See [`", stringify!($step), "`].")] $step($step)),+
        }

        impl Step {
            /// Every step there is, as the reference documents it.
            pub const REFERENCE: &[StepReference] = &[$(<$step as StepDefinition>::REFERENCE),+];

            /// The name in recipes.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$step(_) => <$step as StepDefinition>::REFERENCE.name),+ }
            }

            /// The file of the folder of assets that the step uses, if any.
            #[must_use]
            pub fn asset(&self) -> Option<AssetName> {
                match self { $(Self::$step(step) => step.asset()),+ }
            }

            pub(crate) fn from_call(call: Call) -> Result<Self, RecipeError> {
                $(if call.name == <$step as StepDefinition>::REFERENCE.name {
                    let mut arguments = call.bind(<$step as StepDefinition>::REFERENCE.parameters)?;
                    return <$step as StepDefinition>::parse(&mut arguments).map(Self::$step);
                })+
                let known: Vec<_> = Self::REFERENCE.iter().map(|reference| reference.name).collect();
                let name = shortened(&call.name);
                let problem = format!("unknown step {name}, allowed are {}", known.join(", "));
                Err(RecipeError::new(call.place, problem))
            }
        }

        impl fmt::Display for Step {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let call = CallWriter::new(self.name());
                f.write_str(&match self { $(Self::$step(step) => step.write(call)),+ }.finish())
            }
        }
    };
}

steps![
    Orient, Grayscale, Blur, Resize, Flip, Flop, Brightness, Contrast, Saturation, Hue, Gamma, Invert, Threshold,
    Sepia, Crop, Pad, Rotate, Flatten, Trim, Round, Sharpen, Pixelate, Median, Edge, Normalise, Tint, Watermark, Text,
];
