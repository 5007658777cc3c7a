//! Units, sequence header, frame header and tile sizes as sections 5.3, 5.5, 5.9 and 5.11.1 of the specification word
//! them, names included.
//!
//! Reads what a still picture with the reduced header can have; what the encoder never writes panics. Knows nothing of
//! the encoder's headers nor of what is in a tile. The levels of the loop filter are read and dropped.

/// Bits of headers, `f(n)` of 8.1.
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    fn f(&mut self, n: u32) -> u32 {
        let mut x = 0;
        for _ in 0..n {
            let byte = *self.data.get(self.position / 8).expect("a header ends too early");
            x = 2 * x + u32::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        x
    }

    fn flag(&mut self) -> bool {
        self.f(1) == 1
    }

    /// `trailing_bits( )` (5.3.4), which end the unit.
    fn trailing_bits(&mut self) {
        assert!(self.flag(), "trailing_one_bit");
        while self.position < 8 * self.data.len() {
            assert!(!self.flag(), "trailing_zero_bit");
        }
    }

    /// `byte_alignment( )` (5.3.5).
    fn byte_alignment(&mut self) {
        while self.position & 7 != 0 {
            assert!(!self.flag(), "zero_bit");
        }
    }

    /// What follows, where a byte begins.
    fn rest(&self) -> &'a [u8] {
        assert_eq!(self.position & 7, 0);
        &self.data[self.position / 8..]
    }
}

/// The units of a stream, by type (5.3.1 and 5.3.2).
pub(super) fn units(mut data: &[u8]) -> Vec<(u32, &[u8])> {
    let mut units = Vec::new();
    while !data.is_empty() {
        let mut bits = BitReader::new(data);
        assert!(!bits.flag(), "obu_forbidden_bit");
        let obu_type = bits.f(4);
        assert!(!bits.flag(), "obu_extension_flag is not for still pictures");
        assert!(bits.flag(), "obu_has_size_field");
        assert!(!bits.flag(), "obu_reserved_1bit");
        let mut obu_size = 0;
        // leb128 of 4.10.5.
        for i in 0..8 {
            let leb128_byte = bits.f(8) as usize;
            obu_size |= (leb128_byte & 0x7f) << (7 * i);
            if leb128_byte & 0x80 == 0 {
                break;
            }
            assert!(i < 7, "leb128 goes on");
        }
        let (unit, after) = bits.rest().split_at(obu_size);
        units.push((obu_type, unit));
        data = after;
    }
    units
}

/// What a sequence header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    pub(super) seq_profile: u32,
    pub(super) seq_level_idx: u32,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) enable_intra_edge_filter: bool,
    pub(super) bit_depth: u32,
    pub(super) mono_chrome: bool,
    pub(super) subsampling_x: usize,
    pub(super) subsampling_y: usize,
    /// color_primaries, transfer_characteristics, matrix_coefficients.
    pub(super) color: [u32; 3],
    pub(super) color_range: bool,
    pub(super) chroma_sample_position: u32,
}

impl Sequence {
    pub(super) fn num_planes(&self) -> usize {
        if self.mono_chrome { 1 } else { 3 }
    }

    /// `sequence_header_obu( )` (5.5.1).
    pub(super) fn parse(data: &[u8]) -> Self {
        let mut bits = BitReader::new(data);
        let seq_profile = bits.f(3);
        assert!(seq_profile <= 1, "profile {seq_profile}");
        assert!(bits.flag(), "still_picture");
        assert!(bits.flag(), "reduced_still_picture_header");
        let seq_level_idx = bits.f(5);
        let frame_width_bits_minus_1 = bits.f(4);
        let frame_height_bits_minus_1 = bits.f(4);
        let max_frame_width_minus_1 = bits.f(frame_width_bits_minus_1 + 1);
        let max_frame_height_minus_1 = bits.f(frame_height_bits_minus_1 + 1);
        assert!(!bits.flag(), "use_128x128_superblock");
        assert!(!bits.flag(), "enable_filter_intra");
        let enable_intra_edge_filter = bits.flag();
        assert!(!bits.flag(), "enable_superres");
        assert!(!bits.flag(), "enable_cdef");
        assert!(!bits.flag(), "enable_restoration");
        let mut sequence = Self {
            seq_profile,
            seq_level_idx,
            width: max_frame_width_minus_1 as usize + 1,
            height: max_frame_height_minus_1 as usize + 1,
            enable_intra_edge_filter,
            bit_depth: 0,
            mono_chrome: false,
            subsampling_x: 1,
            subsampling_y: 1,
            color: [2; 3],
            color_range: true,
            chroma_sample_position: 0,
        };
        sequence.color_config(&mut bits);
        assert!(!bits.flag(), "film_grain_params_present");
        bits.trailing_bits();
        sequence
    }

