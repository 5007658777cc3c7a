//! Partitions, blocks, their modes and their prediction, as sections 5.11.4 to 5.11.45, 7.11.2 and 7.11.5 of the
//! specification word them, names included.
//!
//! Knows of the encoder only the oracle of its tests of intra prediction, itself a transcript of the specification.

use super::coefficients::Coefficients;
use super::decoder::{ModeInfo, SB_SIZE_4, Tile};
use crate::av1::predict::oracle;
use crate::av1::transform::{Kind, oracle as inverse};

const PARTITION_NONE: usize = 0;
const PARTITION_SPLIT: usize = 3;
const DC_PRED: u8 = 0;
const V_PRED: u8 = 1;
const D67_PRED: u8 = 8;
const SMOOTH_PRED: u8 = 9;
const SMOOTH_H_PRED: u8 = 11;
const UV_CFL_PRED: u8 = 13;
const MAX_ANGLE_DELTA: i32 = 3;
const INTRA_MODE_CONTEXT: [usize; 13] = [0, 1, 2, 3, 4, 4, 4, 4, 3, 0, 1, 2, 0];

/// The block that is being decoded.
pub(super) struct Block {
    pub(super) mi_row: usize,
    pub(super) mi_col: usize,
    /// The logarithm of its side (MiSize), luma samples.
    pub(super) log2: u32,
    avail_u: bool,
    avail_l: bool,
    skip: bool,
    pub(super) y_mode: u8,
    angle_delta_y: i32,
    pub(super) uv_mode: u8,
    angle_delta_uv: i32,
    /// CflAlphaU and CflAlphaV.
    cfl_alpha: [i32; 2],
    /// TxTypes of the block: its luma has one transform only.
    pub(super) tx_type: Kind,
}

/// A transform block: `startX`, `startY` and `txSz` of 5.11.35.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transform {
    pub(super) plane: usize,
    pub(super) start_x: usize,
    pub(super) start_y: usize,
    pub(super) log2: u32,
}

fn is_directional_mode(mode: u8) -> bool {
    (V_PRED..=D67_PRED).contains(&mode)
}

impl Tile<'_, '_> {
    /// `decode_partition( r, c, bSize )` (5.11.4).
    pub(super) fn decode_partition(&mut self, row: usize, col: usize, log2: u32) {
        let (mi_rows, mi_cols) = (self.current.frame.mi_rows, self.current.frame.mi_cols);
        if row >= mi_rows || col >= mi_cols {
            return;
        }
        let num_4x4 = 1 << (log2 - 2);
        let half_block_4x4 = num_4x4 >> 1;
        let has_rows = row + half_block_4x4 < mi_rows;
        let has_cols = col + half_block_4x4 < mi_cols;
        match self.partition(row, col, log2, has_rows, has_cols) {
            PARTITION_NONE => self.decode_block(row, col, log2),
            PARTITION_SPLIT => {
                assert!(log2 > 3, "a block of 8 is split at row {row}, column {col}");
                self.decode_partition(row, col, log2 - 1);
                self.decode_partition(row, col + half_block_4x4, log2 - 1);
                self.decode_partition(row + half_block_4x4, col, log2 - 1);
                self.decode_partition(row + half_block_4x4, col + half_block_4x4, log2 - 1);
            }
            partition => panic!("partition {partition} of 2^{log2} at row {row}, column {col}"),
        }
    }

    /// The symbols partition, split_or_horz and split_or_vert, with their CDFs (8.3.2).
    fn partition(&mut self, row: usize, col: usize, log2: u32, has_rows: bool, has_cols: bool) -> usize {
        let (avail_u, avail_l) = self.available(row, col);
        let above = avail_u && self.current.mode_info(row - 1, col).log2 < log2;
        let left = avail_l && self.current.mode_info(row, col - 1).log2 < log2;
        let ctx = usize::from(left) * 2 + usize::from(above);
        let cdf = &mut self.cdfs.partition[log2 as usize - 3][ctx];
        if has_rows && has_cols {
            return self.symbols.symbol(cdf);
        }
        if !has_rows && !has_cols {
            return PARTITION_SPLIT;
        }
        const HORZ: usize = 1;
        const VERT: usize = 2;
        const HORZ_A: usize = 4;
        const HORZ_B: usize = 5;
        const VERT_A: usize = 6;
        const VERT_B: usize = 7;
        const HORZ_4: usize = 8;
        const VERT_4: usize = 9;
        let counted = if has_cols {
            [VERT, PARTITION_SPLIT, HORZ_A, VERT_A, VERT_B, VERT_4]
        } else {
            [HORZ, PARTITION_SPLIT, HORZ_A, HORZ_B, VERT_A, HORZ_4]
        };
        let psum: u16 = counted
            .iter()
            .map(|&partition| cdf[partition] - cdf[partition - 1])
            .sum();
        let is_split = self.symbols.symbol(&mut [(1 << 15) - psum, 1 << 15, 0]) == 1;
        if is_split {
            PARTITION_SPLIT
        } else if has_cols {
            HORZ
        } else {
            VERT
        }
    }

