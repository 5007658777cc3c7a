//! Medians of small squares by networks of comparisons, a run of squares side by side.
//!
//! The columns of the window are sorted once for all the squares that they are part of.

use super::super::window::{Layout, Window};
use super::Number;
use crate::EngineError;
use crate::pixels::zeros;
use crate::simd::{self, Kernel, Level};

/// Numbers that are worked on side by side.
const RUN: usize = 32;
type Run<N> = [N; RUN];

/// The columns under the window, each sorted: in row 0 the least of every column. A run that begins at any column is whole.
pub(super) struct Sorted<N, const SIDE: usize> {
    rows: [Vec<N>; SIDE],
    channels: usize,
}

impl<N: Number, const SIDE: usize> Sorted<N, SIDE> {
    pub(super) fn new(layout: Layout) -> Result<Self, EngineError> {
        let mut rows = [const { Vec::new() }; SIDE];
        for row in &mut rows {
            *row = zeros((layout.padded() + RUN) as u64)?;
        }
        Ok(Self {
            rows,
            channels: layout.numbers,
        })
    }

    pub(super) fn medians(&mut self, window: &Window<'_, N>, made: &mut [N])
    where
        Networks: Network<SIDE, Run<N>>,
    {
        simd::run(Columns {
            rows: std::array::from_fn(|index| window.row(index)),
            sorted: &mut self.rows,
        });
        simd::run(Medians {
            sorted: &self.rows,
            channels: self.channels,
            made,
        });
    }
}

/// Sorts columns.
struct Columns<'a, N, const SIDE: usize> {
    rows: [&'a [N]; SIDE],
    sorted: &'a mut [Vec<N>; SIDE],
}

impl<N: Number, const SIDE: usize> Kernel for Columns<'_, N, SIDE>
where
    Networks: Network<SIDE, Run<N>>,
{
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let length = self.rows[0].len();
        for begin in (0..length).step_by(RUN) {
            let sorted = Networks::sorted(self.rows.map(|row| run_at(row, begin)));
            for (to, run) in self.sorted.iter_mut().zip(sorted) {
                to[begin..][..RUN].copy_from_slice(&run);
            }
        }
    }
}

/// Finds the medians of as many neighbouring sorted columns as they are high.
struct Medians<'a, N, const SIDE: usize> {
    sorted: &'a [Vec<N>; SIDE],
    channels: usize,
    made: &'a mut [N],
}

impl<N: Number, const SIDE: usize> Kernel for Medians<'_, N, SIDE>
where
    Networks: Network<SIDE, Run<N>>,
{
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        for (index, made) in self.made.chunks_mut(RUN).enumerate() {
            let row_of = |row: usize| {
                std::array::from_fn(|column| run_at(&self.sorted[row], index * RUN + column * self.channels))
            };
            let medians = Networks::median(std::array::from_fn(row_of));
            made.copy_from_slice(&medians[..made.len()]);
        }
    }
}

/// The run that begins there, filled up with zeros.
#[inline(always)]
fn run_at<N: Number>(numbers: &[N], begin: usize) -> Run<N> {
    let rest = &numbers[begin..];
    match rest.first_chunk() {
        Some(run) => *run,
        None => {
            let mut run = [N::default(); RUN];
            run[..rest.len()].copy_from_slice(rest);
            run
        }
    }
}

/// What can be put in order, as one number or as many side by side.
pub(super) trait Ordered: Copy {
    /// The lesser, then the greater.
    fn ordered(self, other: Self) -> (Self, Self);
}

impl Ordered for u8 {
    #[inline(always)]
    fn ordered(self, other: Self) -> (Self, Self) {
        (self.min(other), self.max(other))
    }
}

impl Ordered for u16 {
    #[inline(always)]
    fn ordered(self, other: Self) -> (Self, Self) {
        (self.min(other), self.max(other))
    }
}

impl<N: Number> Ordered for Run<N> {
    #[inline(always)]
    fn ordered(self, other: Self) -> (Self, Self) {
        let (mut less, mut more) = (self, other);
        for i in 0..RUN {
            (less[i], more[i]) = self[i].ordered(other[i]);
        }
        (less, more)
    }
}

/// The networks for squares of `SIDE` numbers a side.
pub(super) trait Network<const SIDE: usize, T> {
    fn sorted(numbers: [T; SIDE]) -> [T; SIDE];

    /// The median of a square, by rows, whose columns are sorted.
    fn median(rows: [[T; SIDE]; SIDE]) -> T;
}

pub(super) struct Networks;

impl<T: Ordered> Network<3, T> for Networks {
    #[inline(always)]
    fn sorted([a, b, c]: [T; 3]) -> [T; 3] {
        let (a, b) = a.ordered(b);
        let (b, c) = b.ordered(c);
        let (a, b) = a.ordered(b);
        [a, b, c]
    }

