//! The coefficients of a transform block: parsing, contexts and dequantization as sections 5.11.39 to 5.11.48, 8.3.2
//! and 7.12 of the specification word them, names included.
//!
//! Knows nothing of the encoder but its tables of the quantizer, which were extracted from the specification, and its
//! names of the kinds of transform.

use super::blocks::{Block, Transform};
use super::decoder::Tile;
use super::scans;
use crate::av1::defaults::quantizers;
use crate::av1::transform::Kind;

const NUM_BASE_LEVELS: u32 = 2;
const COEFF_BASE_RANGE: u32 = 12;
const BR_CDF_SIZE: u32 = 4;

/// `Mode_To_Txfm` of 9.3.
const MODE_TO_TXFM: [Kind; 14] = [
    Kind::DctDct,   // DC_PRED
    Kind::AdstDct,  // V_PRED
    Kind::DctAdst,  // H_PRED
    Kind::DctDct,   // D45_PRED
    Kind::AdstAdst, // D135_PRED
    Kind::AdstDct,  // D113_PRED
    Kind::DctAdst,  // D157_PRED
    Kind::DctAdst,  // D203_PRED
    Kind::AdstDct,  // D67_PRED
    Kind::AdstAdst, // SMOOTH_PRED
    Kind::AdstDct,  // SMOOTH_V_PRED
    Kind::DctAdst,  // SMOOTH_H_PRED
    Kind::AdstAdst, // PAETH_PRED
    Kind::DctDct,   // UV_CFL_PRED
];

/// `Coeff_Base_Ctx_Offset` of square transforms of 8 and more.
const COEFF_BASE_CTX_OFFSET: [[usize; 5]; 5] = [
    [0, 1, 6, 6, 21],
    [1, 6, 6, 21, 21],
    [6, 6, 21, 21, 21],
    [6, 21, 21, 21, 21],
    [21, 21, 21, 21, 21],
];
/// The same of TX_4X4.
const COEFF_BASE_CTX_OFFSET_4: [[usize; 5]; 5] = [
    [0, 1, 6, 6, 0],
    [1, 6, 6, 21, 0],
    [6, 6, 21, 21, 0],
    [6, 21, 21, 21, 0],
    [0, 0, 0, 0, 0],
];

/// What `coeffs` gives, dequantized.
pub(super) struct Coefficients {
    pub(super) eob: usize,
    pub(super) plane_tx_type: Kind,
    /// `Dequant[ i ][ j ]`, rows of 32 at the most.
    pub(super) dequant: Vec<i32>,
}

/// The magnitudes of a transform that are known, and where they are.
struct Quant {
    levels: Vec<u32>,
    /// Of the side, 5 at the most (Adjusted_Tx_Size).
    bwl: u32,
    /// txSz: 0 for TX_4X4 to 4 for TX_64X64.
    tx_size: usize,
}

impl Quant {
    /// Sums what is at the offsets from a position, each at most `most`; outside of the transform nothing is counted.
    fn sum(&self, pos: usize, offsets: &[(usize, usize)], most: u32) -> usize {
        let side = 1 << self.bwl;
        let (row, col) = (pos >> self.bwl, pos % side);
        let near = offsets.iter().map(|(down, right)| (row + down, col + right));
        let inside = near.filter(|(row, col)| *row < side && *col < side);
        inside
            .map(|(row, col)| self.levels[(row << self.bwl) + col].min(most) as usize)
            .sum()
    }

    /// `get_coeff_base_ctx` where isEob is 1, less what coeff_base_eob takes off.
    fn coeff_base_eob_ctx(&self, c: usize) -> usize {
        let count = 1 << (2 * self.bwl);
        if c == 0 {
            0
        } else if c <= count / 8 {
            1
        } else if c <= count / 4 {
            2
        } else {
            3
        }
    }

