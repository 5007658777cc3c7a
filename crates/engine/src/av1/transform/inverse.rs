//! The two-dimensional inverse transforms, bit-exact with the AV1 specification (7.13.3), and the addition to pixels.
//!
//! It knows nothing of the steps of a transform, nor of how coefficients were found.

use super::arithmetic::{Clamped, Decoding, Short, round_shift};
use super::panels::{COLUMNS, Squares, panel_into_panels, squares_into_panel, transpose_four};
use super::steps::{Adst, Dct, Inverse, unrolled};
use super::{Basis, Kind};
use crate::simd::{Kernel, Level, ROW};

/// Sum of the magnitudes of coefficients up to which no number of a transform leaves 16 bits: the steps only ever hold
/// sums of what went in with weights of at most 1, but for less than a thousand of roundings.
const SHORT: u32 = 30_000;

/// Transform_Row_Shift of a square.
const fn row_shift(side: usize) -> u32 {
    match side {
        4 => 0,
        8 => 1,
        _ => 2,
    }
}

/// The shift after the columns.
const COLUMN_SHIFT: u32 = 4;

/// Numbers that a pass takes.
trait Sample: Copy {
    fn widen(self) -> i32;
}

impl Sample for i32 {
    #[inline(always)]
    fn widen(self) -> i32 {
        self
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn widen(self) -> i32 {
        self.cast_signed().into()
    }
}

/// Transforms the columns of a panel, of which only the first rows can be other than zero.
///
/// The loop is one over columns on the outside, with every step inside it, for the compiler to work on all columns at
/// once.
#[inline(always)]
fn pass<T: Inverse<N>, const N: usize, const LIVE: usize, const WIDTH: usize>(
    arithmetic: impl Decoding,
    shift: u32,
    input: &[[impl Sample; WIDTH]; LIVE],
    output: &mut [[u16; WIDTH]; N],
) {
    for column in 0..WIDTH {
        let mut t = [0; N];
        unrolled!(N, INDEX => {
            let frequency = const { T::ORDER[INDEX % N] };
            if frequency < LIVE {
                t[INDEX] = arithmetic.admit(input[frequency][column].widen());
            }
        });
        T::inverse(arithmetic, &mut t);
        unrolled!(N, INDEX => {
            output[INDEX][column] = arithmetic.store(round_shift(t[INDEX], shift));
        });
    }
}

/// A block that coefficients are added to.
pub(super) struct InverseAdd<'a, const N: usize> {
    pub(super) kind: Kind,
    pub(super) coefficients: &'a [i32],
    /// Rows and columns that hold coefficients other than zero.
    pub(super) extent: (usize, usize),
    pub(super) pixels: &'a mut [u16],
    pub(super) stride: usize,
    pub(super) bits: u8,
}

/// Whether each of the two passes stays short.
struct Shortness {
    rows: bool,
    columns: bool,
}

impl<const N: usize> InverseAdd<'_, N> {
    #[inline(always)]
    fn shortness(&self) -> Shortness {
        let kept = N.min(32);
        let (rows, columns) = (self.extent.0, self.extent.1.next_multiple_of(4).min(kept));
        let mut sums = [0u32; 4];
        for row in self.coefficients.chunks_exact(kept).take(rows) {
            for four in row[..columns].as_chunks::<4>().0 {
                for (sum, number) in sums.iter_mut().zip(four) {
                    *sum = sum.wrapping_add(number.unsigned_abs());
                }
            }
        }
        let sum = sums.iter().fold(0, |sum: u32, part| sum.saturating_add(*part));
        // With 8 bits, rows are clamped to 16 bits, so that long rows tell nothing of the columns.
        let columns = if self.bits >= 10 { SHORT << row_shift(N) } else { SHORT };
        Shortness {
            rows: sum <= SHORT,
            columns: sum <= columns,
        }
    }

    /// All pixels get the same when there is but the lowest frequency of both cosine transforms.
    #[inline(always)]
    fn add_constant(self) {
        let half = |number: i32| round_shift(number.wrapping_mul(2896), 12);
        let row = half(Clamped::new(self.bits + 8).admit(self.coefficients[0]));
        let column = Short.store(Clamped::new(16).admit(round_shift(row, row_shift(N))));
        let residual = round_shift(half(column.widen()), COLUMN_SHIFT) as i16;
        let most = most(self.bits);
        for index in 0..N {
            for pixel in &mut self.pixels[self.stride * index..][..N] {
                add(pixel, residual, most);
            }
        }
    }
}

#[inline(always)]
fn most(bits: u8) -> i16 {
    (1 << bits) - 1
}

