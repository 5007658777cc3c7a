//! The fast inverse is the specification's, and the forward transform is what it is the inverse of.

use super::forward::Forwards;
use super::inverse::InverseAdd;
use super::*;

const SIDES: [Side; 5] = [Side::Four, Side::Eight, Side::Sixteen, Side::ThirtyTwo, Side::SixtyFour];

fn kinds(side: Side) -> &'static [Kind] {
    let all = &[Kind::DctDct, Kind::AdstDct, Kind::DctAdst, Kind::AdstAdst];
    if side.pixels() <= 16 { all } else { &all[..1] }
}

/// A small generator of numbers: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(bound)) as u32
    }

    fn within(&mut self, most: i32) -> i32 {
        self.below(2 * most.cast_unsigned() + 1).cast_signed() - most
    }
}

macro_rules! run_portable {
    ($kernel:ident, $side:expr, { $($fields:tt)* }) => {
        match $side {
            Side::Four => simd::run_portable($kernel::<4> { $($fields)* }),
            Side::Eight => simd::run_portable($kernel::<8> { $($fields)* }),
            Side::Sixteen => simd::run_portable($kernel::<16> { $($fields)* }),
            Side::ThirtyTwo => simd::run_portable($kernel::<32> { $($fields)* }),
            Side::SixtyFour => simd::run_portable($kernel::<64> { $($fields)* }),
        }
    };
}

/// Adds coefficients to pixels at both levels and the specification's way.
fn check_inverse(side: Side, kind: Kind, coefficients: &[i32], extent: (usize, usize), bits: u8, random: &mut Random) {
    let pixels = side.pixels();
    let stride = pixels + random.below(5) as usize;
    // The last row need not be whole.
    let before: Vec<u16> = (0..stride * (pixels - 1) + pixels)
        .map(|_| random.below(1 << bits) as u16)
        .collect();
    let residual = oracle::residual(pixels, kind, coefficients, bits.into());
    let mut expected = before.clone();
    for (row, residuals) in expected.chunks_mut(stride).zip(residual.chunks(pixels)) {
        for (pixel, residual) in row.iter_mut().zip(residuals) {
            *pixel = (i64::from(*pixel) + residual).clamp(0, (1 << bits) - 1) as u16;
        }
    }
    let mut widest = before.clone();
    inverse_add(side, kind, coefficients, extent, &mut widest, stride, bits);
    assert!(widest == expected, "{side:?} {kind:?} {extent:?} of {bits} bits");
    let mut portable = before;
    let into = &mut portable[..];
    run_portable!(InverseAdd, side, { kind, coefficients, extent, pixels: into, stride, bits });
    assert!(
        portable == expected,
        "portable {side:?} {kind:?} {extent:?} of {bits} bits"
    );
}

#[test]
fn the_inverse_is_exact() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for side in SIDES {
        let kept = side.frequencies();
        let turns = 1200 / kept;
        for (kind, turn) in kinds(side)
            .iter()
            .flat_map(|kind| (0..turns).map(move |turn| (*kind, turn)))
        {
            let bits = if turn % 2 == 0 { 8 } else { 10 };
            let most = 1 << (random.below(u32::from(bits) + 6) + 3);
            let extent = match random.below(4) {
                0 => (kept, kept),
                1 => (1 + random.below(4) as usize, 1 + random.below(4) as usize),
                _ => (
                    1 + random.below(kept as u32) as usize,
                    1 + random.below(kept as u32) as usize,
                ),
            };
            let one_in = [1, 2, 5, 30, 200][random.below(5) as usize];
            let mut coefficients = vec![0; kept * kept];
            for row in coefficients.chunks_mut(kept).take(extent.0) {
                for number in &mut row[..extent.1] {
                    *number = if random.below(one_in) == 0 {
                        random.within(most)
                    } else {
                        0
                    };
                }
            }
            check_inverse(side, kind, &coefficients, extent, bits, &mut random);
        }
    }
}

/// Every number is as large as it can be, and of the sign that adds up most in one of the pixels.
#[test]
fn the_inverse_is_exact_at_the_limits() {
    let mut random = Random(77);
    for side in SIDES {
        let kept = side.frequencies();
        for (kind, bits) in kinds(side).iter().flat_map(|kind| [(*kind, 8u8), (*kind, 10)]) {
            for limit in [1 << (bits + 8), (1 << (bits + 7)) - 1] {
                for turn in 0..8 {
                    let coefficients: Vec<i32> = (0..kept * kept)
                        .map(|_| {
                            if turn == 0 || random.below(8) < turn {
                                limit
                            } else {
                                -limit
                            }
                        })
                        .collect();
                    check_inverse(side, kind, &coefficients, (kept, kept), bits, &mut random);
                }
            }
        }
    }
}

