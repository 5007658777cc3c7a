//! Hands out the rows around each row of a picture, so that steps that look at neighbours work in place.
//!
//! Keeps a ring of as many rows as the window is high, each with its edge pixels repeated beyond both ends. Beyond the
//! first and the last row, these repeat.

use crate::EngineError;
use crate::mill::Control;
use crate::pixels::zeros;

/// How rows are laid out, and how far the window reaches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Pixels in a row.
    pub(super) pixels: usize,
    /// Samples in a pixel.
    pub(super) samples: usize,
    /// Numbers that a pixel's samples become.
    pub(super) numbers: usize,
    /// Pixels that the window reaches in each direction.
    pub(super) radius: usize,
}

impl Layout {
    /// Numbers in a row of the window.
    pub(super) const fn padded(self) -> usize {
        (self.pixels + 2 * self.radius) * self.numbers
    }
}

/// The rows around one row, from top to bottom: each has the numbers of the row, with `radius` pixels more at both ends.
pub(super) struct Window<'a, N> {
    ring: &'a [N],
    padded: usize,
    radius: usize,
    row: usize,
    last: usize,
}

impl<'a, N> Window<'a, N> {
    /// Rows in the window.
    #[inline(always)]
    pub(super) const fn height(&self) -> usize {
        2 * self.radius + 1
    }

    /// The row of that index, 0 being the uppermost.
    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> &'a [N] {
        let row = (self.row + index).saturating_sub(self.radius).min(self.last);
        &self.ring[row % self.height() * self.padded..][..self.padded]
    }
}

/// Replaces every row: `widen` makes numbers of its samples, `make` new numbers from the window around it, and `narrow`
/// samples again.
pub(super) fn over_rows<S, N: Copy + Default>(
    samples: &mut [S],
    layout: Layout,
    widen: impl Fn(&[S], &mut [N]),
    mut make: impl FnMut(&Window<'_, N>, &mut [N]),
    narrow: impl Fn(&[N], &mut [S]),
    control: &dyn Control,
) -> Result<(), EngineError> {
    let (row, padded) = (layout.pixels * layout.samples, layout.padded());
    let (radius, edge) = (layout.radius, layout.radius * layout.numbers);
    let (rows, height) = (2 * radius + 1, samples.len() / row);
    let mut ring: Vec<N> = zeros((padded * rows) as u64)?;
    let mut made: Vec<N> = zeros((layout.pixels * layout.numbers) as u64)?;
    for step in 0..height + radius {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        if step < height {
            let taken = &mut ring[step % rows * padded..][..padded];
            widen(&samples[step * row..][..row], &mut taken[edge..padded - edge]);
            repeat_ends(taken, edge, layout.numbers);
        }
        // The rows below were read and not yet replaced.
        if let Some(done) = step.checked_sub(radius) {
            let window = Window {
                ring: &ring,
                padded,
                radius,
                row: done,
                last: height - 1,
            };
            make(&window, &mut made);
            narrow(&made, &mut samples[done * row..][..row]);
        }
    }
    Ok(())
}

/// Fills the `edge` numbers at both ends with the pixel next to them.
fn repeat_ends<N: Copy>(padded: &mut [N], edge: usize, pixel: usize) {
    let last = padded.len() - edge - pixel;
    for at in (0..edge).step_by(pixel) {
        padded.copy_within(edge..edge + pixel, at);
        padded.copy_within(last..last + pixel, last + pixel + at);
    }
}