    /// `get_coeff_base_ctx` where isEob is 0, of the class TX_CLASS_2D.
    fn coeff_base_ctx(&self, pos: usize) -> usize {
        let mag = self.sum(pos, &[(0, 1), (1, 0), (1, 1), (0, 2), (2, 0)], 3);
        let (row, col) = (pos >> self.bwl, pos % (1 << self.bwl));
        if row == 0 && col == 0 {
            return 0;
        }
        let offsets = if self.tx_size == 0 {
            COEFF_BASE_CTX_OFFSET_4
        } else {
            COEFF_BASE_CTX_OFFSET
        };
        ((mag + 1) >> 1).min(4) + offsets[row.min(4)][col.min(4)]
    }

    /// The context of coeff_br, of the class TX_CLASS_2D.
    fn coeff_br_ctx(&self, pos: usize) -> usize {
        let most = COEFF_BASE_RANGE + NUM_BASE_LEVELS + 1;
        let mag = self.sum(pos, &[(0, 1), (1, 0), (1, 1)], most);
        let mag = ((mag + 1) >> 1).min(6);
        let (row, col) = (pos >> self.bwl, pos % (1 << self.bwl));
        if pos == 0 {
            mag
        } else if row < 2 && col < 2 {
            mag + 7
        } else {
            mag + 14
        }
    }
}

impl Tile<'_, '_> {
    /// `coeffs( plane, startX, startY, txSz )` (5.11.39).
    pub(super) fn coeffs(&mut self, transform: Transform, block: &mut Block) -> Coefficients {
        let Transform { plane, log2, .. } = transform;
        let ptype = usize::from(plane > 0);
        let tx_size = log2 as usize - 2;
        let tx_sz_ctx = tx_size;
        let tw = 1 << log2.min(5);
        let mut quant = Quant {
            levels: vec![0; tw * tw],
            bwl: log2.min(5),
            tx_size,
        };
        let mut coefficients = Coefficients {
            eob: 0,
            plane_tx_type: Kind::DctDct,
            dequant: vec![0; tw * tw],
        };
        let ctx = self.all_zero_ctx(transform, block);
        if self.symbols.symbol(&mut self.cdfs.txb_skip[tx_sz_ctx][ctx]) == 1 {
            self.set_contexts(transform, 0, 0);
            return coefficients;
        }
        if plane == 0 {
            block.tx_type = self.transform_type(tx_size, block.y_mode);
        }
        coefficients.plane_tx_type = compute_tx_type(plane, tx_size, block);
        let scan = scans::scan(log2);
        let eob = self.eob(tx_size, ptype);
        for c in (0..eob).rev() {
            let pos = usize::from(scan[c]);
            let mut level;
            if c == eob - 1 {
                let cdf = &mut self.cdfs.coeff_base_eob[tx_sz_ctx][ptype][quant.coeff_base_eob_ctx(c)];
                level = self.symbols.symbol(cdf) as u32 + 1;
            } else {
                let cdf = &mut self.cdfs.coeff_base[tx_sz_ctx][ptype][quant.coeff_base_ctx(pos)];
                level = self.symbols.symbol(cdf) as u32;
            }
            if level > NUM_BASE_LEVELS {
                let cdf = &mut self.cdfs.coeff_br[tx_sz_ctx.min(3)][ptype][quant.coeff_br_ctx(pos)];
                for _ in 0..COEFF_BASE_RANGE / (BR_CDF_SIZE - 1) {
                    let coeff_br = self.symbols.symbol(cdf) as u32;
                    level += coeff_br;
                    if coeff_br < BR_CDF_SIZE - 1 {
                        break;
                    }
                }
            }
            quant.levels[pos] = level;
        }

        let (mut cul_level, mut dc_category) = (0, 0);
        for (c, pos) in scan[..eob].iter().map(|pos| usize::from(*pos)).enumerate() {
            let mut level = quant.levels[pos];
            let sign = level != 0
                && if c == 0 {
                    let ctx = self.dc_sign_ctx(transform);
                    self.symbols.symbol(&mut self.cdfs.dc_sign[ptype][ctx]) == 1
                } else {
                    self.symbols.bool()
                };
            if level > NUM_BASE_LEVELS + COEFF_BASE_RANGE {
                level = self.golomb() + COEFF_BASE_RANGE + NUM_BASE_LEVELS;
            }
            if pos == 0 && level > 0 {
                dc_category = if sign { 1 } else { 2 };
            }
            level &= 0xFFFFF;
            cul_level += level;
            coefficients.dequant[pos] = self.dequantized(pos, level, sign, log2);
        }
        self.set_contexts(transform, cul_level.min(63), dc_category);
        coefficients.eob = eob;
        coefficients
    }