    /// AvailU and AvailL.
    fn available(&self, row: usize, col: usize) -> (bool, bool) {
        let (row, col) = (row as isize, col as isize);
        (self.is_inside(row - 1, col), self.is_inside(row, col - 1))
    }

    /// `decode_block( r, c, subSize )` (5.11.5).
    fn decode_block(&mut self, row: usize, col: usize, log2: u32) {
        let (avail_u, avail_l) = self.available(row, col);
        let mut block = Block {
            mi_row: row,
            mi_col: col,
            log2,
            avail_u,
            avail_l,
            skip: false,
            y_mode: DC_PRED,
            angle_delta_y: 0,
            uv_mode: DC_PRED,
            angle_delta_uv: 0,
            cfl_alpha: [0; 2],
            tx_type: Kind::DctDct,
        };
        self.intra_frame_mode_info(&mut block);
        if block.skip {
            self.reset_block_context(&block);
        }
        // All that follows reads only what is around the block.
        let num_4x4 = 1 << (log2 - 2);
        let info = ModeInfo {
            y_mode: block.y_mode,
            uv_mode: block.uv_mode,
            log2,
            skip: block.skip,
        };
        for y in 0..num_4x4 {
            for x in 0..num_4x4 {
                self.current.set_mode_info(row + y, col + x, info);
            }
        }
        self.residual(&mut block);
    }

    /// `intra_frame_mode_info( )` (5.11.7).
    fn intra_frame_mode_info(&mut self, block: &mut Block) {
        let (row, col) = (block.mi_row, block.mi_col);
        let above = block.avail_u.then(|| self.current.mode_info(row - 1, col));
        let left = block.avail_l.then(|| self.current.mode_info(row, col - 1));
        let ctx = [above, left].iter().flatten().filter(|info| info.skip).count();
        block.skip = self.symbols.symbol(&mut self.cdfs.skip[ctx]) == 1;
        self.read_delta_qindex(block);
        self.read_deltas = false;

        let [above_mode, left_mode] =
            [above, left].map(|info| INTRA_MODE_CONTEXT[info.map_or(DC_PRED, |info| info.y_mode) as usize]);
        let cdf = &mut self.cdfs.intra_frame_y_mode[above_mode][left_mode];
        block.y_mode = self.symbols.symbol(cdf) as u8;
        block.angle_delta_y = self.angle_delta(block.y_mode);
        if self.current.sequence.num_planes() == 1 {
            return;
        }
        let y_mode = usize::from(block.y_mode);
        let is_cfl_allowed = block.log2 <= 5;
        let cdf = if is_cfl_allowed {
            &mut self.cdfs.uv_mode_cfl_allowed[y_mode]
        } else {
            &mut self.cdfs.uv_mode_cfl_not_allowed[y_mode]
        };
        block.uv_mode = self.symbols.symbol(cdf) as u8;
        if block.uv_mode == UV_CFL_PRED {
            block.cfl_alpha = self.read_cfl_alphas();
        }
        block.angle_delta_uv = self.angle_delta(block.uv_mode);
    }

    /// `read_delta_qindex( )` (5.11.12).
    fn read_delta_qindex(&mut self, block: &Block) {
        const DELTA_Q_SMALL: u32 = 3;
        let Some(delta_q_res) = self.current.frame.delta_q_res else {
            return;
        };
        if block.log2 == 6 && block.skip || !self.read_deltas {
            return;
        }
        let mut delta_q_abs = self.symbols.symbol(&mut self.cdfs.delta_q) as u32;
        if delta_q_abs == DELTA_Q_SMALL {
            let delta_q_rem_bits = self.symbols.literal(3) + 1;
            delta_q_abs = self.symbols.literal(delta_q_rem_bits) + (1 << delta_q_rem_bits) + 1;
        }
        if delta_q_abs > 0 {
            let is_negative = self.symbols.literal(1) == 1;
            let delta = (delta_q_abs << delta_q_res) as i32;
            let index = self.current_q_index as i32 + if is_negative { -delta } else { delta };
            // No conforming encoder would rely on the clip, and ours does not.
            assert!((1..=255).contains(&index), "CurrentQIndex is {index}");
            self.current_q_index = index as u32;
        }
    }

