//! Predictions are those of the oracle, with the instructions of this processor and with those of every processor.

use super::chroma_from_luma::{ChromaFromLuma, LumaAc};
use super::*;
use crate::av1::predict::oracle::{self, Call};

/// A generator of pseudo-random numbers: xorshift.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

const STRIDE: usize = 200;
const ROWS: usize = 200;

/// Contents that edges are made of.
#[derive(Clone, Copy, Debug)]
enum Content {
    Noise,
    Smooth,
    Extremes,
}

fn picture(content: Content, bits: u8, random: &mut Random) -> Vec<u16> {
    let most = (1 << bits) - 1;
    let (across, down) = (random.below(400) as i64 - 200, random.below(400) as i64 - 200);
    (0..STRIDE * ROWS)
        .map(|at| match content {
            Content::Noise => random.below(most + 1) as u16,
            Content::Extremes => (random.below(2) * most) as u16,
            Content::Smooth => {
                let (x, y) = ((at % STRIDE) as i64 - 70, (at / STRIDE) as i64 - 70);
                let level = (1 << (bits - 1)) + (((x * across + y * down) << (bits - 8)) >> 7) + random.below(3) as i64;
                level.clamp(0, most as i64) as u16
            }
        })
        .collect()
}

/// How much of a block of `side` is inside of the frame where the frame ends, and with what is beyond of it.
fn ends(side: usize) -> Vec<usize> {
    let mut ends = vec![1, side / 2, side - 1, side, side + side / 2, 3 * side];
    ends.dedup();
    ends
}

fn deltas(mode: Mode) -> std::ops::RangeInclusive<i8> {
    if mode.is_directional() { -3..=3 } else { 0..=0 }
}

/// Compares every mode, angle and filter on one block.
fn compare(frame: &[u16], side: usize, bits: u8, flags: u32, (columns, rows): (usize, usize)) {
    let (x, y) = (66, 67);
    let has = |flag: u32| flags & (1 << flag) != 0;
    let available = Available {
        above: has(0),
        left: has(1),
        above_right: if has(2) {
            columns.saturating_sub(side).min(side)
        } else {
            0
        },
        below_left: if has(3) { rows.saturating_sub(side).min(side) } else { 0 },
        columns_inside: columns,
        rows_inside: rows,
    };
    let mut edges = Edges::new();
    edges.gather(frame, STRIDE, y * STRIDE + x, side, available, bits);
    let mut into = vec![0; side * side];
    for mode in Mode::ALL {
        for angle_delta in deltas(mode) {
            for filter in [None, Some(false), Some(true)] {
                if !mode.is_directional() && filter.is_some() {
                    continue;
                }
                let call = Call {
                    frame,
                    stride: STRIDE,
                    x: x as i32,
                    y: y as i32,
                    max_x: (x + columns) as i32 - 1,
                    max_y: (y + rows) as i32 - 1,
                    have_left: available.left,
                    have_above: available.above,
                    have_above_right: has(2),
                    have_below_left: has(3),
                    mode: mode as u8,
                    angle_delta: angle_delta.into(),
                    filter,
                    log2: side.trailing_zeros(),
                    bit_depth: bits.into(),
                };
                let expected = call.predict_intra();
                let what = || format!("{mode:?} {angle_delta} {filter:?} side {side} bits {bits} {available:?}");
                into.fill(u16::MAX);
                predict(mode, angle_delta, &edges, filter, &mut into);
                assert!(into == expected, "{}", what());
                into.fill(u16::MAX);
                simd::run_portable(Prediction {
                    mode,
                    angle_delta,
                    edges: &edges,
                    filter,
                    into: &mut into,
                });
                assert!(into == expected, "portable {}", what());
            }
        }
    }
}

fn compare_all(side: usize) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15 + side as u64);
    for bits in [8, 10] {
        for content in [Content::Noise, Content::Smooth, Content::Extremes] {
            for flags in 0..16 {
                let frame = picture(content, bits, &mut random);
                let ends = ends(side);
                compare(&frame, side, bits, flags, (3 * side, 3 * side));
                for _ in 0..if side < 32 { 12 } else { 3 } {
                    let columns = ends[random.below(ends.len() as u64) as usize];
                    let rows = ends[random.below(ends.len() as u64) as usize];
                    compare(&frame, side, bits, flags, (columns, rows));
                }
            }
        }
    }
}

