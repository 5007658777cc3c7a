//! Valid files that few programs write, each as other programs read it (Pillow, ImageMagick, libtiff, netpbm, ffmpeg).

use std::io::Cursor;

use pixmill_engine::plan;
use pixmill_engine::probe::probe;
use pixmill_types::{FailureCode, ImageFormat, Limits};

use crate::pixels::{Deep, Picture};
use crate::support::{mill, read};

/// A file, and what some of its pixels are: column, row, red, green, blue and alpha.
type Odd = (&'static str, &'static [([usize; 2], [u8; 4])]);

const STILL: &[Odd] = &[
    // Compressions without predictor.
    (
        "predictor_unpacked.tiff",
        &[([1, 0], [185, 251, 31, 255]), ([16, 8], [50, 156, 245, 255])],
    ),
    (
        "predictor_packbits.tiff",
        &[([1, 0], [185, 251, 31, 255]), ([16, 8], [50, 156, 245, 255])],
    ),
    (
        "gray_alpha_4_bits.tiff",
        &[([0, 0], [255, 255, 255, 204]), ([1, 2], [153, 153, 153, 238])],
    ),
    (
        "palette_alpha.tiff",
        &[([0, 0], [103, 86, 225, 33]), ([16, 8], [248, 127, 23, 176])],
    ),
    // A fourth sample of which nothing is said.
    (
        "alpha_unsaid.tiff",
        &[([0, 0], [188, 156, 40, 100]), ([16, 8], [137, 0, 135, 98])],
    ),
    // Its last strip has as many rows as the others, half of them beyond the picture.
    (
        "full_last_strip.tiff",
        &[([0, 0], [179, 202, 148, 255]), ([31, 39], [110, 117, 125, 255])],
    ),
    // Headers that promise metadata, and alpha, which are not there.
    (
        "exif_promised.webp",
        &[([0, 0], [221, 202, 210, 255]), ([6, 8], [127, 211, 215, 255])],
    ),
    (
        "alpha_promised.webp",
        &[([0, 0], [221, 202, 210, 255]), ([6, 8], [127, 211, 215, 255])],
    ),
    (
        "interlaced_flat.gif",
        &[([0, 0], [0, 0, 0, 255]), ([32, 20], [0, 0, 0, 255])],
    ),
    // Colours of BT.2020.
    ("code_points_9_14.png", &[([0, 0], [253, 0, 59, 255])]),
    (
        "comment_behind_max.ppm",
        &[([0, 0], [10, 10, 10, 255]), ([1, 1], [30, 30, 30, 255])],
    ),
    (
        "comment_to_cr.pbm",
        &[([0, 0], [0, 0, 0, 255]), ([1, 0], [255, 255, 255, 255])],
    ),
    (
        "rle8_without_end.bmp",
        &[([0, 0], [90, 149, 17, 255]), ([6, 4], [62, 204, 18, 255])],
    ),
];

