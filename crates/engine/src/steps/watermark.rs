//! Lays an image of the assets on the picture (source over, W3C Compositing and Blending Level 1, 9.1.4).

use pixmill_types::steps::{Filter, Fit, Resize, Watermark};
use pixmill_types::{AssetName, Color, Focus};

use super::channels::convert;
use crate::EngineError;
use crate::assets::Assets;
use crate::decode;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Sample, both_depths};
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
    let place = Place {
        row: image.width as usize,
        channels: colored.count(),
        mark_row: mark.width as usize,
        // Whether the mark is repeated, this many pixels apart.
        gap: step.tile.then_some(step.margin as usize),
        left: if step.tile {
            0
        } else {
            (left + inset(room_beside)) as usize
        },
        top: if step.tile {
            0
        } else {
            (top + inset(room_over)) as usize
        },
        opacity: step.opacity,
    };
    both_depths!(&mut image.samples, samples => {
        both_depths!(&mark.samples, mark => place.lay(samples, mark, control))
    })?;
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

/// Where the mark lies, in pixels; its pixels have four samples.
struct Place {
    row: usize,
    channels: usize,
    mark_row: usize,
    gap: Option<usize>,
    left: usize,
    top: usize,
    opacity: f32,
}

impl Place {
    fn lay<T: Sample, M: Sample>(
        &self,
        samples: &mut [T],
        mark: &[M],
        control: &dyn Control,
    ) -> Result<(), EngineError> {
        let rows = mark.len() / (self.mark_row * 4);
        let period = self.gap.map_or(usize::MAX, |gap| rows + gap);
        for (y, row) in samples
            .chunks_exact_mut(self.row * self.channels)
            .enumerate()
            .skip(self.top)
        {
            let mark_y = (y - self.top) % period;
            if mark_y >= rows {
                if self.gap.is_none() {
                    break;
                }
                continue;
            }
            if control.should_stop() {
                return Err(EngineError::Stopped);
            }
            let mark = &mark[mark_y * self.mark_row * 4..][..self.mark_row * 4];
            let step = self.gap.map_or(self.row, |gap| self.mark_row + gap);
            for left in (self.left..self.row).step_by(step) {
                let pixels = row[left * self.channels..].chunks_exact_mut(self.channels);
                for (pixel, mark) in pixels.zip(mark.chunks_exact(4)) {
                    self.mix(pixel, mark);
                }
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn mix<T: Sample, M: Sample>(&self, pixel: &mut [T], mark: &[M]) {
        let share = |sample: M| Into::<f32>::into(sample) / M::MAX as f32;
        let above = share(mark[3]) * self.opacity;
        let max = T::MAX as f32;
        match pixel {
            [red, green, blue] => {
                for (color, mark) in [red, green, blue].into_iter().zip(mark) {
                    let own: f32 = (*color).into();
                    *color = T::nearest(own + (share(*mark) * max - own) * above);
                }
            }
            [red, green, blue, alpha] => {
                let below = Into::<f32>::into(*alpha) / max * (1.0 - above);
                let whole = above + below;
                for (color, mark) in [red, green, blue].into_iter().zip(mark) {
                    let own: f32 = (*color).into();
                    if whole > 0.0 {
                        *color = T::nearest((share(*mark) * max * above + own * below) / whole);
                    }
                }
                *alpha = T::nearest(whole * max);
            }
            _ => {}
        }
    }
}