    /// `intra_angle_info_y( )` and `intra_angle_info_uv( )` (5.11.42 and 5.11.43): no block is smaller than 8x8.
    fn angle_delta(&mut self, mode: u8) -> i32 {
        if !is_directional_mode(mode) {
            return 0;
        }
        let cdf = &mut self.cdfs.angle_delta[usize::from(mode - V_PRED)];
        self.symbols.symbol(cdf) as i32 - MAX_ANGLE_DELTA
    }

    /// `read_cfl_alphas( )` (5.11.45).
    fn read_cfl_alphas(&mut self) -> [i32; 2] {
        const CFL_SIGN_ZERO: usize = 0;
        const CFL_SIGN_NEG: usize = 1;
        let cfl_alpha_signs = self.symbols.symbol(&mut self.cdfs.cfl_sign);
        let sign_u = (cfl_alpha_signs + 1) / 3;
        let sign_v = (cfl_alpha_signs + 1) % 3;
        [(sign_u, sign_v), (sign_v, sign_u)].map(|(sign, other)| {
            if sign == CFL_SIGN_ZERO {
                return 0;
            }
            let cdf = &mut self.cdfs.cfl_alpha[(sign - 1) * 3 + other];
            let alpha = 1 + self.symbols.symbol(cdf) as i32;
            if sign == CFL_SIGN_NEG { -alpha } else { alpha }
        })
    }

    /// `reset_block_context( bw4, bh4 )` (5.11.5).
    fn reset_block_context(&mut self, block: &Block) {
        let num_4x4 = 1 << (block.log2 - 2);
        for plane in 0..self.current.sequence.num_planes() {
            let [sub_x, sub_y] = self.current.sequence.subsampling(plane);
            for i in block.mi_col >> sub_x..(block.mi_col + num_4x4) >> sub_x {
                self.above_level_context[plane][i] = 0;
                self.above_dc_context[plane][i] = 0;
            }
            for i in block.mi_row >> sub_y..(block.mi_row + num_4x4) >> sub_y {
                self.left_level_context[plane][i] = 0;
                self.left_dc_context[plane][i] = 0;
            }
        }
    }

    /// `residual( )` (5.11.34) of a block that is not larger than 64x64.
    fn residual(&mut self, block: &mut Block) {
        for plane in 0..self.current.sequence.num_planes() {
            let [sub_x, sub_y] = self.current.sequence.subsampling(plane);
            assert_eq!(sub_x, sub_y);
            // get_plane_residual_size and get_tx_size (5.11.37 and 5.11.38), where TxMode is TX_MODE_LARGEST.
            let plane_log2 = block.log2 - sub_x as u32;
            let tx_log2 = if plane == 0 { plane_log2 } else { plane_log2.min(5) };
            let base = [(block.mi_col >> sub_x) * 4, (block.mi_row >> sub_y) * 4];
            let (num_4x4, step) = (1 << (plane_log2 - 2), 1 << (tx_log2 - 2));
            for y in (0..num_4x4).step_by(step) {
                for x in (0..num_4x4).step_by(step) {
                    self.transform_block(plane, base, tx_log2, x, y, block);
                }
            }
        }
    }

    /// `transform_block( plane, baseX, baseY, txSz, x, y )` (5.11.35).
    fn transform_block(&mut self, plane: usize, base: [usize; 2], log2: u32, x: usize, y: usize, block: &mut Block) {
        let [start_x, start_y] = [base[0] + 4 * x, base[1] + 4 * y];
        let [sub_x, sub_y] = self.current.sequence.subsampling(plane);
        let max_x = (self.current.frame.mi_cols * 4) >> sub_x;
        let max_y = (self.current.frame.mi_rows * 4) >> sub_y;
        if start_x >= max_x || start_y >= max_y {
            return;
        }
        let transform = Transform {
            plane,
            start_x,
            start_y,
            log2,
        };
        let have = [block.avail_l || x > 0, block.avail_u || y > 0];
        self.predict(transform, have, block);
        if !block.skip {
            let coefficients = self.coeffs(transform, block);
            if coefficients.eob > 0 {
                self.reconstruct(transform, &coefficients);
            }
        }
        let [row, col] = self.place_in_superblock(transform);
        let step = 1 << (log2 - 2);
        for i in 0..step {
            for j in 0..step {
                self.block_decoded[plane].set(row + i, col + j);
            }
        }
    }