pub(crate) fn rgba(picture: &Picture, [x, y]: [usize; 2]) -> [u8; 4] {
    let pixel = &picture.samples[(y * picture.width + x) * picture.channels..][..picture.channels];
    match *pixel {
        [gray] => [gray, gray, gray, 255],
        [gray, alpha] => [gray, gray, gray, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => unreachable!(),
    }
}

#[test]
fn what_few_write_is_read_as_others_read_it() {
    for (name, pixels) in STILL {
        let made = mill(&read(&format!("odd/{name}")), "=> png").unwrap_or_else(|error| panic!("{name}: {error}"));
        let picture = Picture::decode(ImageFormat::Png, &made.outputs[0].bytes);
        for (place, expected) in *pixels {
            assert_eq!(rgba(&picture, *place), *expected, "{name} at {place:?}");
        }
    }
}

#[test]
fn a_pam_of_inks_is_refused() {
    let error = mill(&read("odd/inks.pam"), "=> png").map(drop).unwrap_err();
    assert_eq!(error.to_failure().code, FailureCode::ImageUnsupported);
}

#[test]
fn inks_of_sixteen_bits_are_what_their_profile_says() {
    let eight = mill(&read("color/inks.tiff"), "=> png").unwrap().outputs.remove(0);
    let sixteen = mill(&read("color/inks_16.tiff"), "=> png").unwrap().outputs.remove(0);
    let eight = Picture::decode(ImageFormat::Png, &eight.bytes);
    let sixteen = Deep::from_png(&sixteen.bytes);
    for (shallow, deep) in eight.samples.iter().zip(&sixteen.samples) {
        let distance = f32::from(*shallow) - f32::from(*deep) / 257.0;
        assert!(distance.abs() <= 3.0, "{shallow} and {deep}");
    }
}

/// A frame of an animation as the plan says it is to be seen.
pub(crate) fn frame(input: &[u8], number: usize) -> Picture {
    let made = mill(input, "flip | flip => png").unwrap().outputs.remove(0);
    let mut decoder = png::Decoder::new(Cursor::new(&made.bytes[..]));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    for _ in 0..=number {
        reader.next_frame(&mut samples).unwrap();
    }
    let (width, height) = (made.width as usize, made.height as usize);
    Picture {
        width,
        height,
        channels: samples.len() / (width * height),
        samples,
    }
}

#[test]
fn an_interlaced_frame_may_be_smaller_than_its_canvas() {
    let second = frame(&read("odd/interlaced_frames.png"), 1);
    let reds: Vec<u8> = (0..6).map(|x| rgba(&second, [x, 2])[0]).collect();
    assert_eq!(reds, [95, 212, 177, 48, 9, 238]);
}

#[test]
fn a_first_frame_that_is_put_back_leaves_nothing() {
    let second = frame(&read("odd/first_put_back.gif"), 1);
    assert_eq!(rgba(&second, [0, 0]), [52, 226, 94, 255]);
    assert_eq!(rgba(&second, [7, 7]), [0; 4]);
}

#[test]
fn every_frame_of_a_gif_says_what_it_is_wiped_away_to() {
    let made = mill(&read("odd/opaque_then_holes.png"), "=> gif")
        .unwrap()
        .outputs
        .remove(0);
    let mut decoder = gif::DecodeOptions::new()
        .read_info(Cursor::new(&made.bytes[..]))
        .unwrap();
    let mut frames = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert!(frame.transparent.is_some(), "frame {frames}");
        frames += 1;
    }
    assert_eq!(frames, 2);
}

#[test]
fn memory_for_a_large_tile_is_counted() {
    // One tile larger than the picture, with eight samples a pixel that are neither colour nor alpha.
    let header = probe(&tiff_of_one_tile(2000, 2800, 9)).unwrap();
    let tile_bytes = 2800 * 2800 * 9 * 2;
    let memory = plan(&header, &"resize:100 => png".parse().unwrap(), &Limits::default())
        .unwrap()
        .memory_bytes();
    assert!(memory >= tile_bytes, "{memory} of {tile_bytes}");
}

/// The directory of a gray TIFF of 16 bits.
fn tiff_of_one_tile(side: u32, tile: u32, samples: u16) -> Vec<u8> {
    let entries: [(u16, u16, u32); 9] = [
        (256, 4, side),
        (257, 4, side),
        (259, 3, 1),
        (262, 3, 1),
        (277, 3, samples.into()),
        (322, 4, tile),
        (323, 4, tile),
        (324, 4, 8),
        (325, 4, 1),
    ];
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&kind.to_le_bytes());
        file.extend_from_slice(&1_u32.to_le_bytes());
        file.extend_from_slice(&value.to_le_bytes());
    }
    file.extend_from_slice(&[0; 4]);
    file
}

#[test]
fn a_frame_without_columns_shows_nothing() {
    let made = mill(&read("hostile/no_columns.gif"), "=> png")
        .unwrap()
        .outputs
        .remove(0);
    let picture = Picture::decode(ImageFormat::Png, &made.bytes);
    assert_eq!((picture.width, picture.height, picture.channels), (4, 4, 4));
    assert!(picture.samples.iter().all(|sample| *sample == 0));
}
