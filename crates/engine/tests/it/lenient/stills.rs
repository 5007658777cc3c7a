//! BMP, ICO and TIFF that leave out colours, bits and lengths.

use pixmill_engine::probe::probe;
use pixmill_types::FailureCode;

use super::{BLACK, BLUE, GREEN, RED, code, header_in_pieces, pixels, png_chunk, png_data, png_of, still, zlib};

#[test]
fn colours_that_a_bmp_leaves_out_are_black() {
    let indices = [0_u8, 1, 2, 255];
    let bgr = [&[0, 0, 255][..], &[0, 255, 0], &[255, 0, 0]];
    let file = |dib: &[u8], pixels: &[u8]| {
        let start = 14 + dib.len() as u32;
        let head = [start + pixels.len() as u32, 0, start].map(u32::to_le_bytes).concat();
        [b"BM", &head[..], dib, pixels].concat()
    };
    let info = |compression: u32, used: u32, entries: usize| {
        let sides = [40_u32, 4, 1, 0x0008_0001, compression, 0, 0, 0, used, 0].map(u32::to_le_bytes);
        let palette = bgr[..entries].iter().flat_map(|color| [color, &[0][..]].concat());
        sides.concat().into_iter().chain(palette).collect::<Vec<_>>()
    };
    let old = [&[12, 0, 0, 0, 4, 0, 1, 0, 1, 0, 8, 0][..], &bgr.concat()].concat();
    let runs = [1, 0, 1, 1, 1, 2, 1, 255, 0, 1];
    for (name, file, third) in [
        ("two used", file(&info(0, 2, 2), &indices), BLACK),
        ("two used, run lengths", file(&info(1, 2, 2), &runs), BLACK),
        ("three there", file(&info(0, 0, 3), &indices), BLUE),
        ("three there of the old kind", file(&old, &indices), BLUE),
    ] {
        assert_eq!(pixels(&still(&file)), [RED, GREEN, third, BLACK], "{name}");
        for length in 20..file.len() - 2 {
            assert_eq!(
                code(&file[..length]),
                FailureCode::ImageTruncated,
                "{name} cut to {length}"
            );
        }
    }
}

/// A bitmap of 2 x 2 pixels of one colour and a mask that leaves all of them, for an icon.
fn icon_bitmap(bits: u16, color: [u8; 4]) -> Vec<u8> {
    let [red, green, blue, alpha] = color;
    let info = [40, 2, 4, u32::from(bits) << 16 | 1, 0, 0, 0, 0, 0, 0].map(u32::to_le_bytes);
    let pixels = match bits {
        32 => [blue, green, red, alpha].repeat(4),
        24 => [blue, green, red, blue, green, red, 0, 0].repeat(2),
        bits => [[blue, green, red, 0].repeat(1 << bits), vec![0; 8]].concat(),
    };
    [info.concat(), pixels, vec![0; 8]].concat()
}

/// The bits that an entry of an icon says, and its picture.
type Entry = (u16, Vec<u8>);

/// An icon of pictures whose entries all say 2 x 2 pixels.
fn icon(pictures: &[Entry]) -> Vec<u8> {
    let mut file = vec![0, 0, 1, 0, pictures.len() as u8, 0];
    let mut offset = 6 + 16 * pictures.len() as u32;
    for (bits, picture) in pictures {
        let size = picture.len() as u32;
        file.extend_from_slice(&[2, 2, 0, 0, 1, 0]);
        file.extend_from_slice(&bits.to_le_bytes());
        file.extend_from_slice(&[size, offset].map(u32::to_le_bytes).concat());
        offset += size;
    }
    pictures.iter().for_each(|(_, picture)| file.extend_from_slice(picture));
    file
}

#[test]
fn the_best_of_pictures_whose_bits_an_icon_does_not_say_is_taken() {
    let (few, many) = (icon_bitmap(4, BLUE), icon_bitmap(32, RED));
    let png = png_of(3, 3, &[png_chunk(b"IDAT", &png_data(GREEN, 3, 3))]);
    let cases: [(&[Entry], [u8; 4]); 7] = [
        (&[(0, many.clone()), (0, few.clone())], RED),
        (&[(0, few.clone()), (0, many.clone())], RED),
        (&[(0, many.clone()), (0, icon_bitmap(8, GREEN)), (0, few.clone())], RED),
        (&[(0, few.clone()), (0, png), (0, icon_bitmap(24, RED))], GREEN),
        (&[(0, many.clone()), (4, few.clone())], RED),
        (&[(32, many.clone()), (0, few.clone())], RED),
        // What is said counts.
        (&[(4, many), (8, few)], BLUE),
    ];
    for (pictures, expected) in cases {
        let file = icon(pictures);
        let taken = still(&file);
        assert!(pixels(&taken).iter().all(|pixel| *pixel == expected), "{taken:?}");
        let header = probe(&file).unwrap();
        assert_eq!(
            (header.width as usize, header.height as usize),
            (taken.width, taken.height)
        );
        assert_eq!(header_in_pieces(&file), header);
    }
}

