//! What every processor does, in arrays that the compiler may vectorise as it can.

use super::{LANES, Level, PIXELS, ROW, RUN};

#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Portable {
    #[inline(always)]
    fn each(numbers: [i16; LANES], change: impl Fn(i16) -> i16) -> [i16; LANES] {
        numbers.map(change)
    }

    #[inline(always)]
    fn both(one: [i16; LANES], other: [i16; LANES], combine: impl Fn(i16, i16) -> i16) -> [i16; LANES] {
        std::array::from_fn(|lane| combine(one[lane], other[lane]))
    }
}

impl Level for Portable {
    type Lanes = [i16; LANES];

    #[inline(always)]
    fn add_weighted_pairs(
        self,
        sums: &mut [u16; RUN],
        numbers: &[u16],
        weights: &[u16],
        pair_at: impl Fn(usize) -> (usize, usize),
    ) {
        for (pair, weight) in weights.iter().enumerate() {
            let (one, other) = pair_at(pair);
            let (ones, others) = (&numbers[one..][..RUN], &numbers[other..][..RUN]);
            for ((sum, one), other) in sums.iter_mut().zip(ones).zip(others) {
                let product = u32::from(one.wrapping_add(*other)) * u32::from(*weight);
                *sum = sum.wrapping_add((product >> 16) as u16);
            }
        }
    }

    #[inline(always)]
    fn splat(self, number: i16) -> [i16; LANES] {
        [number; LANES]
    }

    #[inline(always)]
    fn load(self, numbers: &[i16; LANES]) -> [i16; LANES] {
        *numbers
    }

    #[inline(always)]
    fn store(self, lanes: [i16; LANES], numbers: &mut [i16; LANES]) {
        *numbers = lanes;
    }

    #[inline(always)]
    fn add(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        Self::both(one, other, i16::wrapping_add)
    }

    #[inline(always)]
    fn subtract(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        Self::both(one, other, i16::wrapping_sub)
    }

    #[inline(always)]
    fn min(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        Self::both(one, other, Ord::min)
    }

    #[inline(always)]
    fn max(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        Self::both(one, other, Ord::max)
    }

    #[inline(always)]
    fn multiply(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        Self::both(one, other, i16::wrapping_mul)
    }

    #[inline(always)]
    fn multiply_fraction(self, numbers: [i16; LANES], fraction: i16) -> [i16; LANES] {
        self.multiply_fractions(numbers, [fraction; LANES])
    }

    #[inline(always)]
    fn multiply_fractions(self, numbers: [i16; LANES], fractions: [i16; LANES]) -> [i16; LANES] {
        Self::both(numbers, fractions, |number, fraction| {
            ((i32::from(number) * i32::from(fraction) + 0x4000) >> 15) as i16
        })
    }

    #[inline(always)]
    fn multiply_high(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        Self::both(one, other, |one, other| {
            ((u32::from(one.cast_unsigned()) * u32::from(other.cast_unsigned())) >> 16) as i16
        })
    }

    #[inline(always)]
    fn shift_left<const BITS: i32>(self, lanes: [i16; LANES]) -> [i16; LANES] {
        Self::each(lanes, |number| number << BITS)
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, lanes: [i16; LANES]) -> [i16; LANES] {
        Self::each(lanes, |number| number >> BITS)
    }

    #[inline(always)]
    fn shift_right_by(self, lanes: [i16; LANES], bits: u16) -> [i16; LANES] {
        Self::each(lanes, |number| (number.cast_unsigned() >> bits).cast_signed())
    }

    #[inline(always)]
    fn magnitude(self, lanes: [i16; LANES]) -> [i16; LANES] {
        Self::each(lanes, i16::wrapping_abs)
    }

    #[inline(always)]
    fn with_sign(self, lanes: [i16; LANES], signs: [i16; LANES]) -> [i16; LANES] {
        Self::both(lanes, signs, |number, sign| number.wrapping_mul(sign.signum()))
    }

    #[inline(always)]
    fn mark_nonzero(self, marks: [i16; LANES], numbers: [i16; LANES], mark: [i16; LANES]) -> [i16; LANES] {
        let marked = Self::both(mark, numbers, |mark, number| if number == 0 { 0 } else { mark });
        Self::both(marks, marked, |marks, marked| marks | marked)
    }

    #[inline(always)]
    fn load_pixels(self, pixels: &[u8; PIXELS]) -> [[i16; LANES]; 3] {
        std::array::from_fn(|channel| std::array::from_fn(|lane| i16::from(pixels[3 * lane + channel])))
    }

    #[inline(always)]
    fn pair_means(self, one: [i16; LANES], other: [i16; LANES]) -> [i16; LANES] {
        let pairs = [one, other];
        std::array::from_fn(|lane| {
            let from = pairs[2 * lane / LANES];
            let sum = i32::from(from[2 * lane % LANES]) + i32::from(from[2 * lane % LANES + 1]);
            ((sum + 1) >> 1) as i16
        })
    }

    #[inline(always)]
    fn columns_to_row(self, columns: [[i16; LANES]; 8], row: &mut [u16; ROW]) {
        for (lane, eight) in row.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *eight = columns.map(|column| column[lane].cast_unsigned());
        }
    }

    #[inline(always)]
    fn columns_to_words(self, columns: [[i16; LANES]; 4], words: &mut [u64; LANES]) {
        for (lane, word) in words.iter_mut().enumerate() {
            *word = columns
                .iter()
                .rev()
                .fold(0, |word, column| word << 16 | u64::from(column[lane].cast_unsigned()));
        }
    }

    #[inline(always)]
    fn row_to_columns(self, row: &[u16; ROW]) -> [[i16; LANES]; 8] {
        let eights = row.as_chunks::<8>().0;
        std::array::from_fn(|column| std::array::from_fn(|lane| eights[lane][column].cast_signed()))
    }
}
