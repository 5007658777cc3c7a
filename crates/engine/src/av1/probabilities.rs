//! The probabilities of a frame as they are while it is coded.

use super::arithmetic::{Cumulative, complete};
use super::defaults::{coefficients, modes};

/// Of everything that a picture without motion can have.
#[derive(Debug, Clone)]
pub(super) struct Probabilities {
    pub(super) skip: [Cumulative<3>; 3],
    pub(super) luma_mode: [[Cumulative<14>; 5]; 5],
    pub(super) chroma_mode: [Cumulative<14>; 13],
    pub(super) chroma_mode_or_luma: [Cumulative<15>; 13],
    pub(super) angle: [Cumulative<8>; 8],
    pub(super) partition_8: [Cumulative<5>; 4],
    /// Of blocks of 16, 32 and 64.
    pub(super) partition: [[Cumulative<11>; 4]; 3],
    pub(super) kind_of_7: [[Cumulative<8>; 13]; 2],
    pub(super) kind_of_5: [[Cumulative<6>; 13]; 3],
    pub(super) quantizer: Cumulative<5>,
    pub(super) chroma_signs: Cumulative<9>,
    pub(super) chroma_alpha: [Cumulative<17>; 6],
    pub(super) coefficients: Coefficients,
}

/// Those of coefficients; sides of transforms count from 4 (0) to 64 (4), luma is plane 0.
#[derive(Debug, Clone)]
pub(super) struct Coefficients {
    pub(super) all_zero: [[Cumulative<3>; 13]; 5],
    pub(super) end_16: [Cumulative<6>; 2],
    pub(super) end_64: [Cumulative<8>; 2],
    pub(super) end_256: [Cumulative<10>; 2],
    pub(super) end_1024: [Cumulative<12>; 2],
    pub(super) end_extra: [[[Cumulative<3>; 9]; 2]; 5],
    pub(super) dc_sign: [[Cumulative<3>; 3]; 2],
    pub(super) last_base: [[[Cumulative<4>; 4]; 2]; 5],
    pub(super) base: [[[Cumulative<5>; 42]; 2]; 5],
    pub(super) range: [[[Cumulative<5>; 21]; 2]; 5],
}

fn one<const COUNT: usize, const GIVEN: usize, const ENTRIES: usize>(
    given: [[u16; GIVEN]; COUNT],
) -> [Cumulative<ENTRIES>; COUNT] {
    given.map(complete)
}

fn two<const OUTER: usize, const COUNT: usize, const GIVEN: usize, const ENTRIES: usize>(
    given: [[[u16; GIVEN]; COUNT]; OUTER],
) -> [[Cumulative<ENTRIES>; COUNT]; OUTER] {
    given.map(one)
}

fn three<const OUTMOST: usize, const OUTER: usize, const COUNT: usize, const GIVEN: usize, const ENTRIES: usize>(
    given: [[[[u16; GIVEN]; COUNT]; OUTER]; OUTMOST],
) -> [[[Cumulative<ENTRIES>; COUNT]; OUTER]; OUTMOST] {
    given.map(two)
}

impl Probabilities {
    /// What a frame with this index of the quantizer begins with.
    pub(super) fn new(quantizer: u8) -> Self {
        Self {
            skip: one(modes::SKIP),
            luma_mode: two(modes::LUMA_MODE),
            chroma_mode: one(modes::CHROMA_MODE),
            chroma_mode_or_luma: one(modes::CHROMA_MODE_OR_LUMA),
            angle: one(modes::ANGLE),
            partition_8: one(modes::PARTITION_8),
            partition: [modes::PARTITION_16, modes::PARTITION_32, modes::PARTITION_64].map(one),
            kind_of_7: two(modes::KIND_OF_7),
            kind_of_5: two(modes::KIND_OF_5),
            quantizer: complete(modes::QUANTIZER),
            chroma_signs: complete(modes::CHROMA_SIGNS),
            chroma_alpha: one(modes::CHROMA_ALPHA),
            coefficients: Coefficients::new(quantizer),
        }
    }
}

impl Coefficients {
    fn new(quantizer: u8) -> Self {
        // init_coeff_cdfs of 6.8.2.
        let index = match quantizer {
            0..=20 => 0,
            21..=60 => 1,
            61..=120 => 2,
            121.. => 3,
        };
        Self {
            all_zero: two(coefficients::ALL_ZERO[index]),
            end_16: one(coefficients::END_16[index]),
            end_64: one(coefficients::END_64[index]),
            end_256: one(coefficients::END_256[index]),
            end_1024: one(coefficients::END_1024[index]),
            end_extra: three(coefficients::END_EXTRA[index]),
            dc_sign: two(coefficients::DC_SIGN[index]),
            last_base: three(coefficients::LAST_BASE[index]),
            base: three(coefficients::BASE[index]),
            range: three(coefficients::RANGE[index]),
        }
    }
}
