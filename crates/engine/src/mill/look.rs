//! A look at all frames of an animation, so that what depends on pixels is done to all of them alike.
//!
//! Owns what each of the operations that look at pixels finds in several pictures: what any of them shows, where all together
//! draw the eye, how dark and light they are together.

use pixmill_types::steps::Normalise;

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::Image;
use crate::plan::{Margins, Operation};
use crate::steps::{Levels, Scores, border};

/// What was seen so far.
pub(super) enum Look {
    Trim {
        tolerance: u32,
        /// The border that all have that are not empty.
        common: Option<Margins>,
    },
    Attention {
        sides: (u32, u32),
        scores: Option<Scores>,
    },
    Normalise {
        step: Normalise,
        levels: Levels,
    },
}

impl Look {
    /// A look for an operation that needs one.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        match operation {
            Operation::Trim(trim) => Some(Self::Trim {
                tolerance: trim.tolerance,
                common: None,
            }),
            Operation::Attention { width, height } => Some(Self::Attention {
                sides: (*width, *height),
                scores: None,
            }),
            Operation::Normalise(step) => Some(Self::Normalise {
                step: *step,
                levels: Levels::default(),
            }),
            Operation::Orient(_)
            | Operation::Grayscale
            | Operation::Blur(_)
            | Operation::Resize(_)
            | Operation::Curve(_)
            | Operation::Matrix(_)
            | Operation::ToSrgb
            | Operation::Crop(_)
            | Operation::Pad(_)
            | Operation::Rotate(_)
            | Operation::Flatten(_)
            | Operation::Round(_)
            | Operation::Sharpen(_)
            | Operation::Pixelate(_)
            | Operation::Median(_)
            | Operation::Edge(_)
            | Operation::Watermark(_)
            | Operation::Text(_) => None,
        }
    }

    /// Looks at one more frame.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] when `control` says so, [`EngineError::Internal`] when memory is lacking.
    pub(super) fn at(&mut self, image: &Image, control: &dyn Control) -> Result<(), EngineError> {
        match self {
            Self::Trim { tolerance, common } => {
                *common = match (*common, border(image, *tolerance, control)?) {
                    (Some(common), Some(border)) => Some(common.zip(border, u32::min)),
                    (one, other) => one.or(other),
                };
            }
            Self::Attention { scores, .. } => {
                let own = Scores::of(image)?;
                match scores {
                    Some(scores) => scores.add(&own),
                    none => *none = Some(own),
                }
            }
            Self::Normalise { levels, .. } => levels.count(image, control)?,
        }
        Ok(())
    }

    /// What is done to every frame; nothing where all stay as they are.
    pub(super) fn settled(self) -> Option<Operation> {
        match self {
            Self::Trim { common, .. } => common.filter(|margins| *margins != Margins::NONE).map(Operation::Crop),
            Self::Attention { sides, scores } => Some(Operation::Crop(scores?.around(sides.0, sides.1))),
            Self::Normalise { step, levels } => Some(Operation::Curve(vec![levels.stretched(step)?])),
        }
    }
}