    /// eob_pt, eob_extra and eob_extra_bit.
    fn eob(&mut self, tx_size: usize, ptype: usize) -> usize {
        let eob_pt = self.symbols.symbol(&mut self.cdfs.eob_pt[tx_size.min(3)][ptype]) + 1;
        let mut eob = if eob_pt < 2 { eob_pt } else { (1 << (eob_pt - 2)) + 1 };
        if eob_pt >= 3 {
            let cdf = &mut self.cdfs.eob_extra[tx_size][ptype][eob_pt - 3];
            if self.symbols.symbol(cdf) == 1 {
                eob += 1 << (eob_pt - 3);
            }
            for i in 1..eob_pt - 2 {
                if self.symbols.bool() {
                    eob += 1 << (eob_pt - 2 - 1 - i);
                }
            }
        }
        eob
    }

    /// golomb_length_bit and golomb_data_bit: x of 5.11.39.
    fn golomb(&mut self) -> u32 {
        let mut length = 0;
        loop {
            length += 1;
            let golomb_length_bit = self.symbols.bool();
            if golomb_length_bit {
                break;
            }
            assert!(length < 20, "golomb_length_bit is to be 1 where length is 20 (6.10.34)");
        }
        let mut x = 1;
        for _ in 0..length - 1 {
            x = x << 1 | u32::from(self.symbols.bool());
        }
        x
    }

    /// `transform_type( x4, y4, txSz )` (5.11.47), where base_q_idx is not 0.
    fn transform_type(&mut self, tx_size: usize, y_mode: u8) -> Kind {
        let mode = usize::from(y_mode);
        match tx_size {
            // TX_SET_INTRA_1: IDTX, DCT_DCT, V_DCT, H_DCT, ADST_ADST, ADST_DCT, DCT_ADST.
            0 | 1 => match self.symbols.symbol(&mut self.cdfs.intra_tx_type_set1[tx_size][mode]) {
                1 => Kind::DctDct,
                4 => Kind::AdstAdst,
                5 => Kind::AdstDct,
                6 => Kind::DctAdst,
                other => panic!("intra_tx_type {other} of set 1"),
            },
            // TX_SET_INTRA_2: IDTX, DCT_DCT, ADST_ADST, ADST_DCT, DCT_ADST.
            2 => match self.symbols.symbol(&mut self.cdfs.intra_tx_type_set2[tx_size][mode]) {
                1 => Kind::DctDct,
                2 => Kind::AdstAdst,
                3 => Kind::AdstDct,
                4 => Kind::DctAdst,
                other => panic!("intra_tx_type {other} of set 2"),
            },
            // TX_SET_DCTONLY.
            _ => Kind::DctDct,
        }
    }

    /// The context of all_zero (8.3.2).
    fn all_zero_ctx(&self, transform: Transform, block: &Block) -> usize {
        let Transform { plane, log2, .. } = transform;
        let [sub_x, _] = self.current.sequence.subsampling(plane);
        let (w, bw) = (1 << log2, 1 << (block.log2 - sub_x as u32));
        if plane == 0 {
            assert_eq!(bw, w, "blocks have one transform of luma");
            return 0;
        }
        let [above, left] = self.inside_frame(transform);
        let is_coded = |levels: &[u32], signs: &[u8]| {
            let level = levels.iter().fold(0, |all, level| all | level);
            let sign = signs.iter().fold(0, |all, sign| all | sign);
            level != 0 || sign != 0
        };
        let above = is_coded(
            &self.above_level_context[plane][above.clone()],
            &self.above_dc_context[plane][above],
        );
        let left = is_coded(
            &self.left_level_context[plane][left.clone()],
            &self.left_dc_context[plane][left],
        );
        let ctx = 7 + usize::from(above) + usize::from(left);
        if bw * bw > w * w { ctx + 3 } else { ctx }
    }

