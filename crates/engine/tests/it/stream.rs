//! The JPEG core: what is streamed and decoded smaller, against the general decoder and against plans that push nothing
//! down.

use pixmill_engine::plan;
use pixmill_engine::probe::{Streaming, probe};
use pixmill_types::{ImageFormat, Limits};
use proptest::prelude::*;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::pixels::{Picture, psnr};
use crate::support::{cases, files_in, mill, read};

/// Two decoders of one JPEG, both within what ISO/IEC 10918-2 allows.
const DECODER_TOLERANCE_DB: f64 = 55.0;
/// Streamed against staged, both written at quality 95: the staged one rounds to whole levels on its way.
const STREAM_TOLERANCE_DB: f64 = 48.0;
/// Worked on at half the size, at the least sigma that this is done for.
const HALF_TOLERANCE_DB: f64 = 46.0;
/// Decoded smaller and then resized, against resized from the whole: another, equally good filter.
const SMALLER_TOLERANCE_DB: f64 = 38.0;
/// The same where less is left to resize, after the losses of a low quality.
const COARSE_TOLERANCE_DB: f64 = 34.0;

const PHOTOS: [&str; 6] = [
    "bench/photo_0.3mp.jpg",
    "bench/restart_markers_0.3mp.jpg",
    "bench/gray_2mp.jpg",
    "bench/photo_2mp_444.jpg",
    "camera/DSCN0025.jpg",
    "orientation/Landscape_1.jpg",
];

fn rendered(input: &[u8], recipe: &str) -> Picture {
    let output = mill(input, recipe).unwrap().outputs.remove(0);
    Picture::decode(output.format, &output.bytes)
}

fn explained(input: &[u8], recipe: &str) -> String {
    plan(&probe(input).unwrap(), &recipe.parse().unwrap(), &Limits::default())
        .unwrap()
        .to_string()
}

/// The luma of a JPEG as a PNG, of which nothing is pushed down.
fn plain(input: &[u8]) -> Vec<u8> {
    mill(input, "grayscale => png").unwrap().outputs.remove(0).bytes
}

#[test]
fn luma_is_that_of_the_general_decoder() {
    let mut taken = 0;
    for folder in ["bench", "camera", "orientation"] {
        for (name, bytes) in files_in(folder) {
            let Ok(header) = probe(&bytes) else { continue };
            if header.streaming == Streaming::No || header.pixels() > 5_000_000 {
                continue;
            }
            let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
            let general = JpegDecoder::new_with_options(ZCursor::new(&bytes), options)
                .decode()
                .unwrap();
            let core = rendered(&bytes, "grayscale => png");
            let general = Picture {
                samples: general,
                ..core.clone()
            };
            let found = psnr(&core, &general);
            assert!(found >= DECODER_TOLERANCE_DB, "{name}: {found:.1} dB");
            taken += 1;
        }
    }
    assert!(taken > 12, "{taken} files were streamed");
}

#[test]
fn what_is_streamed_is_what_stages_make() {
    for name in PHOTOS {
        let input = read(name);
        let staged_input = plain(&input);
        for (blur, least) in [
            ("", STREAM_TOLERANCE_DB),
            ("| blur:0.5", STREAM_TOLERANCE_DB),
            ("| blur:2", STREAM_TOLERANCE_DB),
            ("| blur:3.9", STREAM_TOLERANCE_DB),
            ("| blur:4", HALF_TOLERANCE_DB),
            ("| blur:5", HALF_TOLERANCE_DB),
            ("| blur:15", HALF_TOLERANCE_DB),
        ] {
            let recipe = format!("grayscale {blur} => jpeg:95");
            assert!(explained(&input, &recipe).contains("stream"), "{name}: {recipe}");
            assert!(!explained(&staged_input, &recipe).contains("stream"));
            let found = psnr(&rendered(&input, &recipe), &rendered(&staged_input, &recipe));
            assert!(found >= least, "{name} ({recipe}): {found:.1} dB");
        }
    }
}

#[test]
fn a_blur_is_done_while_decoding_whatever_follows() {
    let input = read("bench/photo_0.3mp.jpg");
    let staged_input = plain(&input);
    for recipe in ["grayscale | blur:2 => png", "grayscale | blur:1 | resize:200 => png"] {
        assert!(explained(&input, recipe).contains("does grayscale, blur"), "{recipe}");
        let found = psnr(&rendered(&input, recipe), &rendered(&staged_input, recipe));
        assert!(found >= DECODER_TOLERANCE_DB, "{recipe}: {found:.1} dB");
    }
}

#[test]
fn every_orientation_is_streamed_as_stages_turn_it() {
    for orientation in 2..=8 {
        let input = read(&format!("orientation/Landscape_{orientation}.jpg"));
        let turned = mill(&input, "orient | grayscale => png")
            .unwrap()
            .outputs
            .remove(0)
            .bytes;
        for steps in ["grayscale", "grayscale | blur:2", "grayscale | blur:5"] {
            let recipe = format!("orient | {steps} => jpeg:95");
            assert!(explained(&input, &recipe).contains("does decode, orient"), "{recipe}");
            let output = mill(&input, &recipe).unwrap().outputs.remove(0);
            let streamed = Picture::decode(output.format, &output.bytes);
            assert_eq!(
                (streamed.width, streamed.height),
                (output.width as usize, output.height as usize)
            );
            let found = psnr(&streamed, &rendered(&turned, &recipe));
            assert!(
                found >= HALF_TOLERANCE_DB,
                "orientation {orientation}, {recipe}: {found:.1} dB"
            );
        }
    }
}

