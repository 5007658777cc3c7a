//! Cuts out the part of a picture that draws the eye: where edges, strong colours and skin are.
//!
//! Scores a small copy, as libvips's smartcrop does, and takes the place of the part with the highest sum; of equals the
//! one nearest to the middle. The same picture gives the same part everywhere: scores are whole numbers.

use pixmill_types::steps::Filter;

use super::channels::convert;
use super::crop::crop;
use super::resize;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Channels, Image, Samples};
use crate::plan::{Margins, ResizePlan};

/// The longer side of the copy that is looked at, pixels.
const LONGER_SIDE: u32 = 96;
/// How red, green and blue of skin relate, as a direction in 256ths; libvips has it from smartcrop.js.
const SKIN: [i32; 3] = [200, 146, 113];

/// The part of `width` x `height` pixels, at most the picture, that draws the eye.
pub(super) fn attention(image: Image, width: u32, height: u32, control: &dyn Control) -> Result<Image, EngineError> {
    let margins = Scores::of(&image)?.around(width, height);
    crop(image, margins, control)
}

/// Sums of scores, so that the sum of any part is four numbers.
pub(crate) struct Scores {
    /// Sides of the picture, pixels.
    whole: (u32, u32),
    /// Sides of the copy that was looked at.
    width: usize,
    height: usize,
    /// Of everything left of and above each corner of a pixel, row by row.
    sums: Vec<u64>,
}

impl Scores {
    /// Scores a picture.
    ///
    /// # Errors
    /// [`EngineError::Internal`] when memory is lacking.
    pub(crate) fn of(image: &Image) -> Result<Self, EngineError> {
        let whole = (image.width, image.height);
        let longer = whole.0.max(whole.1);
        let small =
            |side: u32| (u64::from(side) * u64::from(LONGER_SIDE.min(longer)) / u64::from(longer)).max(1) as u32;
        let copy = ResizePlan::whole(image.shape(), (small(whole.0), small(whole.1)), Filter::Box);
        let copy = resize::scaled(image, &copy)?.into_eight_bit();
        Ok(Self::of_copy(&convert(copy, Channels::Rgba)?, whole))
    }

    /// Takes the scores of another picture of the same sides into account too.
    pub(crate) fn add(&mut self, other: &Self) {
        self.sums
            .iter_mut()
            .zip(&other.sums)
            .for_each(|(sum, other)| *sum += other);
    }

    /// What to cut off so that the part of `width` x `height` pixels is left that draws the eye.
    pub(crate) fn around(&self, width: u32, height: u32) -> Margins {
        let (whole_width, whole_height) = self.whole;
        // The part's sides in the copy, and where in it the part lies.
        let part = |side: u32, whole: u32, small: usize| {
            (u64::from(side) * small as u64)
                .div_ceil(u64::from(whole))
                .clamp(1, small as u64) as usize
        };
        let size = (
            part(width, whole_width, self.width),
            part(height, whole_height, self.height),
        );
        let (left, top) = self.best(size);
        let offset = |place: usize, room: usize, beside: u32| match room {
            0 => beside / 2,
            room => (u64::from(beside) * place as u64 / room as u64) as u32,
        };
        let left = offset(left, self.width - size.0, whole_width - width);
        let top = offset(top, self.height - size.1, whole_height - height);
        Margins {
            left,
            top,
            right: whole_width - width - left,
            bottom: whole_height - height - top,
        }
    }

    /// Scores a copy of red, green, blue and alpha, 8 bits each.
    fn of_copy(image: &Image, whole: (u32, u32)) -> Self {
        let (width, height) = (image.width as usize, image.height as usize);
        let pixels = match &image.samples {
            Samples::Eight(samples) => samples.as_chunks::<4>().0,
            Samples::Sixteen(_) => &[],
        };
        let luma = |[red, green, blue, alpha]: [u8; 4]| {
            (19_595 * i32::from(red) + 38_470 * i32::from(green) + 7_471 * i32::from(blue)) / 65_536 * i32::from(alpha)
                / 255
        };
        let lumas: Vec<i32> = pixels.iter().map(|pixel| luma(*pixel)).collect();
        let at = |x: usize, y: usize| lumas[y.min(height - 1) * width + x.min(width - 1)];
        let mut sums = vec![0; (width + 1) * (height + 1)];
        for (index, pixel) in pixels.iter().enumerate() {
            let (x, y) = (index % width, index / width);
            let around = at(x.saturating_sub(1), y) + at(x + 1, y) + at(x, y.saturating_sub(1)) + at(x, y + 1);
            let edge = (4 * at(x, y) - around).abs();
            let score = (2 * edge + colourfulness(*pixel) + skin(*pixel)).unsigned_abs();
            let corner = (y + 1) * (width + 1) + x + 1;
            sums[corner] = u64::from(score) + sums[corner - 1] + sums[corner - width - 1] - sums[corner - width - 2];
        }
        Self {
            whole,
            width,
            height,
            sums,
        }
    }

    fn sum(&self, (left, top): (usize, usize), (width, height): (usize, usize)) -> u64 {
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        at(left + width, top + height) + at(left, top) - at(left + width, top) - at(left, top + height)
    }

    /// Where the part of these sides with the highest sum lies.
    fn best(&self, size: (usize, usize)) -> (usize, usize) {
        let room = (self.width - size.0, self.height - size.1);
        let from_middle = |(left, top): (usize, usize)| (2 * left).abs_diff(room.0) + (2 * top).abs_diff(room.1);
        let places = (0..=room.1).flat_map(|top| (0..=room.0).map(move |left| (left, top)));
        places
            .max_by_key(|place| (self.sum(*place, size), std::cmp::Reverse(from_middle(*place))))
            .unwrap_or((0, 0))
    }
}

/// How strong a colour is; of what is nearly black nothing is seen.
fn colourfulness([red, green, blue, alpha]: [u8; 4]) -> i32 {
    let most = red.max(green).max(blue);
    if most < 32 {
        return 0;
    }
    i32::from(most - red.min(green).min(blue)) * i32::from(alpha) / 255
}

/// How near to the colour of skin, 0 to 255; neither in the dark nor in glaring light.
fn skin([red, green, blue, alpha]: [u8; 4]) -> i32 {
    let color = [i32::from(red), i32::from(green), i32::from(blue)];
    let length = f64::from(color.iter().map(|c| c * c).sum::<i32>()).sqrt() as i32;
    if !(70..=410).contains(&length) {
        return 0;
    }
    let distance: i32 = color
        .iter()
        .zip(SKIN)
        .map(|(c, skin)| (c * 256 / length - skin).abs())
        .sum();
    (255 - distance * 4).max(0) * i32::from(alpha) / 255
}