    /// That of the greatest of the least, the median of the medians and the least of the greatest.
    #[inline(always)]
    fn median([least, medians, greatest]: [[T; 3]; 3]) -> T {
        let [a, b, c] = least;
        let least = a.ordered(b).1.ordered(c).1;
        let [a, b, c] = greatest;
        let greatest = a.ordered(b).0.ordered(c).0;
        let [_, median, _] = Self::sorted(medians);
        let [_, median, _] = Self::sorted([least, median, greatest]);
        median
    }
}

impl<T: Ordered> Network<5, T> for Networks {
    /// Nine comparisons, the fewest there are.
    #[inline(always)]
    fn sorted([a, b, c, d, e]: [T; 5]) -> [T; 5] {
        let (a, d) = a.ordered(d);
        let (b, e) = b.ordered(e);
        let (a, c) = a.ordered(c);
        let (b, d) = b.ordered(d);
        let (a, b) = a.ordered(b);
        let (c, e) = c.ordered(e);
        let (b, c) = b.ordered(c);
        let (d, e) = d.ordered(e);
        let (c, d) = c.ordered(d);
        [a, b, c, d, e]
    }

    /// Sorts the rows; the columns stay sorted. Then the number in row r and column c, counted from 1, has r x c numbers
    /// that are no greater, itself among them, and (6 - r) x (6 - c) that are no less. Where one of the two is above 13 it
    /// is not the median. That leaves 13 numbers, with six left out on either side.
    #[inline(always)]
    fn median(rows: [[T; 5]; 5]) -> T {
        let [
            [_, _, _, a, b],
            [_, _, c, d, e],
            [_, f, g, h, _],
            [i, j, k, _, _],
            [l, m, _, _, _],
        ] = rows.map(Self::sorted);
        // Of eight numbers out of 13 neither the least nor the greatest is the median of all. They are thrown away, the next
        // is taken, and so on with one fewer each time.
        let [a, b, c, d, e, f] = without_ends([a, b, c, d, e, f, g, h]);
        let [a, b, c, d, e] = without_ends([a, b, c, d, e, f, i]);
        let [a, b, c, d] = without_ends([a, b, c, d, e, j]);
        let [a, b, c] = without_ends([a, b, c, d, k]);
        let [a, b] = without_ends([a, b, c, l]);
        let [median] = without_ends([a, b, m]);
        median
    }
}

/// All numbers but the least and the greatest, in any order.
#[inline(always)]
fn without_ends<T: Ordered, const FROM: usize, const TO: usize>(mut numbers: [T; FROM]) -> [T; TO] {
    const { assert!(TO + 2 == FROM) };
    for i in 1..FROM {
        (numbers[0], numbers[i]) = numbers[0].ordered(numbers[i]);
    }
    for i in 1..FROM - 1 {
        (numbers[i], numbers[FROM - 1]) = numbers[i].ordered(numbers[FROM - 1]);
    }
    std::array::from_fn(|index| numbers[index + 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network that is right for all zeros and ones is right for all numbers (Knuth, The Art of Computer Programming,
    /// 5.3.4): here of those whose columns are sorted, which are six each.
    #[test]
    fn the_median_of_five_sorted_columns_is_right_for_all_zeros_and_ones() {
        let columns = |mut code: usize| {
            let mut heights = [0; 5];
            for height in &mut heights {
                *height = code % 6;
                code /= 6;
            }
            heights
        };
        for heights in (0..6_usize.pow(5)).map(columns) {
            let bits: [[u8; 5]; 5] = std::array::from_fn(|row| heights.map(|ones| u8::from(row >= 5 - ones)));
            let ones: usize = heights.iter().sum();
            let median = Networks::median(bits);
            assert_eq!(median, u8::from(ones >= 13), "{bits:?}");
        }
    }

    #[test]
    fn the_median_of_three_sorted_columns_is_right_for_all_zeros_and_ones() {
        for code in 0..4_usize.pow(3) {
            let heights = [code % 4, code / 4 % 4, code / 16];
            let bits: [[u8; 3]; 3] = std::array::from_fn(|row| heights.map(|ones| u8::from(row >= 3 - ones)));
            let ones: usize = heights.iter().sum();
            assert_eq!(Networks::median(bits), u8::from(ones >= 5), "{bits:?}");
        }
    }

    #[test]
    fn five_numbers_are_sorted_whatever_their_order() {
        for code in 0..5_usize.pow(5) {
            let numbers: [u8; 5] = std::array::from_fn(|index| (code / 5_usize.pow(index as u32) % 5) as u8);
            let mut sorted = numbers;
            sorted.sort_unstable();
            assert_eq!(Networks::sorted(numbers), sorted);
        }
    }
}
