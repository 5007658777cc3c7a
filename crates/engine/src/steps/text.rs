//! Writes on the picture.

use pixmill_types::steps::Text;

use super::channels::convert;
use super::overlay::{Place, lay};
use crate::EngineError;
use crate::assets::Assets;
use crate::mill::Control;
use crate::pixels::Image;
use crate::text;

/// The picture with the text on it.
pub(super) fn text(
    image: Image,
    step: &Text,
    assets: &dyn Assets,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    let channels = match step.is_gray() {
        true => image.channels,
        false => image.channels.to_colored(),
    };
    let mut image = convert(image, channels)?;
    if let Some(drawn) = text::draw(step, (image.width, image.height), assets, control)? {
        let place = match step.tile {
            true => Place::Everywhere { gap: step.margin },
            false => Place::At {
                left: drawn.left,
                top: drawn.top,
            },
        };
        lay(&mut image, &drawn.image, place, step.opacity, control)?;
    }
    Ok(image)
}