    /// `color_config( )` (5.5.2).
    fn color_config(&mut self, bits: &mut BitReader<'_>) {
        let high_bitdepth = bits.flag();
        self.bit_depth = if high_bitdepth { 10 } else { 8 };
        self.mono_chrome = self.seq_profile != 1 && bits.flag();
        if bits.flag() {
            self.color = [(); 3].map(|()| bits.f(8));
        }
        let [color_primaries, transfer_characteristics, matrix_coefficients] = self.color;
        if self.mono_chrome {
            self.color_range = bits.flag();
            return;
        }
        // CP_BT_709, TC_SRGB and MC_IDENTITY.
        if color_primaries == 1 && transfer_characteristics == 13 && matrix_coefficients == 0 {
            self.color_range = true;
            (self.subsampling_x, self.subsampling_y) = (0, 0);
        } else {
            self.color_range = bits.flag();
            let sub = if self.seq_profile == 0 { 1 } else { 0 };
            (self.subsampling_x, self.subsampling_y) = (sub, sub);
            if sub == 1 {
                self.chroma_sample_position = bits.f(2);
            }
        }
        assert!(!bits.flag(), "separate_uv_delta_q");
    }
}

/// What a frame header says.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) mi_cols: usize,
    pub(super) mi_rows: usize,
    pub(super) base_q_idx: u32,
    /// Where delta_q_present is 1.
    pub(super) delta_q_res: Option<u32>,
    /// Boundaries of tiles, the end of the frame included.
    pub(super) mi_col_starts: Vec<usize>,
    pub(super) mi_row_starts: Vec<usize>,
    tile_size_bytes: usize,
}

