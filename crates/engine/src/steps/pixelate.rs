//! Makes squares of one colour: the mean of what they cover, colour weighted by its alpha.

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths, zeros};
use crate::plan::PixelatePlan;

/// Gives every square of `plan` the mean of its pixels.
pub(super) fn pixelate(mut image: Image, plan: &PixelatePlan, control: &dyn Control) -> Result<Image, EngineError> {
    let squares = Squares {
        width: image.width as usize,
        channels: image.channels.count(),
        has_alpha: image.channels.has_alpha(),
        side: plan.size as usize,
        first: first_side(plan.size, image.width, plan.from_right),
    };
    let first_rows = first_side(plan.size, image.height, plan.from_bottom);
    both_depths!(&mut image.samples, samples => squares.fill(samples, first_rows, control))?;
    Ok(image)
}

/// The side of the first square along a picture's side: less than a whole one where they are laid out from the far end.
const fn first_side(size: u32, picture: u32, from_far_end: bool) -> usize {
    match (from_far_end, picture % size) {
        (false, _) | (true, 0) => size as usize,
        (true, rest) => rest as usize,
    }
}

struct Squares {
    width: usize,
    channels: usize,
    has_alpha: bool,
    side: usize,
    /// Width of the first square.
    first: usize,
}

impl Squares {
    fn fill<T: Sample>(&self, samples: &mut [T], first_rows: usize, control: &dyn Control) -> Result<(), EngineError> {
        let row = self.width * self.channels;
        let mut sums: Vec<u64> = zeros(((self.width / self.side + 2) * self.channels) as u64)?;
        let (first, rest) = samples.split_at_mut((first_rows * row).min(samples.len()));
        for band in [first].into_iter().chain(rest.chunks_mut(self.side * row)) {
            if control.should_stop() {
                return Err(EngineError::Stopped);
            }
            self.fill_band(band, &mut sums);
        }
        Ok(())
    }

    fn fill_band<T: Sample>(&self, band: &mut [T], sums: &mut [u64]) {
        sums.fill(0);
        for row in band.chunks_exact(self.width * self.channels) {
            let (first, rest) = row.split_at((self.first * self.channels).min(row.len()));
            let squares = [first].into_iter().chain(rest.chunks(self.side * self.channels));
            for (square, sums) in squares.zip(sums.chunks_exact_mut(self.channels)) {
                self.add(square, sums);
            }
        }
        let rows = band.len() / (self.width * self.channels);
        for row in band.chunks_exact_mut(self.width * self.channels) {
            let (first, rest) = row.split_at_mut((self.first * self.channels).min(row.len()));
            let squares = [first].into_iter().chain(rest.chunks_mut(self.side * self.channels));
            for (square, sums) in squares.zip(sums.chunks_exact(self.channels)) {
                let pixels = square.len() / self.channels * rows;
                self.fill_square(square, sums, pixels as u64);
            }
        }
    }

    fn add<T: Sample>(&self, square: &[T], sums: &mut [u64]) {
        for pixel in square.chunks_exact(self.channels) {
            match (pixel, &mut *sums) {
                ([colors @ .., alpha], [color_sums @ .., alpha_sum]) if self.has_alpha => {
                    let alpha = u64::from(alpha.level());
                    *alpha_sum += alpha;
                    for (sum, color) in color_sums.iter_mut().zip(colors) {
                        *sum += u64::from(color.level()) * alpha;
                    }
                }
                (colors, sums) => {
                    for (sum, color) in sums.iter_mut().zip(colors) {
                        *sum += u64::from(color.level());
                    }
                }
            }
        }
    }

    fn fill_square<T: Sample>(&self, square: &mut [T], sums: &[u64], pixels: u64) {
        let mut mean = [T::whole(0); 4];
        match sums {
            [color_sums @ .., alpha_sum] if self.has_alpha => {
                for (mean, sum) in mean.iter_mut().zip(color_sums) {
                    *mean = T::whole(rounded(*sum, (*alpha_sum).max(1)));
                }
                mean[color_sums.len()] = T::whole(rounded(*alpha_sum, pixels));
            }
            sums => {
                for (mean, sum) in mean.iter_mut().zip(sums) {
                    *mean = T::whole(rounded(*sum, pixels));
                }
            }
        }
        for pixel in square.chunks_exact_mut(self.channels) {
            pixel.copy_from_slice(&mean[..self.channels]);
        }
    }
}

const fn rounded(sum: u64, divisor: u64) -> u32 {
    ((sum + divisor / 2) / divisor) as u32
}
