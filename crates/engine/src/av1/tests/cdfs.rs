//! The CDF arrays of a tile (8.2.2 and 8.3.1 of the specification), by the names of the specification.
//!
//! Takes the default tables, which were extracted from the specification, and knows nothing else of the encoder.

use crate::av1::defaults::{coefficients, modes};

/// As the specification has it: with 32768 and the counter at the end.
pub(super) type Cdf = Vec<u16>;

/// Those of the symbols that the encoder may use.
pub(super) struct Cdfs {
    pub(super) skip: Vec<Cdf>,
    pub(super) intra_frame_y_mode: Vec<Vec<Cdf>>,
    pub(super) uv_mode_cfl_not_allowed: Vec<Cdf>,
    pub(super) uv_mode_cfl_allowed: Vec<Cdf>,
    pub(super) angle_delta: Vec<Cdf>,
    /// PartitionW8, W16, W32 and W64.
    pub(super) partition: [Vec<Cdf>; 4],
    pub(super) intra_tx_type_set1: Vec<Vec<Cdf>>,
    pub(super) intra_tx_type_set2: Vec<Vec<Cdf>>,
    pub(super) delta_q: Cdf,
    pub(super) cfl_sign: Cdf,
    pub(super) cfl_alpha: Vec<Cdf>,
    pub(super) txb_skip: Vec<Vec<Cdf>>,
    /// EobPt16, 64, 256 and 1024, of the two-dimensional class (context 0).
    pub(super) eob_pt: [Vec<Cdf>; 4],
    pub(super) eob_extra: Vec<Vec<Vec<Cdf>>>,
    pub(super) dc_sign: Vec<Vec<Cdf>>,
    pub(super) coeff_base_eob: Vec<Vec<Vec<Cdf>>>,
    pub(super) coeff_base: Vec<Vec<Vec<Cdf>>>,
    pub(super) coeff_br: Vec<Vec<Vec<Cdf>>>,
}

fn cdf(given: &[u16]) -> Cdf {
    given.iter().copied().chain([1 << 15, 0]).collect()
}

fn one<const N: usize>(given: &[[u16; N]]) -> Vec<Cdf> {
    given.iter().map(|given| cdf(given)).collect()
}

fn two<const N: usize, const A: usize>(given: &[[[u16; N]; A]]) -> Vec<Vec<Cdf>> {
    given.iter().map(|given| one(given)).collect()
}

fn three<const N: usize, const A: usize, const B: usize>(given: &[[[[u16; N]; A]; B]]) -> Vec<Vec<Vec<Cdf>>> {
    given.iter().map(|given| two(given)).collect()
}

impl Cdfs {
    /// `init_non_coeff_cdfs`, `init_coeff_cdfs` (6.8.2) and the copies of 8.2.2.
    pub(super) fn new(base_q_idx: u32) -> Self {
        let idx = if base_q_idx <= 20 {
            0
        } else if base_q_idx <= 60 {
            1
        } else if base_q_idx <= 120 {
            2
        } else {
            3
        };
        Self {
            skip: one(&modes::SKIP),
            intra_frame_y_mode: two(&modes::LUMA_MODE),
            uv_mode_cfl_not_allowed: one(&modes::CHROMA_MODE),
            uv_mode_cfl_allowed: one(&modes::CHROMA_MODE_OR_LUMA),
            angle_delta: one(&modes::ANGLE),
            partition: [
                one(&modes::PARTITION_8),
                one(&modes::PARTITION_16),
                one(&modes::PARTITION_32),
                one(&modes::PARTITION_64),
            ],
            intra_tx_type_set1: two(&modes::KIND_OF_7),
            intra_tx_type_set2: two(&modes::KIND_OF_5),
            delta_q: cdf(&modes::QUANTIZER),
            cfl_sign: cdf(&modes::CHROMA_SIGNS),
            cfl_alpha: one(&modes::CHROMA_ALPHA),
            txb_skip: two(&coefficients::ALL_ZERO[idx]),
            eob_pt: [
                one(&coefficients::END_16[idx]),
                one(&coefficients::END_64[idx]),
                one(&coefficients::END_256[idx]),
                one(&coefficients::END_1024[idx]),
            ],
            eob_extra: three(&coefficients::END_EXTRA[idx]),
            dc_sign: two(&coefficients::DC_SIGN[idx]),
            coeff_base_eob: three(&coefficients::LAST_BASE[idx]),
            coeff_base: three(&coefficients::BASE[idx]),
            coeff_br: three(&coefficients::RANGE[idx]),
        }
    }
}