#[test]
fn a_resize_decodes_no_more_than_it_needs() {
    for (name, whole) in [
        ("bench/photo_2mp.jpg", 1664),
        ("bench/photo_2mp_444.jpg", 1664),
        ("orientation/Landscape_6.jpg", 1200),
    ] {
        let input = read(name);
        for (denominator, word) in [(2, "a half"), (4, "a quarter"), (8, "an eighth")] {
            for (gray, left, format) in [
                ("", 2.0, "png"),
                ("grayscale | ", 2.0, "png"),
                ("", 2.0, "jpeg:90"),
                ("", 1.25, "jpeg:75"),
                ("grayscale | ", 1.25, "webp:89"),
            ] {
                let width = (f64::from(whole / denominator) / left) as u32 - 10;
                let recipe = format!("{gray}orient | resize:{width} => {format}");
                let text = explained(&input, &recipe);
                assert!(
                    text.contains(&format!("to {word} of the size")),
                    "{name} ({recipe}): {text}"
                );
                let staged = mill(&input, "orient => png").unwrap().outputs.remove(0).bytes;
                let found = psnr(&rendered(&input, &recipe), &rendered(&staged, &recipe));
                let least = if left < 2.0 {
                    COARSE_TOLERANCE_DB
                } else {
                    SMALLER_TOLERANCE_DB
                };
                assert!(found >= least, "{name} ({recipe}): {found:.1} dB");
            }
        }
    }
}

#[test]
fn outputs_of_several_sizes_are_made_of_what_the_largest_needs() {
    let input = read("bench/photo_2mp.jpg");
    let text = explained(&input, "=> resize:200 | png:name=a ; resize:400 | png:name=b");
    assert!(text.contains("to a half of the size"), "{text}");
    let exact = explained(&input, "=> resize:200,filter=nearest | png:name=a");
    assert!(!exact.contains("of the size"), "{exact}");
    let whole = explained(&input, "=> resize:200 | png:name=a ; png:name=b");
    assert!(!whole.contains("of the size"), "{whole}");
}

#[test]
fn what_cannot_be_streamed_is_known_from_the_header() {
    for name in ["bench/progressive_2mp.jpg", "bench/cmyk_2mp.jpg"] {
        let input = read(name);
        assert_eq!(probe(&input).unwrap().streaming, Streaming::No, "{name}");
        assert!(!explained(&input, "grayscale | blur:2").contains("strips"), "{name}");
    }
}

#[test]
fn the_default_job_of_twelve_megapixels_is_planned_in_a_few() {
    let header = probe(&read("bench/photo_12mp.jpg")).unwrap();
    let planned = plan(
        &header,
        &"orient | grayscale | blur:2".parse().unwrap(),
        &Limits::default(),
    )
    .unwrap();
    assert!(planned.memory_bytes() < 8_000_000, "{planned}");
    let expected = "  1. stream     jpeg luma alone, in strips, Gaussian, sigma 2 px, among 6 x 6 frequencies, jpeg, quality 75 (does decode, grayscale, blur, encode)";
    assert!(planned.to_string().starts_with(expected), "{planned}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded(
        width in 1..80_usize,
        height in 1..80_usize,
        noise in 0..256_u32,
        seed in any::<u32>(),
    ) {
        let mut state = seed | 1;
        let samples = (0..width * height)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let gradient = (at % width * 3 + at / width) as u32;
                (gradient + (state >> 24) * noise / 256).min(255) as u8
            })
            .collect();
        let picture = Picture { width, height, channels: 1, samples };
        let encoded = mill(&picture.to_png(), "orient => jpeg:100").unwrap().outputs.remove(0);
        prop_assert_eq!(encoded.format, ImageFormat::Jpeg);
        // Through the core again, and by the general decoder.
        for decoded in [rendered(&encoded.bytes, "grayscale => png"), Picture::decode(encoded.format, &encoded.bytes)] {
            let found = psnr(&decoded, &picture);
            prop_assert!(found > 45.0, "{} x {}, noise {}: {:.1} dB", width, height, noise, found);
        }
    }
}

#[test]
fn an_edge_repeats_beyond_itself_at_half_the_size_too() {
    // A white frame of one pixel around gray, stripes that end at the edges, and noise so small that nothing but edges and corners
    // is left of it.
    let frame = |x: usize, y: usize| {
        if x == 0 || y == 0 || x == 327 || y == 239 {
            255
        } else {
            90
        }
    };
    let stripes = |x: usize, y: usize| if (x + y).is_multiple_of(2) { 230 } else { 30 };
    let noise = |x: usize, y: usize| (x * 7919 + y * 104_729 + x * y * 31) as u8;
    type Level<'a> = &'a dyn Fn(usize, usize) -> u8;
    let pictures: [(Level<'_>, usize, usize); 4] = [
        (&frame, 328, 240),
        (&stripes, 328, 240),
        (&noise, 24, 16),
        (&noise, 8, 8),
    ];
    for (number, (picture, width, height)) in pictures.into_iter().enumerate() {
        let samples = (0..width * height)
            .map(|pixel| picture(pixel % width, pixel / width))
            .collect();
        let picture = Picture {
            width,
            height,
            channels: 1,
            samples,
        };
        let input = mill(&picture.to_png(), "=> jpeg:100").unwrap().outputs.remove(0).bytes;
        for turn in ["", "rotate:90 | ", "flop | "] {
            for sigma in [4.0, 8.0, 20.0] {
                let recipe = format!("grayscale | {turn}blur:{sigma}");
                let at_half = format!("{recipe} => jpeg:95");
                assert!(explained(&input, &at_half).contains("of half the size"), "{at_half}");
                let found = psnr(
                    &rendered(&input, &at_half),
                    &rendered(&input, &format!("{recipe} => png")),
                );
                assert!(found >= HALF_TOLERANCE_DB, "picture {number}, {at_half}: {found:.1} dB");
            }
        }
    }
}
