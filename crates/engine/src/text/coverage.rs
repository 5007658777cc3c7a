//! How much of each pixel lies within an outline: the exact area, from signed areas under its lines.
//!
//! The method is that of font-rs (R. Levien, "Inside the fastest font renderer in the world"): each line adds, to the
//! pixels it crosses, how the area to its right changes there; sums along the rows then are coverages.

use super::outline::{Bounds, Segment};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::zeros;

/// Part of the plane, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: i64,
    pub(super) top: i64,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Region {
    /// The pixels that `bounds` touch, within other bounds.
    pub(super) fn of(bounds: Bounds, within: Bounds) -> Self {
        // What is no number, or none that is sane, ends at the bounds.
        let low = |value: f64, least: f64, most: f64| value.floor().max(least).min(most) as i64;
        let high = |value: f64, least: f64, most: f64| value.ceil().min(most).max(least) as i64;
        let (left, top) = (
            low(bounds.left, within.left, within.right),
            low(bounds.top, within.top, within.bottom),
        );
        let right = high(bounds.right, within.left, within.right);
        let bottom = high(bounds.bottom, within.top, within.bottom);
        Self {
            left,
            top,
            width: (right - left).max(0) as u32,
            height: (bottom - top).max(0) as u32,
        }
    }

    pub(super) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Where in the samples of `outer`, which holds all of this region, its row begins.
    pub(super) fn offset_in(self, outer: Self, row: usize) -> usize {
        let (beside, over) = ((self.left - outer.left) as usize, (self.top - outer.top) as usize);
        (over + row) * outer.width as usize + beside
    }
}

/// Coverages of the pixels of a region, row by row; 255 is all of a pixel.
#[derive(Debug)]
pub(super) struct Mask {
    pub(super) width: usize,
    pub(super) samples: Vec<u8>,
}

/// Adds outlines to a mask, one after the other.
pub(super) struct Rasteriser<'a> {
    mask: Mask,
    region: Region,
    control: &'a dyn Control,
    /// Changes of area, row by row with two beyond the last pixel, for one outline at a time.
    changes: Vec<f32>,
    /// Pixels crossed since it was last asked whether to stop.
    crossed: usize,
}

impl<'a> Rasteriser<'a> {
    pub(super) fn new(mask: Mask, region: Region, control: &'a dyn Control) -> Self {
        Self {
            mask,
            region,
            control,
            changes: Vec::new(),
            crossed: 0,
        }
    }

    pub(super) fn finish(self) -> Mask {
        self.mask
    }

    /// Adds what lies within `segments`, which are beside the place `at`. Where it lies over what was there before the two
    /// add up, as halves of a pixel on either side of a common edge must.
    pub(super) fn add(&mut self, segments: &[Segment], at: (f64, f64)) -> Result<(), EngineError> {
        let at = (at.0 - self.region.left as f64, at.1 - self.region.top as f64);
        let all = Bounds {
            left: 0.0,
            top: 0.0,
            right: f64::from(self.region.width),
            bottom: f64::from(self.region.height),
        };
        let part = Region::of(Bounds::of(segments).moved(at), all);
        if part.pixels() == 0 {
            return Ok(());
        }
        let row = part.width as usize + 2;
        self.changes.clear();
        if self.changes.capacity() < row * part.height as usize {
            self.changes = zeros((row * part.height as usize) as u64)?;
        }
        self.changes.resize(row * part.height as usize, 0.0);
        let (dx, dy) = ((at.0 - part.left as f64) as f32, (at.1 - part.top as f64) as f32);
        for [x0, y0, x1, y1] in segments {
            self.line([x0 + dx, y0 + dy, x1 + dx, y1 + dy], row, part.height);
            if self.crossed > 1 << 20 {
                self.crossed = 0;
                if self.control.should_stop() {
                    return Err(EngineError::Stopped);
                }
            }
        }
        let place = part.offset_in(
            Region {
                left: 0,
                top: 0,
                ..self.region
            },
            0,
        );
        let rows = self.mask.samples[place..].chunks_mut(self.mask.width);
        for (samples, changes) in rows.zip(self.changes.chunks_exact(row)) {
            let mut area = 0.0;
            for (sample, change) in samples.iter_mut().zip(&changes[..part.width as usize]) {
                area += change;
                let coverage = (f32::abs(area).min(1.0) * 255.0 + 0.5) as u8;
                *sample = sample.saturating_add(coverage);
            }
        }
        Ok(())
    }

    fn line(&mut self, [x0, y0, x1, y1]: Segment, row: usize, height: u32) {
        let (sign, [x0, y0, x1, y1]) = if y0 < y1 {
            (1.0, [x0, y0, x1, y1])
        } else {
            (-1.0, [x1, y1, x0, y0])
        };
        let slope = (x1 - x0) / (y1 - y0);
        let (first, last) = (y0.max(0.0), y1.min(height as f32));
        if first >= last || !slope.is_finite() {
            return;
        }
        let right = (row - 2) as f32;
        let mut x = x0 + (first - y0) * slope;
        let rows = self.changes.chunks_exact_mut(row).enumerate();
        let skipped = first as usize;
        for (y, changes) in rows.take(last.ceil() as usize).skip(skipped) {
            let part = (y as f32 + 1.0).min(last) - (y as f32).max(first);
            let next = x + slope * part;
            // What lies left of the part changes all of its rows, what lies right of it nothing that is looked at.
            self.crossed += cross(changes, x.clamp(0.0, right), next.clamp(0.0, right), sign * part);
            x = next;
        }
    }
}

