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
            EdgeOperator::Sobel => simd::run(Edges { rows, made, of: sobel }),
            EdgeOperator::Laplacian => simd::run(Edges {
                rows,
                made,
                of: laplacian,
            }),
        }
    };
    over_rows(samples, layout, widen, make, narrow, control)
}

/// The three numbers of a row that are around each pixel.
#[inline(always)]
fn around(row: &[f32], length: usize) -> [&[f32]; 3] {
    [0, 1, 2].map(|column| &row[column..][..length])
}

/// A row of edges, each number made of those around it by `of`.
struct Edges<'a, F> {
    rows: [&'a [f32]; 3],
    made: &'a mut [f32],
    of: F,
}

impl<F: Fn([[f32; 3]; 3]) -> f32> Kernel for Edges<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let length = self.made.len();
        let [above, own, below] = self.rows.map(|row| around(row, length));
        for (i, made) in self.made.iter_mut().enumerate() {
            *made = (self.of)([above, own, below].map(|row| row.map(|numbers| numbers[i])));
        }
    }
}

#[inline(always)]
fn sobel([above, own, below]: [[f32; 3]; 3]) -> f32 {
    let across = (above[2] - above[0]) + 2.0 * (own[2] - own[0]) + (below[2] - below[0]);
    let down = (below[0] - above[0]) + 2.0 * (below[1] - above[1]) + (below[2] - above[2]);
    (across * across + down * down).sqrt() * 0.25
}

#[inline(always)]
fn laplacian([above, own, below]: [[f32; 3]; 3]) -> f32 {
    let sides = above[1] + own[0] + own[2] + below[1];
    let corners = above[0] + above[2] + below[0] + below[2];
    (8.0 * own[1] - sides - corners).abs()
}