    /// The context of dc_sign (8.3.2).
    fn dc_sign_ctx(&self, transform: Transform) -> usize {
        let [above, left] = self.inside_frame(transform);
        let above = &self.above_dc_context[transform.plane][above];
        let left = &self.left_dc_context[transform.plane][left];
        let mut dc_sign = 0;
        for sign in above.iter().chain(left) {
            match sign {
                1 => dc_sign -= 1,
                2 => dc_sign += 1,
                _ => {}
            }
        }
        match dc_sign {
            ..0 => 1,
            0 => 0,
            1.. => 2,
        }
    }

    /// Places x4 + k below maxX4 and y4 + k below maxY4.
    fn inside_frame(&self, transform: Transform) -> [std::ops::Range<usize>; 2] {
        let [sub_x, sub_y] = self.current.sequence.subsampling(transform.plane);
        let (max_x4, max_y4) = (self.current.frame.mi_cols >> sub_x, self.current.frame.mi_rows >> sub_y);
        let (x4, y4, w4) = (
            transform.start_x >> 2,
            transform.start_y >> 2,
            1 << (transform.log2 - 2),
        );
        [x4..(x4 + w4).min(max_x4), y4..(y4 + w4).min(max_y4)]
    }

    /// The end of `coeffs`.
    fn set_contexts(&mut self, transform: Transform, cul_level: u32, dc_category: u8) {
        let (x4, y4, w4) = (
            transform.start_x >> 2,
            transform.start_y >> 2,
            1 << (transform.log2 - 2),
        );
        let plane = transform.plane;
        self.above_level_context[plane][x4..x4 + w4].fill(cul_level);
        self.above_dc_context[plane][x4..x4 + w4].fill(dc_category);
        self.left_level_context[plane][y4..y4 + w4].fill(cul_level);
        self.left_dc_context[plane][y4..y4 + w4].fill(dc_category);
    }

    /// Step 1 of the reconstruct process (7.12.3), without matrices.
    fn dequantized(&self, pos: usize, level: u32, sign: bool, log2: u32) -> i32 {
        let bit_depth = self.current.sequence.bit_depth;
        let lookup = match (bit_depth, pos == 0) {
            (8, true) => &quantizers::DC_8,
            (8, false) => &quantizers::AC_8,
            (_, true) => &quantizers::DC_10,
            (_, false) => &quantizers::AC_10,
        };
        let q2 = i64::from(lookup[self.current_q_index as usize]);
        let dq_denom = match log2 {
            6 => 4,
            5 => 2,
            _ => 1,
        };
        let dq = i64::from(level) * q2;
        let dq2 = if sign { -1 } else { 1 } * (dq & 0xFF_FFFF) / dq_denom;
        dq2.clamp(-(1 << (7 + bit_depth)), (1 << (7 + bit_depth)) - 1) as i32
    }
}

/// `compute_tx_type( plane, txSz, blockX, blockY )` (5.11.40) with `get_tx_set` (5.11.48).
fn compute_tx_type(plane: usize, tx_size: usize, block: &Block) -> Kind {
    // Beyond 16x16 the set is TX_SET_DCTONLY; all the kinds here are in the other two.
    if tx_size > 2 {
        return Kind::DctDct;
    }
    if plane == 0 {
        block.tx_type
    } else {
        MODE_TO_TXFM[usize::from(block.uv_mode)]
    }
}
