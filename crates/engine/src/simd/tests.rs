//! The widest instructions give what every processor gives.

use super::*;

fn numbers(count: u32) -> Vec<u16> {
    (0..count)
        .map(|number| (number.wrapping_mul(40_503) % 65_536) as u16)
        .collect()
}

struct AddUp<'a> {
    numbers: &'a [u16],
    weights: &'a [u16],
}

impl Kernel for AddUp<'_> {
    type Output = [u16; RUN];

    #[inline(always)]
    fn run(self, level: impl Level) -> [u16; RUN] {
        let mut sums = [7; RUN];
        level.add_weighted_pairs(&mut sums, self.numbers, self.weights, |pair| (pair * 3, 200 - pair * 5));
        sums
    }
}

#[test]
fn sums_of_weighted_pairs_are_equal() {
    let numbers = numbers(300);
    for count in [0, 1, 2, 7, 40] {
        let weights: Vec<u16> = (0..count).map(|weight| 65_535 / (weight + 1)).collect();
        let add_up = || AddUp {
            numbers: &numbers,
            weights: &weights,
        };
        assert_eq!(run(add_up()), run_portable(add_up()), "{count} weights");
    }
}

/// Every operation on lanes, one result after another.
struct Everything([i16; LANES], [i16; LANES]);

impl Kernel for Everything {
    type Output = Vec<[i16; LANES]>;

    #[inline(always)]
    fn run(self, level: impl Level) -> Vec<[i16; LANES]> {
        let (one, other) = (level.load(&self.0), level.load(&self.1));
        [
            level.splat(-3),
            level.add(one, other),
            level.subtract(one, other),
            level.min(one, other),
            level.max(one, other),
            level.multiply(one, other),
            level.multiply_fraction(one, 12_345),
            level.multiply_fraction(one, i16::MIN),
            level.multiply_fractions(one, other),
            level.multiply_high(one, other),
            level.shift_left::<3>(one),
            level.shift_right::<3>(one),
            level.magnitude(one),
            level.with_sign(one, other),
            level.shift_right_by(one, 0),
            level.shift_right_by(one, 13),
            level.mark_nonzero(one, other, level.splat(0x40)),
            level.pair_means(level.max(one, level.splat(0)), level.max(other, level.splat(0))),
        ]
        .map(|lanes| {
            let mut numbers = [0; LANES];
            level.store(lanes, &mut numbers);
            numbers
        })
        .to_vec()
    }
}

#[test]
fn operations_on_lanes_are_equal() {
    let edges = [
        0,
        1,
        -1,
        i16::MAX,
        i16::MIN,
        2,
        -2,
        255,
        -256,
        181,
        -181,
        16_384,
        -16_384,
        77,
        0,
        9,
    ];
    for turn in 0..LANES {
        let mut other = edges;
        other.rotate_left(turn);
        assert_eq!(run(Everything(edges, other)), run_portable(Everything(edges, other)));
    }
}

/// Channels of pixels.
struct Channels<'a>(&'a [u8; PIXELS]);

impl Kernel for Channels<'_> {
    type Output = [[i16; LANES]; 3];

    #[inline(always)]
    fn run(self, level: impl Level) -> Self::Output {
        level.load_pixels(self.0).map(|channel| {
            let mut numbers = [0; LANES];
            level.store(channel, &mut numbers);
            numbers
        })
    }
}

#[test]
fn pixels_are_taken_apart() {
    let pixels: [u8; PIXELS] = std::array::from_fn(|index| (index * 5 + 3) as u8);
    let channels = run(Channels(&pixels));
    assert_eq!(channels, run_portable(Channels(&pixels)));
    assert_eq!(channels[2][7], i16::from(pixels[7 * 3 + 2]));
}

/// Columns of a row, and the row of those columns.
struct ThereAndBack<'a>(&'a [u16; ROW]);

impl Kernel for ThereAndBack<'_> {
    type Output = ([[i16; LANES]; 8], [u16; ROW]);

    #[inline(always)]
    fn run(self, level: impl Level) -> Self::Output {
        let columns = level.row_to_columns(self.0);
        let mut row = [0; ROW];
        level.columns_to_row(columns, &mut row);
        let stored = columns.map(|lanes| {
            let mut numbers = [0; LANES];
            level.store(lanes, &mut numbers);
            numbers
        });
        (stored, row)
    }
}

#[test]
fn rows_become_columns_and_rows_again() {
    let row: [u16; ROW] = numbers(ROW as u32).try_into().unwrap();
    let (columns, again) = run(ThereAndBack(&row));
    assert_eq!((columns, again), run_portable(ThereAndBack(&row)));
    assert_eq!(again, row);
    assert_eq!(columns[3][5], row[5 * 8 + 3].cast_signed());
}

/// Four numbers of every lane as one.
struct Words<'a>(&'a [[i16; LANES]; 4]);

impl Kernel for Words<'_> {
    type Output = [u64; LANES];

    #[inline(always)]
    fn run(self, level: impl Level) -> Self::Output {
        let mut words = [0; LANES];
        level.columns_to_words(self.0.map(|column| level.load(&column)), &mut words);
        words
    }
}

#[test]
fn four_columns_become_words() {
    let columns: [[i16; LANES]; 4] =
        std::array::from_fn(|column| std::array::from_fn(|lane| (lane << 8 | column).cast_signed() as i16 - 900));
    let words = run(Words(&columns));
    assert_eq!(words, run_portable(Words(&columns)));
    assert_eq!(words[6] >> 32 & 0xffff, u64::from(columns[2][6].cast_unsigned()));
}
