//! What the encoder writes is what it believes: a decoder that was written from the specification alone gives the
//! planes that the encoder predicted from, sample by sample.
//!
//! Knows the encoder from outside but for what it decoded itself, and nothing of what its pictures look like.

mod blocks;
mod cdfs;
mod coefficients;
mod decoder;
mod headers;
mod pictures;
mod scans;
mod symbol_tests;
mod symbols;

use std::cell::RefCell;

use self::pictures::{Motif, picture, planes_of, shift, size};
use super::headers::{SUPERBLOCK, Tiles};
use super::quantizer::Quantizer;
use super::tile::Tile;
use super::{Area, Chroma, Coded, Format, Planes, Settings, code};

/// Codes a picture, and gives the planes that the encoder expects a decoder to get before the loop filter, rows as long
/// as they are shown.
fn code_with_decoded(settings: &Settings, fill: &dyn Fn(&Area, &mut Planes)) -> (Coded, Vec<Vec<u16>>) {
    let format = &settings.format;
    let coded = code(settings, fill, &|| false).unwrap();
    let quantizer = Quantizer::new(settings.quantizer, format.bits);
    let mut decoded: Vec<_> = (0..planes_of(format))
        .map(|plane| vec![0; size(format, plane).iter().product()])
        .collect();
    let mut tiles = Vec::new();
    for (columns, rows) in Tiles::new(format.width as usize, format.height as usize).ranges() {
        let area = Area {
            columns: columns.start * SUPERBLOCK..(columns.end * SUPERBLOCK).min(format.width as usize),
            rows: rows.start * SUPERBLOCK..(rows.end * SUPERBLOCK).min(format.height as usize),
        };
        let observed = RefCell::new(Vec::new());
        let mut tile = Tile::new(settings, &quantizer, area.clone());
        tile.observer = Some(&observed);
        tiles.push(tile.code(fill, &|| false).unwrap());
        for (number, planes) in observed.into_inner().iter().enumerate() {
            for (plane, decoded) in decoded.iter_mut().enumerate() {
                let shift = shift(format, plane);
                let [width, height] = size(format, plane);
                let [left, top] = [area.columns.start, area.rows.start + number * SUPERBLOCK].map(|at| at >> shift);
                let shown = planes.strides[plane].min(width - left);
                let rows = planes.samples[plane].chunks(planes.strides[plane]).take(height - top);
                for (into, row) in decoded[top * width..].chunks_mut(width).zip(rows) {
                    into[left..left + shown].copy_from_slice(&row[..shown]);
                }
            }
        }
    }
    // The same tiles as those of the whole.
    let units = super::headers::units(format, settings.quantizer, quantizer.deblocking(), &tiles);
    assert!(units == coded.units, "{settings:?}: observed tiles differ");
    (coded, decoded)
}

/// Codes a motif, decodes it with the specification's decoder, and compares.
fn check(settings: &Settings, motif: Motif) -> decoder::Picture {
    let format = &settings.format;
    let planes = picture(format, motif);
    let fill = |area: &Area, into: &mut Planes| pictures::fill(format, &planes, area, into);
    let (coded, expected) = code_with_decoded(settings, &fill);
    let decoded = decoder::decode(&coded.units);
    let sequence = &decoded.sequence;
    assert_eq!([sequence.width, sequence.height], size(format, 0), "{settings:?}");
    assert_eq!(sequence.bit_depth, u32::from(format.bits), "{settings:?}");
    let chroma = match (sequence.mono_chrome, sequence.subsampling_x, sequence.subsampling_y) {
        (true, ..) => Chroma::None,
        (false, 1, 1) => Chroma::Half,
        _ => Chroma::Full,
    };
    assert_eq!(chroma, format.chroma, "{settings:?}");
    assert_eq!(decoded.frame.base_q_idx, u32::from(settings.quantizer), "{settings:?}");
    check_configuration(&coded, sequence);
    for (plane, (decoded, expected)) in decoded.planes.iter().zip(&expected).enumerate() {
        let [width, _] = size(format, plane);
        if let Some(at) = (0..expected.len()).find(|at| decoded[*at] != expected[*at]) {
            panic!(
                "{settings:?} {motif:?}: plane {plane}, column {}, row {}: decoded {}, the encoder has {}",
                at % width,
                at / width,
                decoded[at],
                expected[at]
            );
        }
    }
    decoded
}

/// The configuration record says what the sequence header does (AV1 in ISO BMFF, 2.3).
fn check_configuration(coded: &Coded, sequence: &headers::Sequence) {
    let [marker_and_version, profile_and_level, flags, delay] = coded.configuration;
    assert_eq!(marker_and_version, 0x81);
    assert_eq!(
        u32::from(profile_and_level),
        sequence.seq_profile << 5 | sequence.seq_level_idx
    );
    let expected = u32::from(sequence.bit_depth > 8) << 6
        | u32::from(sequence.mono_chrome) << 4
        | (sequence.subsampling_x as u32) << 3
        | (sequence.subsampling_y as u32) << 2
        | sequence.chroma_sample_position;
    assert_eq!(u32::from(flags), expected);
    assert_eq!(delay, 0);
}

const SIZES: [[u32; 2]; 10] = [
    [1, 1],
    [2, 3],
    [7, 9],
    [8, 8],
    [63, 65],
    [64, 64],
    [65, 64],
    [130, 70],
    [200, 8],
    [8, 200],
];
const QUANTIZERS: [u8; 6] = [1, 20, 60, 120, 200, 255];
const EFFORTS: [u8; 3] = [0, 1, 3];

