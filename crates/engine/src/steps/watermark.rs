//! Lays an image of the assets on the picture.

use pixmill_types::steps::{Filter, Fit, Resize, Watermark};
use pixmill_types::{AssetName, Color, Focus};

use super::channels::convert;
use super::overlay::{Place, lay};
use crate::EngineError;
use crate::assets::Assets;
use crate::decode;
use crate::mill::Control;
use crate::pixels::{Channels, Image};
use crate::plan::{DecodePlan, resize_operations};
use crate::probe;

/// The most pixels of an image that is laid on others.
pub(crate) const MOST_PIXELS: u64 = 2_000_000;

/// The picture with the image on it.
pub(super) fn watermark(
    image: Image,
    step: &Watermark,
    assets: &dyn Assets,
    control: &dyn Control,
) -> Result<Image, EngineError> {
    let colored = image.channels.to_colored();
    let mut image = convert(image, colored)?;
    let mark = scaled(read(&step.image, assets, control)?, step, &image, control)?;
    let (room_beside, room_over) = (image.width - mark.width, image.height - mark.height);
    let margins = if step.tile { 0 } else { 2 * step.margin };
    let (left, top) = step
        .gravity
        .offset(room_beside.saturating_sub(margins), room_over.saturating_sub(margins));
    let inset = |room: u32| step.margin.min(room / 2);
    let place = match step.tile {
        true => Place::Everywhere { gap: step.margin },
        false => Place::At {
            left: left + inset(room_beside),
            top: top + inset(room_over),
        },
    };
    lay(&mut image, &mark, place, step.opacity, control)?;
    Ok(image)
}

/// The asset, decoded and upright, with colour and alpha.
fn read(name: &AssetName, assets: &dyn Assets, control: &dyn Control) -> Result<Image, EngineError> {
    let unusable =
        |why: &dyn std::fmt::Display| EngineError::Impossible(format!("the asset {name} cannot be used: {why}"));
    let file = assets.read(name).map_err(|why| unusable(&why))?;
    let header = probe::probe_whole(&file).map_err(|error| unusable(&error))?;
    if header.pixels() == 0 || header.pixels() > MOST_PIXELS {
        let why = format!("it has {} pixels, at most {MOST_PIXELS} are allowed", header.pixels());
        return Err(unusable(&why));
    }
    let image = match decode::decode(&file, &header, &DecodePlan::GENERAL, control) {
        Ok(image) => super::orient::upright(image, header.orientation)?,
        Err(EngineError::Stopped) => return Err(EngineError::Stopped),
        Err(error) => return Err(unusable(&error)),
    };
    convert(image, Channels::Rgba)
}

/// The mark as large as it will be.
fn scaled(mark: Image, step: &Watermark, on: &Image, control: &dyn Control) -> Result<Image, EngineError> {
    let margins = if step.tile { 0 } else { 2 * step.margin };
    let room = |side: u32| side.saturating_sub(margins).max(1);
    let wanted = step
        .scale
        .map(|percent| (f64::from(on.width) * f64::from(percent) / 100.0).round().max(1.0) as u32);
    let resize = Resize {
        width: Some(wanted.unwrap_or(u32::MAX).min(room(on.width))),
        height: Some(room(on.height)),
        fit: Fit::Inside,
        filter: Filter::Lanczos3,
        enlarge: wanted.is_some(),
        gravity: Focus::CENTER,
        background: Color::WHITE,
        linear: false,
    };
    let mut mark = mark;
    for operation in resize_operations(&resize, mark.shape()) {
        mark = super::apply(&operation, mark, &crate::NoAssets, control)?;
    }
    Ok(mark)
}
