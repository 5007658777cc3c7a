//! The canvas that frames of an animation are laid on.

use crate::pixels::{Channels, Sample};

/// Where a frame lies on its canvas, pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Place {
    /// Whether all of it lies on a canvas of these sides.
    pub(super) fn is_within(self, width: u32, height: u32) -> bool {
        let right = u64::from(self.left) + u64::from(self.width);
        let bottom = u64::from(self.top) + u64::from(self.height);
        right <= width.into() && bottom <= height.into()
    }

    /// What of it lies on a canvas of these sides.
    pub(super) fn clipped(self, width: u32, height: u32) -> Self {
        let (left, top) = (self.left.min(width), self.top.min(height));
        Self {
            left,
            top,
            width: self.width.min(width - left),
            height: self.height.min(height - top),
        }
    }

    /// The part of every row of a canvas that it covers.
    pub(super) fn rows<T>(self, samples: &mut [T], width: usize, count: usize) -> impl Iterator<Item = &mut [T]> {
        let columns = self.left as usize * count..(self.left + self.width) as usize * count;
        samples
            .chunks_exact_mut(width * count)
            .skip(self.top as usize)
            .take(self.height as usize)
            .map(move |row| &mut row[columns.clone()])
    }
}

/// Lays a frame at its place on a canvas `width` pixels wide, of the same channels; seen through where it is, unless it
/// `replaces` what was there.
pub(super) fn lay<T: Sample>(
    (canvas, width): (&mut [T], usize),
    frame: &[T],
    channels: Channels,
    place: Place,
    replaces: bool,
) {
    let count = channels.count();
    let lines = frame.chunks_exact(place.width as usize * count);
    for (row, line) in place.rows(canvas, width, count).zip(lines) {
        if replaces || !channels.has_alpha() {
            row.copy_from_slice(line);
            continue;
        }
        for (below, above) in row.chunks_exact_mut(count).zip(line.chunks_exact(count)) {
            over(below, above);
        }
    }
}

/// Lays a pixel over another; neither is multiplied by its alpha (W3C PNG, 13.16).
fn over<T: Sample>(below: &mut [T], above: &[T]) {
    let level = |sample: T| {
        let level: usize = sample.into();
        level as u64
    };
    let colors = above.len() - 1;
    let white = u64::from(T::MAX);
    let (own, other) = (level(above[colors]), level(below[colors]));
    if own == white || other == 0 {
        below.copy_from_slice(above);
        return;
    }
    let behind = other * (white - own);
    let alpha = own * white + behind;
    for (below, above) in below.iter_mut().zip(above).take(colors) {
        let mixed = (level(*above) * own * white + level(*below) * behind + alpha / 2).checked_div(alpha);
        *below = T::whole(mixed.unwrap_or(0) as u32);
    }
    below[colors] = T::whole(((alpha + white / 2) / white) as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_over_another_shows_both() {
        for (above, below, expected) in [
            ([255_u8, 0, 0, 255], [0, 0, 255, 255], [255, 0, 0, 255]),
            ([255, 0, 0, 0], [0, 0, 255, 255], [0, 0, 255, 255]),
            ([255, 0, 0, 128], [0, 0, 255, 255], [128, 0, 127, 255]),
            ([200, 0, 0, 51], [9, 9, 9, 0], [200, 0, 0, 51]),
            // A half over a half: three quarters are there, two thirds of them from above.
            ([255, 0, 0, 128], [0, 0, 255, 128], [170, 0, 85, 192]),
        ] {
            let mut pixel = below;
            over(&mut pixel, &above);
            assert_eq!(pixel, expected, "{above:?} over {below:?}");
        }
    }
}