/// Adds a line that goes down by `height`, which may be negative, between two places of one row; returns how many pixels
/// it crosses.
fn cross(changes: &mut [f32], from: f32, to: f32, height: f32) -> usize {
    let (low, high) = if from < to { (from, to) } else { (to, from) };
    let (first, end) = (low.floor() as usize, high.ceil() as usize);
    if end <= first + 1 {
        let middle = (low + high) / 2.0 - first as f32;
        changes[first] += height * (1.0 - middle);
        changes[first + 1] += height * middle;
        return 1;
    }
    // Triangles in the first and the last pixel, and between them the same more in each.
    let slope = 1.0 / (high - low);
    let within_first = 1.0 - (low - first as f32);
    let within_last = high - (end - 1) as f32;
    let (head, tail) = (
        0.5 * slope * within_first * within_first,
        0.5 * slope * within_last * within_last,
    );
    changes[first] += height * head;
    if end == first + 2 {
        changes[first + 1] += height * (1.0 - head - tail);
    } else {
        let second = slope * (within_first + 0.5);
        changes[first + 1] += height * (second - head);
        for change in &mut changes[first + 2..end - 1] {
            *change += height * slope;
        }
        let before_last = second + (end - first - 3) as f32 * slope;
        changes[end - 1] += height * (1.0 - before_last - tail);
    }
    changes[end] += height * tail;
    end - first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NeverStop;
    use crate::text::outline::Outline;

    fn drawn(corners: &[&[(f64, f64)]], (width, height): (u32, u32)) -> Vec<u8> {
        let region = Region {
            left: 0,
            top: 0,
            width,
            height,
        };
        let mask = Mask {
            width: width as usize,
            samples: vec![0; (width * height) as usize],
        };
        let mut rasteriser = Rasteriser::new(mask, region, &NeverStop);
        for corners in corners {
            rasteriser.add(&Outline::polygon(corners).segments, (0.0, 0.0)).unwrap();
        }
        rasteriser.finish().samples
    }

    #[test]
    fn coverage_is_the_area() {
        let square = [(1.25, 1.0), (3.0, 1.0), (3.0, 2.5), (1.25, 2.5)];
        let expected = [0, 0, 0, 0, 0, 191, 255, 0, 0, 96, 128, 0];
        assert_eq!(drawn(&[&square], (4, 3)), expected);
        let other_way: Vec<_> = square.into_iter().rev().collect();
        assert_eq!(drawn(&[&other_way], (4, 3)), expected);
        // Half of a square of 4, along its diagonal.
        let triangle = [(0.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
        let expected = [128, 0, 0, 0, 255, 128, 0, 0, 255, 255, 128, 0, 255, 255, 255, 128];
        assert_eq!(drawn(&[&triangle], (4, 4)), expected);
        // A flat one, over many pixels of a row.
        let flat = [(0.0, 0.0), (8.0, 1.0), (0.0, 1.0)];
        let expected = [239, 207, 175, 143, 112, 80, 48, 16];
        assert_eq!(drawn(&[&flat], (8, 1)), expected);
    }

    #[test]
    fn what_lies_beyond_is_cut_off() {
        let all = [(-5.0, -7.0), (1e9, -7.0), (1e9, 80.5), (-5.0, 80.5)];
        assert_eq!(drawn(&[&all], (3, 2)), [255; 6]);
        let beside = [(3.0, 0.0), (9.0, 0.0), (9.0, 9.0)];
        assert_eq!(drawn(&[&beside], (3, 2)), [0; 6]);
        let left = [(-9.0, 0.0), (1.0, 0.0), (1.0, 1.0), (-9.0, 1.0)];
        assert_eq!(drawn(&[&left], (3, 2)), [255, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn neighbours_leave_no_seam_and_what_overlaps_is_no_more_than_all() {
        let one = [(0.0, 0.0), (1.5, 0.0), (1.5, 1.0), (0.0, 1.0)];
        let other = [(1.5, 0.0), (3.0, 0.0), (3.0, 1.0), (1.5, 1.0)];
        assert_eq!(drawn(&[&one, &other, &one], (3, 1)), [255, 255, 255]);
    }

    #[test]
    fn lines_that_are_no_numbers_do_no_harm() {
        let wrong = [
            (f64::NAN, 0.0),
            (1.0, f64::INFINITY),
            (2.0, 1.0),
            (f64::NEG_INFINITY, 3.0),
        ];
        assert_eq!(drawn(&[&wrong], (3, 2)).len(), 6);
    }
}