#[inline(always)]
fn add(pixel: &mut u16, residual: i16, most: i16) {
    *pixel = pixel
        .cast_signed()
        .wrapping_add(residual)
        .max(0)
        .min(most)
        .cast_unsigned();
}

/// Adds a panel of residuals to the pixels of its columns.
#[inline(always)]
fn add_panel<const N: usize, const WIDTH: usize>(
    panel: &[[u16; WIDTH]; N],
    pixels: &mut [u16],
    stride: usize,
    bits: u8,
) {
    let most = most(bits);
    for (index, residuals) in panel.iter().enumerate() {
        if let Some(pixels) = pixels[stride * index..].first_chunk_mut::<WIDTH>() {
            // A copy, so that the compiler sees that no pixel is a residual.
            let mut sums = *pixels;
            for (sum, residual) in sums.iter_mut().zip(residuals) {
                add(sum, residual.cast_signed(), most);
            }
            *pixels = sums;
        }
    }
}

/// Sixteen columns or eight of eight rows of coefficients that are known to be short.
#[inline(always)]
fn load_squares(rows: &[i32], stride: usize, column: usize) -> Squares {
    let mut squares = [0; ROW];
    let (first, second) = squares.as_chunks_mut::<COLUMNS>().0.split_at_mut(COLUMNS);
    for (row, (first, second)) in rows.chunks_exact(stride).zip(first.iter_mut().zip(second)) {
        let (eights, _) = row[column..].as_chunks::<COLUMNS>();
        for (eight, into) in eights.iter().zip([first, second]) {
            for (number, into) in eight.iter().zip(into) {
                *into = *number as u16;
            }
        }
    }
    squares
}

/// Transforms every eight rows that hold something, into panels of columns.
#[inline(always)]
fn short_rows<L: Level, T: Inverse<N>, const N: usize, const LIVE: usize>(
    level: L,
    block: &InverseAdd<'_, N>,
    panels: &mut [[[u16; COLUMNS]; N]],
) {
    let kept = N.min(32);
    let groups = block.extent.0.div_ceil(COLUMNS);
    for (group, rows) in block.coefficients.chunks_exact(COLUMNS * kept).take(groups).enumerate() {
        let mut input = [[0; COLUMNS]; LIVE];
        for (pair, panel) in input.chunks_mut(2 * COLUMNS).enumerate() {
            squares_into_panel(level, &load_squares(rows, kept, 2 * COLUMNS * pair), panel);
        }
        let mut output = [[0; COLUMNS]; N];
        pass::<T, N, LIVE, COLUMNS>(Short, row_shift(N), &input, &mut output);
        panel_into_panels(level, &output, group, panels);
    }
}

/// The same for coefficients of any size.
#[inline(always)]
fn clamped_rows<L: Level, T: Inverse<N>, const N: usize, const LIVE: usize>(
    level: L,
    block: &InverseAdd<'_, N>,
    panels: &mut [[[u16; COLUMNS]; N]],
) {
    let kept = N.min(32);
    let groups = block.extent.0.div_ceil(COLUMNS);
    for (group, rows) in block.coefficients.chunks_exact(COLUMNS * kept).take(groups).enumerate() {
        let mut input = [[0i32; COLUMNS]; LIVE];
        for (lane, row) in rows.chunks_exact(kept).enumerate().take(COLUMNS) {
            for (number, into) in row.iter().zip(&mut input) {
                into[lane] = *number;
            }
        }
        let mut output = [[0; COLUMNS]; N];
        pass::<T, N, LIVE, COLUMNS>(Clamped::new(block.bits + 8), row_shift(N), &input, &mut output);
        panel_into_panels(level, &output, group, panels);
    }
}

/// Transforms every eight columns and adds them to the pixels.
#[inline(always)]
fn columns<T: Inverse<N>, const N: usize, const LIVE: usize>(
    arithmetic: impl Decoding,
    panels: &[[[u16; COLUMNS]; N]],
    block: &mut InverseAdd<'_, N>,
) {
    for (index, panel) in panels.iter().enumerate() {
        let Some(input) = panel.first_chunk::<LIVE>() else {
            continue;
        };
        let mut output = [[0; COLUMNS]; N];
        pass::<T, N, LIVE, COLUMNS>(arithmetic, COLUMN_SHIFT, input, &mut output);
        add_panel(&output, &mut block.pixels[COLUMNS * index..], block.stride, block.bits);
    }
}