    /// subBlockMiRow >> subY and subBlockMiCol >> subX.
    fn place_in_superblock(&self, transform: Transform) -> [usize; 2] {
        let [sub_x, sub_y] = self.current.sequence.subsampling(transform.plane);
        let sb_mask = SB_SIZE_4 - 1;
        let row = (transform.start_y << sub_y) >> 2;
        let col = (transform.start_x << sub_x) >> 2;
        [(row & sb_mask) >> sub_y, (col & sb_mask) >> sub_x]
    }

    /// The call of `predict_intra` in 5.11.35 and what becomes of it, and `predict_chroma_from_luma`. `have` is
    /// haveLeft and haveAbove.
    fn predict(&mut self, transform: Transform, have: [bool; 2], block: &Block) {
        let Transform {
            plane,
            start_x,
            start_y,
            log2,
        } = transform;
        let is_cfl = plane > 0 && block.uv_mode == UV_CFL_PRED;
        let (mode, angle_delta) = if plane == 0 {
            (block.y_mode, block.angle_delta_y)
        } else if is_cfl {
            (DC_PRED, 0)
        } else {
            (block.uv_mode, block.angle_delta_uv)
        };
        let [row, col] = self.place_in_superblock(transform).map(|place| place as isize);
        let step = 1 << (log2 - 2);
        let sequence = &self.current.sequence;
        let [sub_x, sub_y] = sequence.subsampling(plane);
        let current = &self.current.planes[plane];
        let call = oracle::Call {
            frame: &current.samples,
            stride: current.stride,
            x: start_x as i32,
            y: start_y as i32,
            max_x: ((self.current.frame.mi_cols * 4) >> sub_x) as i32 - 1,
            max_y: ((self.current.frame.mi_rows * 4) >> sub_y) as i32 - 1,
            have_left: have[0],
            have_above: have[1],
            have_above_right: self.block_decoded[plane].is(row - 1, col + step),
            have_below_left: self.block_decoded[plane].is(row + step, col - 1),
            mode,
            angle_delta,
            filter: sequence
                .enable_intra_edge_filter
                .then(|| self.filter_type(plane, block)),
            log2,
            bit_depth: sequence.bit_depth,
        };
        let mut pred = call.predict_intra();
        if is_cfl {
            let bit_depth = sequence.bit_depth;
            let luma = &self.current.planes[0];
            // Where chroma may be taken from luma, the transform of luma is as large as the block: MaxLumaW and
            // MaxLumaH are its ends, and cut off nothing.
            let at = (start_y << sub_y) * luma.stride + (start_x << sub_x);
            let less_mean = oracle::luma_less_mean(&luma.samples[at..], luma.stride, sub_x, log2);
            let alpha = block.cfl_alpha[plane - 1];
            for (sample, luma) in pred.iter_mut().zip(less_mean) {
                *sample = oracle::add_scaled_luma(*sample, luma, alpha, bit_depth);
            }
        }
        let current = &mut self.current.planes[plane];
        for (i, pred) in pred.chunks(1 << log2).enumerate() {
            let at = (start_y + i) * current.stride + start_x;
            current.samples[at..at + pred.len()].copy_from_slice(pred);
        }
    }

    /// `get_filter_type( plane )` (7.11.2.8); blocks of 8x8 and more have chroma, and their rows and columns are even.
    fn filter_type(&self, plane: usize, block: &Block) -> bool {
        let [sub_x, sub_y] = self.current.sequence.subsampling(plane);
        let is_smooth = |row: usize, col: usize| {
            let info = self.current.mode_info(row, col);
            let mode = if plane == 0 { info.y_mode } else { info.uv_mode };
            (SMOOTH_PRED..=SMOOTH_H_PRED).contains(&mode)
        };
        let (row, col) = (block.mi_row, block.mi_col);
        let above_smooth = block.avail_u && is_smooth(row - 1, col + sub_x);
        let left_smooth = block.avail_l && is_smooth(row + sub_y, col - 1);
        above_smooth || left_smooth
    }

    /// Steps 2 and 3 of the reconstruct process (7.12.3).
    fn reconstruct(&mut self, transform: Transform, coefficients: &Coefficients) {
        let bit_depth = self.current.sequence.bit_depth;
        let side = 1 << transform.log2;
        let residual = inverse::residual(side, coefficients.plane_tx_type, &coefficients.dequant, bit_depth);
        let plane = &mut self.current.planes[transform.plane];
        for (i, row) in residual.chunks(side).enumerate() {
            let at = (transform.start_y + i) * plane.stride + transform.start_x;
            for (sample, residual) in plane.samples[at..].iter_mut().zip(row) {
                *sample = (i64::from(*sample) + residual).clamp(0, (1 << bit_depth) - 1) as u16;
            }
        }
    }
}