/// All sizes, quantizers and efforts with some chroma and bits; motifs take turns.
fn check_all(chroma: Chroma, bits: u8) {
    let ways = EFFORTS
        .into_iter()
        .flat_map(|effort| QUANTIZERS.map(|quantizer| (effort, quantizer)));
    for (way, (effort, quantizer)) in ways.enumerate() {
        for (number, [width, height]) in SIZES.into_iter().enumerate() {
            let format = Format {
                width,
                height,
                bits,
                chroma,
            };
            let settings = Settings {
                format,
                quantizer,
                effort,
            };
            // So that each size has all motifs.
            check(&settings, Motif::ALL[(number + 3 * way) % Motif::ALL.len()]);
        }
    }
}

#[test]
fn luma_alone_of_8_bits() {
    check_all(Chroma::None, 8);
}

#[test]
fn luma_alone_of_10_bits() {
    check_all(Chroma::None, 10);
}

#[test]
fn half_chroma_of_8_bits() {
    check_all(Chroma::Half, 8);
}

#[test]
fn half_chroma_of_10_bits() {
    check_all(Chroma::Half, 10);
}

#[test]
fn full_chroma_of_8_bits() {
    check_all(Chroma::Full, 8);
}

#[test]
fn full_chroma_of_10_bits() {
    check_all(Chroma::Full, 10);
}

/// Each motif at a size at which blocks of all sizes and the edges of the picture are there.
fn check_motifs(chroma: Chroma) {
    for motif in Motif::ALL {
        for (bits, quantizer) in [8, 10]
            .into_iter()
            .flat_map(|bits| [1, 60, 255].map(|quantizer| (bits, quantizer)))
        {
            let format = Format {
                width: 130,
                height: 70,
                bits,
                chroma,
            };
            let settings = Settings {
                format,
                quantizer,
                effort: 1,
            };
            check(&settings, motif);
        }
    }
}

#[test]
fn every_motif_of_luma_alone() {
    check_motifs(Chroma::None);
}

#[test]
fn every_motif_of_half_chroma() {
    check_motifs(Chroma::Half);
}

#[test]
fn every_motif_of_full_chroma() {
    check_motifs(Chroma::Full);
}

/// Black next to white in squares of 64 gives the largest coefficients and levels there can be.
fn check_board(bits: u8, quantizers: impl Iterator<Item = u8>) {
    for quantizer in quantizers {
        for chroma in [Chroma::None, Chroma::Half] {
            let format = Format {
                width: 192,
                height: 128,
                bits,
                chroma,
            };
            let settings = Settings {
                format,
                quantizer,
                effort: 0,
            };
            check(&settings, Motif::Board);
            check(&settings, Motif::Waves);
        }
    }
}

#[test]
fn the_largest_levels_of_8_bits() {
    check_board(8, (1..=10).chain((11..=255).step_by(11)));
}

#[test]
fn the_largest_levels_of_10_bits() {
    check_board(10, (1..=10).chain((11..=255).step_by(11)));
}

/// Wider than a tile may be: two of them, of 33 and 32 superblocks.
#[test]
fn several_tiles() {
    for (motif, chroma) in [
        (Motif::Text, Chroma::Half),
        (Motif::Everything, Chroma::Full),
        (Motif::Flat, Chroma::None),
    ] {
        let format = Format {
            width: 4160,
            height: 16,
            bits: 8,
            chroma,
        };
        let settings = Settings {
            format,
            quantizer: 60,
            effort: 1,
        };
        let decoded = check(&settings, motif);
        assert_eq!(decoded.frame.mi_col_starts, [0, 33 * 16, 4160 / 4]);
        assert_eq!(decoded.frame.mi_row_starts, [0, 4]);
    }
}

/// The decoder finds the tiles that the encoder codes, and none is larger than allowed (6.8.14).
fn check_tiles(width: u32, height: u32) {
    let format = Format {
        width,
        height,
        bits: 8,
        chroma: Chroma::Half,
    };
    let expected: Vec<_> = Tiles::new(width as usize, height as usize).ranges().collect();
    // Of different lengths; nothing of them is decoded.
    let tiles: Vec<Vec<u8>> = (0..expected.len())
        .map(|number| vec![number as u8; 1 + number * 100 % 700])
        .collect();
    let units = super::headers::units(&format, 100, Quantizer::new(100, 8).deblocking(), &tiles);
    let units = headers::units(&units);
    let sequence = headers::Sequence::parse(units[0].1);
    assert_eq!([sequence.width, sequence.height], [width as usize, height as usize]);
    let (frame, found) = headers::Frame::parse(&sequence, units[1].1);
    assert!(found.iter().eq(&tiles), "{width}x{height}: tiles differ");
    let superblocks = |starts: &[usize]| -> Vec<_> {
        starts
            .windows(2)
            .map(|both| both[0].div_ceil(16)..both[1].div_ceil(16))
            .collect()
    };
    let columns = superblocks(&frame.mi_col_starts);
    let rows = superblocks(&frame.mi_row_starts);
    let found: Vec<_> = rows
        .iter()
        .flat_map(|rows| columns.iter().map(|columns| (columns.clone(), rows.clone())))
        .collect();
    assert_eq!(found, expected, "{width}x{height}");
}

#[test]
fn tiles_of_all_sizes() {
    for width in [1, 2, 3, 64, 65, 256, 257, 4096, 4097, 8193, 16_384, 65_536] {
        for height in [1, 2, 64, 65, 1024, 2304, 2305, 4608, 32_768, 65_535, 65_536] {
            check_tiles(width, height);
        }
    }
}

/// Sizes at which tiles of equal size have to be more than the area alone asks for, since their sides are rounded up.
#[test]
fn tiles_whose_sides_are_rounded_up() {
    for [width, height] in [[4160, 4480], [8256, 4544], [320, 58_944]] {
        check_tiles(width, height);
    }
}