/// Sums of magnitudes just at the bound below which nothing is clamped, in one row, in one column and all over.
#[test]
fn the_inverse_is_exact_where_it_stops_being_short() {
    let mut random = Random(99);
    for side in SIDES {
        let kept = side.frequencies();
        for (kind, bits) in kinds(side).iter().flat_map(|kind| [(*kind, 8u8), (*kind, 10)]) {
            for (sum, count) in [
                (30_000, 1),
                (30_000, kept),
                (120_000, kept),
                (30_000, kept * kept),
                (120_000, kept * kept),
            ] {
                for turn in 0..6 {
                    let mut coefficients = vec![0; kept * kept];
                    for place in 0..count {
                        let place = if turn % 2 == 1 && count == kept {
                            place * kept
                        } else {
                            place
                        };
                        let sign = if turn < 2 || random.below(2) == 0 { 1 } else { -1 };
                        coefficients[place] = sign * sum / count as i32;
                    }
                    check_inverse(side, kind, &coefficients, (kept, kept), bits, &mut random);
                }
            }
        }
    }
}

fn check_round_trip(side: Side, kind: Kind, residual: &[i16], most: i32) {
    let (pixels, kept) = (side.pixels(), side.frequencies());
    let mut coefficients = vec![7; kept * kept];
    forward(side, kind, residual, &mut coefficients);
    let mut portable = vec![9; kept * kept];
    let into = &mut portable[..];
    run_portable!(Forwards, side, { kind, residual, coefficients: into });
    assert!(portable == coefficients, "{side:?} {kind:?}");
    let again = oracle::residual(pixels, kind, &coefficients, 10);
    let errors = again.iter().zip(residual).map(|(one, other)| one - i64::from(*other));
    let worst = errors.clone().map(i64::abs).max().unwrap();
    let squares = errors.map(|error| error * error).sum::<i64>() as f64 / (pixels * pixels) as f64;
    assert!(
        worst <= i64::from(most) && squares < 0.45,
        "{side:?} {kind:?}: {worst} at worst, {squares} on average"
    );
}

#[test]
fn residuals_come_back() {
    let mut random = Random(5);
    for side in SIDES {
        for kind in kinds(side) {
            for most in [1, 20, 255, 1023] {
                let area = side.pixels() * side.pixels();
                if side != Side::SixtyFour {
                    let residual: Vec<i16> = (0..area).map(|_| random.within(most) as i16).collect();
                    check_round_trip(side, *kind, &residual, if most == 1023 { 2 } else { 1 });
                }
                let signs: Vec<i16> = (0..area)
                    .map(|_| most as i16 * (random.below(2) as i16 * 2 - 1))
                    .collect();
                if side != Side::SixtyFour {
                    check_round_trip(side, *kind, &signs, if most == 1023 { 2 } else { 1 });
                }
            }
            check_round_trip(side, *kind, &smooth(side, 200.0), 1);
            check_round_trip(side, *kind, &smooth(side, 1023.0), 2);
        }
    }
}

/// A residual of but one low frequency of the cosine transforms.
fn smooth(side: Side, most: f64) -> Vec<i16> {
    let pixels = side.pixels();
    let wave =
        |place: usize, frequency: f64| (std::f64::consts::PI * frequency * (place as f64 + 0.5) / pixels as f64).cos();
    (0..pixels * pixels)
        .map(|index| (most * wave(index / pixels, 2.0) * wave(index % pixels, 1.0)).round() as i16)
        .collect()
}

#[test]
fn a_constant_has_but_the_lowest_frequency() {
    for side in SIDES {
        for residual in [1i16, -17, 255, 1023, -1023] {
            let kept = side.frequencies();
            let mut coefficients = vec![7; kept * kept];
            forward(
                side,
                Kind::DctDct,
                &vec![residual; side.pixels() * side.pixels()],
                &mut coefficients,
            );
            let gain = [32, 64, 128, 128, 128][side.log2() - 2];
            let (found, expected) = (coefficients[0], gain * i32::from(residual));
            // The decoder's cosines are off by one in ten thousand, which coefficients make up for.
            assert!(
                (found - expected).abs() <= 1 + expected.abs() / 3000,
                "{side:?} {found}"
            );
            assert!(
                coefficients[1..].iter().all(|number| *number == 0),
                "{side:?} {residual}"
            );
        }
    }
}

/// Basis functions of 64 that are not kept leave nothing behind.
#[test]
fn high_frequencies_of_sixty_four_are_dropped() {
    let residual: Vec<i16> = (0..64 * 64)
        .map(|index| if (index % 64) & 1 == 0 { 500 } else { -500 })
        .collect();
    let mut coefficients = vec![7; 32 * 32];
    forward(Side::SixtyFour, Kind::DctDct, &residual, &mut coefficients);
    let energy: f64 = coefficients
        .iter()
        .map(|number| f64::from(*number) * f64::from(*number))
        .sum::<f64>()
        / 4.0;
    assert!(energy < 500.0 * 500.0 * 4096.0 * 0.01);
}