#[test]
fn an_icon_without_a_picture_that_may_be_the_best_is_cut_off() {
    let file = icon(&[(0, icon_bitmap(32, RED)), (0, icon_bitmap(4, BLUE))]);
    let head_end = file.len() - icon_bitmap(4, BLUE).len() + 26;
    assert_eq!(pixels(&still(&file[..head_end])), [RED; 4]);
    for length in 4..head_end {
        assert_eq!(code(&file[..length]), FailureCode::ImageTruncated, "cut to {length}");
    }
}

#[test]
fn entries_of_an_icon_may_share_a_picture() {
    let mut file = icon(&[(0, icon_bitmap(32, RED)), (0, icon_bitmap(4, BLUE))]);
    let (first, second) = (6 + 12, 6 + 16 + 12);
    file.copy_within(first..first + 4, second);
    assert_eq!(pixels(&still(&file)), [RED; 4]);
    // Within the head of the other.
    file[second] += 1;
    assert_eq!(code(&file), FailureCode::ImageCorrupt);
}

/// A gray TIFF of 4 x 2 pixels that says where its strips of `rows` rows are, and not how long they are.
fn tiff(compression: u32, rows: u32, strips: &[&[u8]]) -> Vec<u8> {
    const ENTRIES: u32 = 8;
    let behind = 8 + 2 + 12 * ENTRIES + 4;
    let data = behind + 4 * strips.len() as u32;
    let starts = strips.iter().scan(data, |at, strip| {
        let start = *at;
        *at += strip.len() as u32;
        Some(start)
    });
    let starts: Vec<u32> = starts.collect();
    let place = if starts.len() == 1 { starts[0] } else { behind };
    let mut file = [&b"II*\0\x08\0\0\0"[..], &(ENTRIES as u16).to_le_bytes()].concat();
    for (tag, count, value) in [
        (256_u16, 1, 4),
        (257, 1, 2),
        (258, 1, 8),
        (259, 1, compression),
        (262, 1, 1),
        (273, starts.len() as u32, place),
        (277, 1, 1),
        (278, 1, rows),
    ] {
        file.extend_from_slice(&[tag, 4].map(u16::to_le_bytes).concat());
        file.extend_from_slice(&[count, value].map(u32::to_le_bytes).concat());
    }
    file.extend_from_slice(&[0; 4]);
    starts
        .iter()
        .for_each(|start| file.extend_from_slice(&start.to_le_bytes()));
    strips.iter().for_each(|strip| file.extend_from_slice(strip));
    file
}

#[test]
fn a_tiff_may_leave_out_how_long_its_pixels_are() {
    let levels = [10, 20, 30, 40, 50, 60, 70, 80];
    let (first, second) = levels.split_at(4);
    let (packed, packed_first) = (zlib(&levels), zlib(first));
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(&levels)
        .unwrap();
    let pack_bits = [&[7][..], &levels].concat();
    for (name, file) in [
        ("not packed", tiff(1, 2, &[&levels])),
        ("not packed, in strips", tiff(1, 1, &[first, second])),
        ("Deflate", tiff(8, 2, &[&packed])),
        ("LZW", tiff(5, 2, &[&lzw])),
        ("PackBits", tiff(32_773, 2, &[&pack_bits])),
    ] {
        let longer = [&file[..], b"and more"].concat();
        for file in [&file, &longer] {
            assert_eq!(still(file).samples, levels, "{name}");
        }
        // A checksum or an end of codes decides nothing.
        for length in 8..file.len() - 7 {
            assert_eq!(
                code(&file[..length]),
                FailureCode::ImageTruncated,
                "{name} cut to {length}"
            );
        }
    }
    let strips = tiff(8, 1, &[&packed_first, &zlib(second)]);
    assert_eq!(code(&strips), FailureCode::ImageCorrupt);
}
