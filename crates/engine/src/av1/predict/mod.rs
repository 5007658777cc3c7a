//! Intra prediction of square blocks, exactly as section 7.11.2 of the AV1 specification has it.
//!
//! Owns the modes and the way from a mode to the code that predicts it. Knows nothing of the bitstream, of the
//! partition of the picture or of what a prediction costs.

mod chroma_from_luma;
mod directional;
mod edge_filter;
mod edges;
#[cfg(test)]
pub(in crate::av1) mod oracle;
mod paeth;
mod smooth;
#[cfg(test)]
mod tests;

pub(crate) use chroma_from_luma::{chroma_from_luma, luma_ac};
pub(crate) use edges::{Available, Edges};

use crate::simd::{self, Kernel, LANES, Level};
use edges::{OFFSET, length_of};

/// The modes of intra prediction that need nothing but the edges, with AV1's numbers.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Dc,
    Vertical,
    Horizontal,
    D45,
    D135,
    D113,
    D157,
    D203,
    D67,
    Smooth,
    SmoothVertical,
    SmoothHorizontal,
    Paeth,
}

impl Mode {
    /// All of them, each at the place of its number.
    pub(crate) const ALL: [Self; 13] = [
        Self::Dc,
        Self::Vertical,
        Self::Horizontal,
        Self::D45,
        Self::D135,
        Self::D113,
        Self::D157,
        Self::D203,
        Self::D67,
        Self::Smooth,
        Self::SmoothVertical,
        Self::SmoothHorizontal,
        Self::Paeth,
    ];

    /// Whether the mode has an angle, and with it an angle delta.
    pub(crate) fn is_directional(self) -> bool {
        self.angle().is_some()
    }

    /// Whether the mode counts as smooth where the filter type of a neighbour's edges is chosen (7.11.2.8).
    pub(crate) fn is_smooth(self) -> bool {
        matches!(self, Self::Smooth | Self::SmoothVertical | Self::SmoothHorizontal)
    }

    /// `Mode_To_Angle`, in degrees.
    fn angle(self) -> Option<i32> {
        match self {
            Self::Vertical => Some(90),
            Self::Horizontal => Some(180),
            Self::D45 => Some(45),
            Self::D135 => Some(135),
            Self::D113 => Some(113),
            Self::D157 => Some(157),
            Self::D203 => Some(203),
            Self::D67 => Some(67),
            Self::Dc | Self::Smooth | Self::SmoothVertical | Self::SmoothHorizontal | Self::Paeth => None,
        }
    }
}

/// Degrees of one step of the angle delta: `ANGLE_STEP`.
const ANGLE_STEP: i32 = 3;

/// Predicts the block around which `edges` were gathered into the first side x side pixels of `into`, row by row.
///
/// `angle_delta` is -3..=3 and counts for directional modes only. `filter` is `None` where `enable_intra_edge_filter`
/// is 0; where it is 1, it says whether a neighbour is smooth (`filterType`, 7.11.2.8).
pub(crate) fn predict(mode: Mode, angle_delta: i8, edges: &Edges, filter: Option<bool>, into: &mut [u16]) {
    simd::run(Prediction {
        mode,
        angle_delta,
        edges,
        filter,
        into,
    });
}

/// What [`predict`] runs, for kernels that predict among other things and have a level already.
pub(crate) struct Prediction<'a> {
    pub(crate) mode: Mode,
    pub(crate) angle_delta: i8,
    pub(crate) edges: &'a Edges,
    pub(crate) filter: Option<bool>,
    pub(crate) into: &'a mut [u16],
}

impl Kernel for Prediction<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        match self.edges.side {
            4 => self.predict::<4, { length_of(4) }>(level),
            8 => self.predict::<8, { length_of(8) }>(level),
            16 => self.predict::<16, { length_of(16) }>(level),
            32 => self.predict::<32, { length_of(32) }>(level),
            _ => self.predict::<64, { length_of(64) }>(level),
        }
    }
}

impl Prediction<'_> {
    #[inline(always)]
    fn predict<const SIDE: usize, const LENGTH: usize>(self, level: impl Level) {
        let edges = self.edges;
        let into = &mut self.into[..SIDE * SIDE];
        if let Some(angle) = self.mode.angle() {
            let angle = angle + i32::from(self.angle_delta) * ANGLE_STEP;
            return match angle {
                90 => fill_rows::<SIDE>(&edges.above, into),
                180 => fill_columns::<SIDE>(&edges.left, into),
                _ => directional::predict::<SIDE, LENGTH>(level, angle, edges, self.filter, into),
            };
        }
        match self.mode {
            Mode::Smooth => smooth::both::<SIDE>(level, edges, into),
            Mode::SmoothVertical => smooth::vertical::<SIDE>(level, edges, into),
            Mode::SmoothHorizontal => smooth::horizontal::<SIDE>(level, edges, into),
            Mode::Paeth => paeth::predict::<SIDE>(level, edges, into),
            _ => into.fill(mean::<SIDE>(edges)),
        }
    }
}

#[inline(always)]
fn fill_rows<const SIDE: usize>(above: &[i16], into: &mut [u16]) {
    let mut pixels = [0; SIDE];
    for (pixel, above) in pixels.iter_mut().zip(&above[OFFSET..]) {
        *pixel = above.cast_unsigned();
    }
    for row in into.chunks_exact_mut(SIDE) {
        row.copy_from_slice(&pixels);
    }
}

#[inline(always)]
fn fill_columns<const SIDE: usize>(left: &[i16], into: &mut [u16]) {
    for (row, left) in into.chunks_exact_mut(SIDE).zip(&left[OFFSET..]) {
        row.fill(left.cast_unsigned());
    }
}

/// The mean of the edges that are there (7.11.2.5).
#[inline(always)]
fn mean<const SIDE: usize>(edges: &Edges) -> u16 {
    let sum = |edge: &[i16]| -> u32 {
        edge[OFFSET..][..SIDE]
            .iter()
            .map(|pixel| u32::from(pixel.cast_unsigned()))
            .sum()
    };
    let (count, bits) = (SIDE as u32, SIDE.trailing_zeros());
    let mean = match (edges.available.above, edges.available.left) {
        (true, true) => (sum(&edges.above) + sum(&edges.left) + count) >> (bits + 1),
        (true, false) => (sum(&edges.above) + count / 2) >> bits,
        (false, true) => (sum(&edges.left) + count / 2) >> bits,
        (false, false) => 1 << (edges.bits - 1),
    };
    mean as u16
}

/// As many of `numbers` as a register holds, from index `at`.
#[inline(always)]
fn sixteen<T>(numbers: &[T], at: usize) -> &[T; LANES] {
    &numbers[at..][..LANES].as_chunks::<LANES>().0[0]
}

/// Stores the first pixels of `lanes`, as many as `pixels` takes.
#[inline(always)]
fn store_pixels<L: Level>(level: L, lanes: L::Lanes, pixels: &mut [u16]) {
    let mut numbers = [0; LANES];
    level.store(lanes, &mut numbers);
    for (pixel, number) in pixels.iter_mut().zip(numbers) {
        *pixel = number.cast_unsigned();
    }
}

/// Pixels of a row that are worked on together: a register of them, or the row where it is shorter.
const fn run_of(side: usize) -> usize {
    if side < LANES { side } else { LANES }
}