impl Frame {
    /// `frame_obu( sz )` (5.10): the header, and the bytes of the tiles.
    pub(super) fn parse<'a>(sequence: &Sequence, data: &'a [u8]) -> (Self, Vec<&'a [u8]>) {
        let mut bits = BitReader::new(data);
        let frame = Self::uncompressed_header(sequence, &mut bits);
        bits.byte_alignment();
        let tiles = frame.tile_group_obu(&mut bits);
        (frame, tiles)
    }

    /// `uncompressed_header( )` (5.9.2) where reduced_still_picture_header is 1: a key frame that is shown.
    fn uncompressed_header(sequence: &Sequence, bits: &mut BitReader<'_>) -> Self {
        assert!(!bits.flag(), "disable_cdf_update");
        assert!(!bits.flag(), "allow_screen_content_tools");
        // frame_size has no bits of its own, and render_size has one.
        assert!(!bits.flag(), "render_and_frame_size_different");
        let mut frame = Self {
            mi_cols: 2 * ((sequence.width + 7) >> 3),
            mi_rows: 2 * ((sequence.height + 7) >> 3),
            base_q_idx: 0,
            delta_q_res: None,
            mi_col_starts: Vec::new(),
            mi_row_starts: Vec::new(),
            tile_size_bytes: 0,
        };
        frame.tile_info(bits);

        // quantization_params (5.9.12).
        let num_planes = sequence.num_planes();
        frame.base_q_idx = bits.f(8);
        assert!(frame.base_q_idx > 0, "lossless");
        assert!(!bits.flag(), "DeltaQYDc");
        if num_planes > 1 {
            assert!(!bits.flag(), "DeltaQUDc");
            assert!(!bits.flag(), "DeltaQUAc");
        }
        assert!(!bits.flag(), "using_qmatrix");
        assert!(!bits.flag(), "segmentation_enabled");
        // delta_q_params and delta_lf_params (5.9.17 and 5.9.18).
        if bits.flag() {
            frame.delta_q_res = Some(bits.f(2));
            assert!(!bits.flag(), "delta_lf_present");
        }

        // loop_filter_params (5.9.11).
        let level = [bits.f(6), bits.f(6)];
        if num_planes > 1 && (level[0] != 0 || level[1] != 0) {
            bits.f(6);
            bits.f(6);
        }
        bits.f(3);
        if bits.flag() {
            assert!(!bits.flag(), "loop_filter_delta_update");
        }

        // No bits of CDEF and restoration, which the sequence has not.
        assert!(!bits.flag(), "tx_mode_select");
        assert!(!bits.flag(), "reduced_tx_set");
        frame
    }

    /// `tile_info( )` (5.9.15), with superblocks of 64.
    fn tile_info(&mut self, bits: &mut BitReader<'_>) {
        const MAX_TILE_WIDTH: usize = 4096;
        const MAX_TILE_AREA: usize = 4096 * 2304;
        const MAX_TILE_COLS: usize = 64;
        const MAX_TILE_ROWS: usize = 64;
        let sb_cols = (self.mi_cols + 15) >> 4;
        let sb_rows = (self.mi_rows + 15) >> 4;
        let sb_shift = 4;
        let sb_size = sb_shift + 2;
        let max_tile_width_sb = MAX_TILE_WIDTH >> sb_size;
        let max_tile_area_sb = MAX_TILE_AREA >> (2 * sb_size);
        let min_log2_tile_cols = tile_log2(max_tile_width_sb, sb_cols);
        let max_log2_tile_cols = tile_log2(1, sb_cols.min(MAX_TILE_COLS));
        let max_log2_tile_rows = tile_log2(1, sb_rows.min(MAX_TILE_ROWS));
        let min_log2_tiles = min_log2_tile_cols.max(tile_log2(max_tile_area_sb, sb_rows * sb_cols));

        assert!(bits.flag(), "uniform_tile_spacing_flag");
        let mut increased = |mut log2: u32, max: u32| {
            while log2 < max && bits.flag() {
                log2 += 1;
            }
            log2
        };
        let starts = |count: usize, log2: u32, end: usize| {
            let size_sb = (count + (1 << log2) - 1) >> log2;
            let starts = (0..count).step_by(size_sb).map(|start_sb| start_sb << sb_shift);
            (starts.chain([end]).collect::<Vec<_>>(), size_sb)
        };
        let tile_cols_log2 = increased(min_log2_tile_cols, max_log2_tile_cols);
        let tile_rows_log2 = increased(min_log2_tiles.saturating_sub(tile_cols_log2), max_log2_tile_rows);
        let (tile_width_sb, tile_height_sb);
        (self.mi_col_starts, tile_width_sb) = starts(sb_cols, tile_cols_log2, self.mi_cols);
        (self.mi_row_starts, tile_height_sb) = starts(sb_rows, tile_rows_log2, self.mi_rows);
        // The requirements of 6.8.14.
        assert!(self.mi_col_starts.len() - 1 <= MAX_TILE_COLS && self.mi_row_starts.len() - 1 <= MAX_TILE_ROWS);
        assert!(
            tile_width_sb <= max_tile_width_sb,
            "tiles of {tile_width_sb} superblocks"
        );
        assert!(tile_width_sb * tile_height_sb <= max_tile_area_sb, "the area of tiles");
        if tile_cols_log2 > 0 || tile_rows_log2 > 0 {
            let context_update_tile_id = bits.f(tile_rows_log2 + tile_cols_log2) as usize;
            assert!(context_update_tile_id < (self.mi_col_starts.len() - 1) * (self.mi_row_starts.len() - 1));
            self.tile_size_bytes = bits.f(2) as usize + 1;
        }
    }

    /// `tile_group_obu( sz )` (5.11.1), of all the tiles.
    fn tile_group_obu<'a>(&self, bits: &mut BitReader<'a>) -> Vec<&'a [u8]> {
        let num_tiles = (self.mi_col_starts.len() - 1) * (self.mi_row_starts.len() - 1);
        if num_tiles > 1 {
            // As 6.10.1 requires of a frame unit.
            assert!(!bits.flag(), "tile_start_and_end_present_flag");
        }
        bits.byte_alignment();
        let mut data = bits.rest();
        let mut tiles = Vec::new();
        for tile_num in 0..num_tiles {
            let mut tile_size = data.len();
            if tile_num + 1 < num_tiles {
                let (size, after) = data.split_at(self.tile_size_bytes);
                tile_size = size.iter().rev().fold(0, |size, byte| size << 8 | usize::from(*byte)) + 1;
                data = after;
            }
            assert!(tile_size > 0, "an empty tile");
            let (tile, after) = data.split_at(tile_size);
            tiles.push(tile);
            data = after;
        }
        tiles
    }
}

/// `tile_log2( blkSize, target )` (5.9.16).
fn tile_log2(blk_size: usize, target: usize) -> u32 {
    (0..).find(|k| blk_size << k >= target).expect("a logarithm")
}