#[test]
fn blocks_of_4_are_the_oracles() {
    compare_all(4);
}

#[test]
fn blocks_of_8_are_the_oracles() {
    compare_all(8);
}

#[test]
fn blocks_of_16_are_the_oracles() {
    compare_all(16);
}

#[test]
fn blocks_of_32_are_the_oracles() {
    compare_all(32);
}

#[test]
fn blocks_of_64_are_the_oracles() {
    compare_all(64);
}

#[test]
fn blocks_in_the_corner_of_a_picture_need_no_pixels() {
    let mut edges = Edges::new();
    let available = Available {
        above: false,
        left: false,
        above_right: 0,
        below_left: 0,
        columns_inside: 8,
        rows_inside: 8,
    };
    edges.gather(&[], 0, 0, 8, available, 10);
    let mut into = [0; 64];
    predict(Mode::Dc, 0, &edges, None, &mut into);
    assert_eq!(into, [512; 64]);
}

#[test]
fn edges_do_not_depend_on_the_block_before() {
    let mut random = Random(5);
    let frame = picture(Content::Noise, 10, &mut random);
    let available = Available {
        above: true,
        left: true,
        above_right: 3,
        below_left: 5,
        columns_inside: 64,
        rows_inside: 64,
    };
    let (mut fresh, mut used) = (Edges::new(), Edges::new());
    used.gather(&frame, STRIDE, 66 * STRIDE + 66, 64, available, 10);
    used.gather(&frame, STRIDE, 71 * STRIDE + 66, 8, available, 10);
    fresh.gather(&frame, STRIDE, 71 * STRIDE + 66, 8, available, 10);
    for mode in Mode::ALL {
        for delta in deltas(mode) {
            let (mut one, mut other) = ([0; 64], [0; 64]);
            predict(mode, delta, &fresh, Some(false), &mut one);
            predict(mode, delta, &used, Some(false), &mut other);
            assert_eq!(one, other, "{mode:?} {delta}");
        }
    }
}

#[test]
fn modes_have_their_numbers() {
    for (number, mode) in (0..).zip(Mode::ALL) {
        assert_eq!(mode as u8, number);
        assert_eq!(mode.is_directional(), (1..=8).contains(&number));
        assert_eq!(mode.is_smooth(), (9..=11).contains(&number));
    }
}

#[test]
fn chroma_from_luma_is_the_oracles() {
    let mut random = Random(77);
    for bits in [8, 10] {
        for content in [Content::Noise, Content::Smooth, Content::Extremes] {
            let frame = picture(content, bits, &mut random);
            let chroma = picture(content, bits, &mut random);
            for log2 in 2..=6 {
                let side = 1 << log2;
                for is_halved in [false, true] {
                    let at = 3 * STRIDE + 11;
                    let expected = oracle::luma_less_mean(&frame[at..], STRIDE, is_halved.into(), log2);
                    let mut ac = vec![0; side * side];
                    simd::run_portable(LumaAc {
                        luma: &frame[at..],
                        stride: STRIDE,
                        is_halved,
                        side,
                        into: &mut ac,
                    });
                    assert!(ac.iter().map(|ac| i32::from(*ac)).eq(expected.iter().copied()));
                    ac.fill(0);
                    luma_ac(&frame, STRIDE, at, is_halved, side, &mut ac);
                    assert!(ac.iter().map(|ac| i32::from(*ac)).eq(expected.iter().copied()));
                    let dc = &chroma[..side * side];
                    let mut into = vec![0; side * side];
                    for alpha in -16..=16 {
                        let expected: Vec<u16> = dc
                            .iter()
                            .zip(&expected)
                            .map(|(dc, ac)| oracle::add_scaled_luma(*dc, *ac, alpha, bits.into()))
                            .collect();
                        chroma_from_luma(dc, &ac, alpha, bits, &mut into);
                        assert!(into == expected, "alpha {alpha} side {side} bits {bits}");
                        into.fill(0);
                        simd::run_portable(ChromaFromLuma {
                            dc,
                            ac: &ac,
                            alpha,
                            bits,
                            into: &mut into,
                        });
                        assert!(into == expected, "portable alpha {alpha} side {side} bits {bits}");
                    }
                }
            }
        }
    }
}
