//! A slow decoder of still pictures, from the specification alone: the oracle of the encoder.
//!
//! Owns the way from units to planes and the order of superblocks (5.11.2). It decodes what the encoder writes, panics
//! at anything else, and stops before the loop filter: deblocking changes what is shown, but nothing that is predicted
//! from, so that its levels are parsed and ignored. Knows nothing of the encoder.

use super::cdfs::Cdfs;
use super::headers::{self, Frame, Sequence};
use super::symbols::SymbolReader;

const OBU_SEQUENCE_HEADER: u32 = 1;
const OBU_FRAME: u32 = 6;
/// Of superblocks of 64.
pub(super) const SB_SIZE_4: usize = 16;

/// A decoded picture.
pub(super) struct Picture {
    pub(super) sequence: Sequence,
    pub(super) frame: Frame,
    /// As large as the sequence header says, the planes of chroma rounded up.
    pub(super) planes: Vec<Vec<u16>>,
}

/// `CurrFrame[ plane ]`: with room for blocks that reach beyond the frame.
pub(super) struct Plane {
    pub(super) samples: Vec<u16>,
    pub(super) stride: usize,
}

/// What is kept of each 4x4 of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModeInfo {
    pub(super) y_mode: u8,
    pub(super) uv_mode: u8,
    /// The logarithm of the side of the block (MiSizes), luma samples.
    pub(super) log2: u32,
    pub(super) skip: bool,
}

/// A frame that is being decoded.
pub(super) struct Current {
    pub(super) sequence: Sequence,
    pub(super) frame: Frame,
    pub(super) planes: Vec<Plane>,
    mode_infos: Vec<Option<ModeInfo>>,
    mi_stride: usize,
}

impl Current {
    fn new(sequence: Sequence, frame: Frame) -> Self {
        let mi_stride = frame.mi_cols.next_multiple_of(SB_SIZE_4);
        let mi_rows = frame.mi_rows.next_multiple_of(SB_SIZE_4);
        let planes = (0..sequence.num_planes()).map(|plane| {
            let [sub_x, sub_y] = sequence.subsampling(plane);
            let stride = (4 * mi_stride) >> sub_x;
            // No sample is like this: whoever predicts from what is not decoded gets what cannot be right.
            Plane {
                samples: vec![u16::MAX; stride * ((4 * mi_rows) >> sub_y)],
                stride,
            }
        });
        Self {
            sequence,
            planes: planes.collect(),
            mode_infos: vec![None; mi_stride * mi_rows],
            mi_stride,
            frame,
        }
    }

    pub(super) fn mode_info(&self, row: usize, col: usize) -> ModeInfo {
        let info = self.mode_infos[row * self.mi_stride + col];
        info.unwrap_or_else(|| panic!("nothing is decoded at row {row}, column {col} yet"))
    }

    pub(super) fn set_mode_info(&mut self, row: usize, col: usize, info: ModeInfo) {
        self.mode_infos[row * self.mi_stride + col] = Some(info);
    }
}

impl Sequence {
    /// subX and subY of a plane.
    pub(super) fn subsampling(&self, plane: usize) -> [usize; 2] {
        if plane > 0 {
            [self.subsampling_x, self.subsampling_y]
        } else {
            [0; 2]
        }
    }
}

/// Which 4x4 of a superblock and around it are decoded (5.11.3): rows and columns -1 to 16.
pub(super) struct BlockDecoded([[bool; SB_SIZE_4 + 2]; SB_SIZE_4 + 2]);

impl BlockDecoded {
    fn at(&mut self, y: isize, x: isize) -> &mut bool {
        &mut self.0[(y + 1) as usize][(x + 1) as usize]
    }

    pub(super) fn is(&self, y: isize, x: isize) -> bool {
        self.0[(y + 1) as usize][(x + 1) as usize]
    }

    pub(super) fn set(&mut self, y: usize, x: usize) {
        self.0[y + 1][x + 1] = true;
    }
}

/// A tile that is being decoded.
pub(super) struct Tile<'a, 'b> {
    pub(super) current: &'a mut Current,
    pub(super) symbols: SymbolReader<'b>,
    pub(super) cdfs: Cdfs,
    mi_row_start: usize,
    mi_row_end: usize,
    mi_col_start: usize,
    mi_col_end: usize,
    /// AboveLevelContext and AboveDcContext, by plane and 4 samples of the frame; LeftLevelContext and LeftDcContext.
    pub(super) above_level_context: [Vec<u32>; 3],
    pub(super) above_dc_context: [Vec<u8>; 3],
    pub(super) left_level_context: [Vec<u32>; 3],
    pub(super) left_dc_context: [Vec<u8>; 3],
    pub(super) block_decoded: [BlockDecoded; 3],
    /// CurrentQIndex.
    pub(super) current_q_index: u32,
    /// ReadDeltas.
    pub(super) read_deltas: bool,
}

