//! Shows how much luma changes at every pixel. Alpha is left alone; what is transparent counts as black.

use pixmill_types::steps::EdgeOperator;

use super::window::{Layout, Window, over_rows};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, both_depths};
use crate::simd::{self, Kernel, Level};

/// Replaces every level of a gray picture by how much it differs from those around it.
pub(super) fn edge(mut image: Image, operator: EdgeOperator, control: &dyn Control) -> Result<Image, EngineError> {
    let layout = Layout {
        pixels: image.width as usize,
        samples: image.channels.count(),
        numbers: 1,
        radius: 1,
    };
    both_depths!(&mut image.samples, samples => over_edges(samples, layout, operator, control))?;
    Ok(image)
}

fn over_edges<T: Sample>(
    samples: &mut [T],
    layout: Layout,
    operator: EdgeOperator,
    control: &dyn Control,
) -> Result<(), EngineError> {
    let widen = |samples: &[T], numbers: &mut [f32]| {
        for (number, pixel) in numbers.iter_mut().zip(samples.chunks_exact(layout.samples)) {
            *number = match pixel {
                [gray, alpha] => {
                    let (gray, alpha): (f32, f32) = ((*gray).into(), (*alpha).into());
                    gray * alpha / T::MAX as f32
                }
                [gray, ..] => (*gray).into(),
                [] => 0.0,
            };
        }
    };
    let narrow = |numbers: &[f32], samples: &mut [T]| {
        for (number, pixel) in numbers.iter().zip(samples.chunks_exact_mut(layout.samples)) {
            pixel[0] = T::nearest(*number);
        }
    };
    let make = |window: &Window<'_, f32>, made: &mut [f32]| {
        let rows = [window.row(0), window.row(1), window.row(2)];
        match operator {
            EdgeOperator::Sobel => simd::run(Sobel { rows, made }),
            EdgeOperator::Laplacian => simd::run(Laplacian { rows, made }),
        }
    };
    over_rows(samples, layout, widen, make, narrow, control)
}

/// The three numbers of a row that are around each pixel.
#[inline(always)]
fn around(row: &[f32], length: usize) -> [&[f32]; 3] {
    [0, 1, 2].map(|column| &row[column..][..length])
}

struct Sobel<'a> {
    rows: [&'a [f32]; 3],
    made: &'a mut [f32],
}

impl Kernel for Sobel<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let length = self.made.len();
        let [above, own, below] = self.rows.map(|row| around(row, length));
        for (i, made) in self.made.iter_mut().enumerate() {
            let across = (above[2][i] - above[0][i]) + 2.0 * (own[2][i] - own[0][i]) + (below[2][i] - below[0][i]);
            let down = (below[0][i] - above[0][i]) + 2.0 * (below[1][i] - above[1][i]) + (below[2][i] - above[2][i]);
            *made = (across * across + down * down).sqrt() * 0.25;
        }
    }
}

struct Laplacian<'a> {
    rows: [&'a [f32]; 3],
    made: &'a mut [f32],
}

impl Kernel for Laplacian<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let length = self.made.len();
        let [above, own, below] = self.rows.map(|row| around(row, length));
        for (i, made) in self.made.iter_mut().enumerate() {
            let sides = above[1][i] + own[0][i] + own[2][i] + below[1][i];
            let corners = above[0][i] + above[2][i] + below[0][i] + below[2][i];
            *made = (8.0 * own[1][i] - sides - corners).abs();
        }
    }
}