/// Both passes of a block with `KEPT` rows and columns of frequencies, in `PANELS` panels of pixels.
macro_rules! kernels {
    ($($side:literal $kept:literal $panels:literal $($kind:ident)+ $(/ $without:ident)?),+) => {
        $(impl Kernel for InverseAdd<'_, $side> {
            type Output = ();

            #[inline(always)]
            fn run(mut self, level: impl Level) {
                if self.extent == (1, 1) && self.kind == Kind::DctDct {
                    return self.add_constant();
                }
                let short = self.shortness();
                let few = (self.extent.0 <= COLUMNS, self.extent.1 <= COLUMNS);
                let mut panels = [[[0; COLUMNS]; $side]; $panels];
                match (self.kind.rows(), short.rows, few.1) {
                    $((Basis::$kind, true, true) => short_rows::<_, $kind, $side, 8>(level, &self, &mut panels),
                    (Basis::$kind, true, false) => short_rows::<_, $kind, $side, $kept>(level, &self, &mut panels),
                    (Basis::$kind, false, _) => clamped_rows::<_, $kind, $side, $kept>(level, &self, &mut panels),)+
                    $((Basis::$without, ..) => {})?
                }
                match (self.kind.columns(), short.columns, few.0) {
                    $((Basis::$kind, true, true) => columns::<$kind, $side, 8>(Short, &panels, &mut self),
                    (Basis::$kind, true, false) => columns::<$kind, $side, $kept>(Short, &panels, &mut self),
                    (Basis::$kind, false, _) => {
                        columns::<$kind, $side, $kept>(Clamped::new(16), &panels, &mut self);
                    })+
                    $((Basis::$without, ..) => {})?
                }
            }
        })+
    };
}

kernels!(8 8 1 Dct Adst, 16 16 2 Dct Adst, 32 32 4 Dct / Adst, 64 32 8 Dct / Adst);

impl InverseAdd<'_, 4> {
    #[inline(always)]
    fn add_kind<L: Level>(
        self,
        level: L,
        rows: impl Decoding,
        columns: impl Decoding,
        input: &[[impl Sample; COLUMNS]; 4],
    ) {
        let mut between = [[0; COLUMNS]; 4];
        match self.kind.rows() {
            Basis::Dct => pass::<Dct, 4, 4, COLUMNS>(rows, row_shift(4), input, &mut between),
            Basis::Adst => pass::<Adst, 4, 4, COLUMNS>(rows, row_shift(4), input, &mut between),
        }
        let across = transpose_four(level, &between);
        let mut output = [[0; COLUMNS]; 4];
        match self.kind.columns() {
            Basis::Dct => pass::<Dct, 4, 4, COLUMNS>(columns, COLUMN_SHIFT, &across, &mut output),
            Basis::Adst => pass::<Adst, 4, 4, COLUMNS>(columns, COLUMN_SHIFT, &across, &mut output),
        }
        let (first, second) = self.pixels.split_at_mut(2 * self.stride);
        add_two_rows(&output[0], &output[1], first, self.stride, self.bits);
        add_two_rows(&output[2], &output[3], second, self.stride, self.bits);
    }

    /// The sum of magnitudes of all coefficients.
    #[inline(always)]
    fn magnitude(&self) -> u32 {
        let mut sums = [0u32; COLUMNS];
        for eight in self.coefficients.as_chunks::<COLUMNS>().0.iter().take(2) {
            for (sum, number) in sums.iter_mut().zip(eight) {
                *sum = sum.wrapping_add(number.unsigned_abs());
            }
        }
        sums.iter().fold(0, |sum, part| sum.wrapping_add(*part))
    }
}

/// Two rows of four at once, as there are eight lanes.
#[inline(always)]
fn add_two_rows(one: &[u16; COLUMNS], other: &[u16; COLUMNS], pixels: &mut [u16], stride: usize, bits: u8) {
    let most = most(bits);
    let (row, next) = pixels.split_at_mut(stride);
    let (Some(row), Some(next)) = (row.first_chunk_mut::<4>(), next.first_chunk_mut::<4>()) else {
        return;
    };
    let ([a, b, c, d], [e, f, g, h]) = (*row, *next);
    let mut sums = [a, b, c, d, e, f, g, h];
    let ([a, b, c, d, ..], [e, f, g, h, ..]) = (*one, *other);
    for (sum, residual) in sums.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        add(sum, residual.cast_signed(), most);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    *row = [a, b, c, d];
    *next = [e, f, g, h];
}

impl Kernel for InverseAdd<'_, 4> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        if self.extent == (1, 1) && self.kind == Kind::DctDct {
            return self.add_constant();
        }
        let mut input = [[0i32; COLUMNS]; 4];
        for (index, row) in self.coefficients.chunks_exact(4).enumerate().take(4) {
            for (number, column) in row.iter().zip(&mut input) {
                column[index] = *number;
            }
        }
        if self.magnitude() <= SHORT {
            self.add_kind(level, Short, Short, &input);
        } else {
            let rows = Clamped::new(self.bits + 8);
            self.add_kind(level, rows, Clamped::new(16), &input);
        }
    }
}
