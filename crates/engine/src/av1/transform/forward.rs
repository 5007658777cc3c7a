//! The two-dimensional forward transforms, at the scale that makes the decoder's transforms their inverse.
//!
//! Nothing here is bit-exact with anything: fractions are floats, with 16 bits kept between the two passes. It knows
//! nothing of the steps of a transform, nor of what becomes of coefficients.

use super::panels::{COLUMNS, panel_into_panels, squares_into_panel, transpose_four};
use super::steps::{Adst, Dct, Forward, unrolled};
use super::{Basis, Kind};
use crate::simd::{Kernel, Level, ROW};

/// Residuals of +-1023 times this and a row of any of the transforms, scaled to be orthonormal and divided by the square
/// root of its length, are within 16 bits.
const HEADROOM: f32 = 31.0;

const ROOT: f32 = std::f32::consts::SQRT_2;

/// What the first pass multiplies with.
const fn first_scale(side: usize) -> f32 {
    HEADROOM * ROOT / side as f32
}

/// What the second one does: coefficients are those of orthonormal transforms times 8, 4 for a side of 32, 2 for 64.
const fn second_scale(side: usize) -> f32 {
    let gain = match side {
        64 => 2.0,
        32 => 4.0,
        _ => 8.0,
    };
    gain * ROOT / HEADROOM
}

/// The nearest whole number to one within +-2^22: its units are the lowest bits of a float with this added.
#[inline(always)]
fn round(number: f32) -> i32 {
    const UNITS: f32 = 12_582_912.0;
    (number + UNITS).to_bits().wrapping_sub(UNITS.to_bits()).cast_signed()
}

/// Numbers that a pass makes.
trait Sample: Copy {
    fn of(number: i32) -> Self;
}

impl Sample for i32 {
    #[inline(always)]
    fn of(number: i32) -> Self {
        number
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn of(number: i32) -> Self {
        number as u16
    }
}

/// Transforms the columns of a panel and keeps the lowest frequencies.
///
/// The loop is one over columns on the outside, with every step inside it, for the compiler to work on all columns at
/// once.
#[inline(always)]
fn pass<T: Forward<N>, const N: usize, const KEPT: usize, const WIDTH: usize>(
    scale: f32,
    input: &[[u16; WIDTH]; N],
    output: &mut [[impl Sample; WIDTH]; KEPT],
) {
    for column in 0..WIDTH {
        let mut t = [0.0; N];
        unrolled!(N, INDEX => {
            t[INDEX] = f32::from(input[INDEX][column].cast_signed());
        });
        T::forward(&mut t);
        unrolled!(N, INDEX => {
            let frequency = const { T::ORDER[INDEX % N] };
            if frequency < KEPT {
                output[frequency][column] = Sample::of(round(t[INDEX] * scale));
            }
        });
    }
}

/// A residual and where its coefficients go.
pub(super) struct Forwards<'a, const N: usize> {
    pub(super) kind: Kind,
    pub(super) residual: &'a [i16],
    pub(super) coefficients: &'a mut [i32],
}

/// Transforms every eight rows, into panels of columns.
#[inline(always)]
fn rows<L: Level, T: Forward<N>, const N: usize, const KEPT: usize>(
    level: L,
    residual: &[i16],
    panels: &mut [[[u16; COLUMNS]; N]],
) {
    for (group, rows) in residual.chunks_exact(COLUMNS * N).enumerate() {
        let mut input = [[0; COLUMNS]; N];
        for (pair, panel) in input.chunks_mut(2 * COLUMNS).enumerate() {
            let mut squares = [0; ROW];
            let (first, second) = squares.as_chunks_mut::<COLUMNS>().0.split_at_mut(COLUMNS);
            for (row, (first, second)) in rows.chunks_exact(N).zip(first.iter_mut().zip(second)) {
                let (eights, _) = row[2 * COLUMNS * pair..].as_chunks::<COLUMNS>();
                for (eight, into) in eights.iter().zip([first, second]) {
                    *into = eight.map(i16::cast_unsigned);
                }
            }
            squares_into_panel(level, &squares, panel);
        }
        let mut output = [[0; COLUMNS]; KEPT];
        pass::<T, N, KEPT, COLUMNS>(first_scale(N), &input, &mut output);
        panel_into_panels(level, &output, group, panels);
    }
}

/// Transforms every eight columns into coefficients.
#[inline(always)]
fn columns<T: Forward<N>, const N: usize, const KEPT: usize>(panels: &[[[u16; COLUMNS]; N]], coefficients: &mut [i32]) {
    for (index, panel) in panels.iter().enumerate() {
        let mut output = [[0i32; COLUMNS]; KEPT];
        pass::<T, N, KEPT, COLUMNS>(second_scale(N), panel, &mut output);
        for (numbers, row) in output.iter().zip(coefficients.chunks_exact_mut(KEPT)) {
            if let Some(eight) = row.as_chunks_mut::<COLUMNS>().0.get_mut(index) {
                *eight = *numbers;
            }
        }
    }
}

macro_rules! kernels {
    ($($side:literal $kept:literal $panels:literal $($kind:ident)+ $(/ $without:ident)?),+) => {
        $(impl Kernel for Forwards<'_, $side> {
            type Output = ();

            #[inline(always)]
            fn run(self, level: impl Level) {
                let mut panels = [[[0; COLUMNS]; $side]; $panels];
                match self.kind.rows() {
                    $(Basis::$kind => rows::<_, $kind, $side, $kept>(level, self.residual, &mut panels),)+
                    $(Basis::$without => {})?
                }
                match self.kind.columns() {
                    $(Basis::$kind => columns::<$kind, $side, $kept>(&panels, self.coefficients),)+
                    $(Basis::$without => {})?
                }
            }
        })+
    };
}

kernels!(8 8 1 Dct Adst, 16 16 2 Dct Adst, 32 32 4 Dct / Adst, 64 32 4 Dct / Adst);

impl Kernel for Forwards<'_, 4> {
    type Output = ();

    #[inline(always)]
    fn run(self, level: impl Level) {
        let mut rows = [[0; COLUMNS]; 4];
        for (row, into) in self.residual.as_chunks::<4>().0.iter().zip(&mut rows) {
            for (number, into) in row.iter().zip(into) {
                *into = number.cast_unsigned();
            }
        }
        let input = transpose_four(level, &rows);
        let mut between = [[0; COLUMNS]; 4];
        match self.kind.rows() {
            Basis::Dct => pass::<Dct, 4, 4, COLUMNS>(first_scale(4), &input, &mut between),
            Basis::Adst => pass::<Adst, 4, 4, COLUMNS>(first_scale(4), &input, &mut between),
        }
        let across = transpose_four(level, &between);
        let mut output = [[0i32; COLUMNS]; 4];
        match self.kind.columns() {
            Basis::Dct => pass::<Dct, 4, 4, COLUMNS>(second_scale(4), &across, &mut output),
            Basis::Adst => pass::<Adst, 4, 4, COLUMNS>(second_scale(4), &across, &mut output),
        }
        for (numbers, row) in output.iter().zip(self.coefficients.as_chunks_mut::<4>().0) {
            let [a, b, c, d, ..] = *numbers;
            *row = [a, b, c, d];
        }
    }
}