impl Tile<'_, '_> {
    /// `is_inside( candidateR, candidateC )` (5.11.51).
    pub(super) fn is_inside(&self, row: isize, col: isize) -> bool {
        let between = |number: isize, start: usize, end: usize| number >= start as isize && number < end as isize;
        between(col, self.mi_col_start, self.mi_col_end) && between(row, self.mi_row_start, self.mi_row_end)
    }

    /// `decode_tile( )` (5.11.2); the contexts above are as `clear_above_context` leaves them.
    fn decode(&mut self) {
        for row in (self.mi_row_start..self.mi_row_end).step_by(SB_SIZE_4) {
            // clear_left_context
            self.left_level_context.iter_mut().for_each(|context| context.fill(0));
            self.left_dc_context.iter_mut().for_each(|context| context.fill(0));
            for col in (self.mi_col_start..self.mi_col_end).step_by(SB_SIZE_4) {
                self.read_deltas = self.current.frame.delta_q_res.is_some();
                self.clear_block_decoded_flags(row, col);
                self.decode_partition(row, col, 6);
            }
        }
    }

    /// `clear_block_decoded_flags( r, c, sbSize4 )` (5.11.3).
    fn clear_block_decoded_flags(&mut self, row: usize, col: usize) {
        for plane in 0..self.current.sequence.num_planes() {
            let [sub_x, sub_y] = self.current.sequence.subsampling(plane);
            let sb_width_4 = ((self.mi_col_end - col) >> sub_x) as isize;
            let sb_height_4 = ((self.mi_row_end - row) >> sub_y) as isize;
            let [last_x, last_y] = [sub_x, sub_y].map(|sub| (SB_SIZE_4 >> sub) as isize);
            let decoded = &mut self.block_decoded[plane];
            for y in -1..=last_y {
                for x in -1..=last_x {
                    *decoded.at(y, x) = y < 0 && x < sb_width_4 || x < 0 && y < sb_height_4;
                }
            }
            *decoded.at(last_y, -1) = false;
        }
    }
}

/// Decodes a sequence header and a frame.
pub(super) fn decode(data: &[u8]) -> Picture {
    let units = headers::units(data);
    let [(OBU_SEQUENCE_HEADER, sequence), (OBU_FRAME, frame)] = units[..] else {
        panic!(
            "the units are {:?}",
            units.iter().map(|unit| unit.0).collect::<Vec<_>>()
        );
    };
    let sequence = Sequence::parse(sequence);
    let (frame, tiles) = Frame::parse(&sequence, frame);
    let mut current = Current::new(sequence, frame);
    let tile_cols = current.frame.mi_col_starts.len() - 1;
    for (tile_num, data) in tiles.into_iter().enumerate() {
        let (tile_row, tile_col) = (tile_num / tile_cols, tile_num % tile_cols);
        let [mi_row_start, mi_row_end] = [0, 1].map(|after| current.frame.mi_row_starts[tile_row + after]);
        let [mi_col_start, mi_col_end] = [0, 1].map(|after| current.frame.mi_col_starts[tile_col + after]);
        let columns = current.frame.mi_cols.next_multiple_of(SB_SIZE_4);
        let rows = current.frame.mi_rows.next_multiple_of(SB_SIZE_4);
        let mut tile = Tile {
            symbols: SymbolReader::new(data),
            cdfs: Cdfs::new(current.frame.base_q_idx),
            current_q_index: current.frame.base_q_idx,
            read_deltas: false,
            mi_row_start,
            mi_row_end,
            mi_col_start,
            mi_col_end,
            above_level_context: [(); 3].map(|()| vec![0; columns]),
            above_dc_context: [(); 3].map(|()| vec![0; columns]),
            left_level_context: [(); 3].map(|()| vec![0; rows]),
            left_dc_context: [(); 3].map(|()| vec![0; rows]),
            block_decoded: [(); 3].map(|()| BlockDecoded([[false; SB_SIZE_4 + 2]; SB_SIZE_4 + 2])),
            current: &mut current,
        };
        tile.decode();
        tile.symbols.exit();
    }
    Picture {
        planes: (0..sequence.num_planes()).map(|plane| shown(&current, plane)).collect(),
        sequence,
        frame: current.frame,
    }
}

/// The samples of a plane that are inside the picture (7.18.2).
fn shown(current: &Current, plane: usize) -> Vec<u16> {
    let sequence = &current.sequence;
    let [sub_x, sub_y] = sequence.subsampling(plane);
    let (width, height) = ((sequence.width + sub_x) >> sub_x, (sequence.height + sub_y) >> sub_y);
    let Plane { samples, stride } = &current.planes[plane];
    let rows = samples.chunks(*stride).take(height);
    let shown: Vec<u16> = rows.flat_map(|row| &row[..width]).copied().collect();
    assert!(
        shown.iter().all(|sample| *sample < 1 << sequence.bit_depth),
        "plane {plane} is not decoded everywhere"
    );
    shown
}
