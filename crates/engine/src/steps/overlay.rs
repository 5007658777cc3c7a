//! Lays one picture on another (source over, W3C Compositing and Blending Level 1, 9.1.4).

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};

/// Where in a picture another lies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Its left upper corner, pixels.
    At { left: u32, top: u32 },
    /// Repeated from the left upper corner on.
    Everywhere {
        /// Room between two, pixels.
        gap: u32,
    },
}

/// Lays `mark`, which has colour and alpha, on `image`, with as much of it seen as `opacity` says. A gray picture takes
/// what is gray.
pub(super) fn lay(
    image: &mut Image,
    mark: &Image,
    place: Place,
    opacity: f32,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let (left, top, gap) = match place {
        Place::At { left, top } => (left, top, None),
        Place::Everywhere { gap } => (0, 0, Some(gap as usize)),
    };
    let layer = Layer {
        row: image.width as usize,
        channels: image.channels.count(),
        mark_row: mark.width as usize,
        gap,
        left: left as usize,
        top: top as usize,
        opacity,
    };
    both_depths!(&mut image.samples, samples => {
        both_depths!(&mark.samples, mark => layer.lay(samples, mark, control))
    })
}

/// A mark over a picture, in pixels; those of the mark have four samples.
struct Layer {
    row: usize,
    channels: usize,
    mark_row: usize,
    /// Whether the mark is repeated, this many pixels apart.
    gap: Option<usize>,
    left: usize,
    top: usize,
    opacity: f32,
}

impl Layer {
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
        let opaque = |colors: &mut [T]| {
            for (color, mark) in colors.iter_mut().zip(mark) {
                let own: f32 = (*color).into();
                *color = T::nearest(own + (share(*mark) * max - own) * above);
            }
        };
        match pixel {
            [_] | [_, _, _] => opaque(pixel),
            [colors @ .., alpha] => {
                let below = Into::<f32>::into(*alpha) / max * (1.0 - above);
                let whole = above + below;
                for (color, mark) in colors.iter_mut().zip(mark) {
                    let own: f32 = (*color).into();
                    if whole > 0.0 {
                        *color = T::nearest((share(*mark) * max * above + own * below) / whole);
                    }
                }
                *alpha = T::nearest(whole * max);
            }
            [] => {}
        }
    }
}
