//! What the JPEG core writes: baseline, optimised and progressive hold the same coefficients, two other decoders agree, and the
//! picture is the one that was given.

use pixmill_engine::plan;
use pixmill_engine::probe::probe;
use pixmill_types::Limits;
use proptest::prelude::*;
use rusty_jpeg::encode::{ColorType, Encoder, SamplingFactor};

use crate::pixels::{Picture, psnr};
use crate::support::{cases, mill, read};

/// How much worse than another encoder's file of the same tables ours may be.
const ENCODER_LOSS_DB: f64 = 0.05;
/// How much larger.
const ENCODER_GROWTH: f64 = 1.01;

fn written(input: &[u8], options: &str) -> Vec<u8> {
    mill(input, &format!("orient => jpeg:{options}"))
        .unwrap()
        .outputs
        .remove(0)
        .bytes
}

/// What two decoders see in a file: the one its components as they are stored, the other the picture.
fn decoded(file: &[u8]) -> (Vec<Vec<u8>>, Picture) {
    // Also what lies in blocks beyond the edges.
    let planes = rusty_jpeg::decode::Decoder::new(file).decode_planar().unwrap();
    (
        planes.into_planes(),
        Picture::decode(pixmill_types::ImageFormat::Jpeg, file),
    )
}

/// Pixels from flat to noise.
fn picture(width: usize, height: usize, channels: usize, roughness: u32, seed: u32) -> Picture {
    let mut state = seed | 1;
    let samples = (0..width * height * channels)
        .map(|index| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let (x, y) = (index / channels % width, index / channels / width);
            let base = (x * 3 + y * 2 + index % channels * 70) % 200;
            (base as u32 + state % (roughness + 1)).min(255) as u8
        })
        .collect();
    Picture {
        width,
        height,
        channels,
        samples,
    }
}

#[test]
fn colour_is_as_good_and_as_small_as_another_encoder_makes_it() {
    for name in ["photos/kodak_14.png", "photos/kodak_23.png"] {
        let input = read(name);
        let original = Picture::from_png(&input);
        for (quality, sampling, word) in [
            (50, SamplingFactor::F_2_2, "4:2:0"),
            (75, SamplingFactor::F_2_2, "4:2:0"),
            (75, SamplingFactor::F_1_1, "4:4:4"),
            (95, SamplingFactor::F_1_1, "4:4:4"),
        ] {
            let ours = written(&input, &format!("{quality},subsampling={word}"));
            let mut theirs = Vec::new();
            let mut encoder = Encoder::new(&mut theirs, quality);
            encoder.set_sampling_factor(sampling);
            let (width, height) = (original.width as u16, original.height as u16);
            encoder
                .encode(&original.samples, width, height, ColorType::Rgb)
                .unwrap();
            let against = |file: &[u8]| psnr(&decoded(file).1, &original);
            println!(
                "{name} {quality} {word}: {:.2} dB {} bytes, another {:.2} dB {} bytes",
                against(&ours),
                ours.len(),
                against(&theirs),
                theirs.len()
            );
            assert!(
                against(&ours) >= against(&theirs) - ENCODER_LOSS_DB,
                "{name}, {quality}, {word}"
            );
            assert!(
                ours.len() as f64 <= theirs.len() as f64 * ENCODER_GROWTH,
                "{name}, {quality}, {word}: {} bytes, another {}",
                ours.len(),
                theirs.len()
            );
        }
    }
}

#[test]
fn tables_that_fit_and_several_scans_are_smaller() {
    for name in ["photos/kodak_14.png", "bench/gray_2mp.jpg"] {
        let input = read(name);
        let sizes = ["80", "80,optimize=true", "80,progressive=true"].map(|options| written(&input, options).len());
        assert!(sizes[1] < sizes[0] && sizes[2] < sizes[1], "{name}: {sizes:?}");
    }
}

#[test]
fn a_jpeg_that_is_to_be_coded_otherwise_is_not_copied() {
    let input = read("bench/photo_0.3mp.jpg");
    let explained = |options: &str| {
        let recipe = format!("=> jpeg{options}").parse().unwrap();
        plan(&probe(&input).unwrap(), &recipe, &Limits::default())
            .unwrap()
            .to_string()
    };
    assert!(explained("").contains("copy"));
    for (options, word) in [
        (":progressive=true", "progressive"),
        (":optimize=true", "Huffman tables that fit best"),
        (":subsampling=4:4:4", "4:4:4"),
    ] {
        let text = explained(options);
        assert!(!text.contains("copy") && text.contains(word), "{options}: {text}");
    }
}

#[test]
fn what_is_streamed_and_turned_is_progressive_as_well() {
    let input = read("orientation/Landscape_6.jpg");
    let with = |options: &str| {
        let recipe = format!("orient | grayscale | blur:2 => jpeg:75{options}");
        mill(&input, &recipe).unwrap().outputs.remove(0).bytes
    };
    let expected = decoded(&with(""));
    for options in [",optimize=true", ",progressive=true"] {
        let found = with(options);
        assert_eq!(decoded(&found), expected, "{options}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_of_coding_holds_the_same_picture(
        width in 1..140_usize,
        height in 1..70_usize,
        is_gray in any::<bool>(),
        roughness in prop_oneof![Just(0_u32), 1..255_u32],
        quality in 1..=100_u8,
        is_half in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let original = picture(width, height, if is_gray { 1 } else { 3 }, roughness, seed);
        let input = original.to_png();
        let options = format!("{quality},subsampling={}", if is_half { "4:2:0" } else { "4:4:4" });
        let baseline = written(&input, &options);
        let expected = decoded(&baseline);
        for more in [",optimize=true", ",progressive=true"] {
            let file = written(&input, &format!("{options}{more}"));
            let found = decoded(&file);
            prop_assert!(found == expected, "{} holds another picture", more);
            prop_assert!(more != ",optimize=true" || file.len() <= baseline.len());
        }
        let (width_found, height_found) = (expected.1.width, expected.1.height);
        prop_assert_eq!((width_found, height_found), (width, height));
        if quality >= 90 && (is_gray || !is_half) {
            let found = psnr(&expected.1, &original);
            // Of noise, steps of 20 in chroma (Annex K at 90) leave an error of 5.8 there, and with luma's some 9 in RGB: 29 dB,
            // give or take in a picture of a few pixels.
            prop_assert!(found > 26.0, "{found:.1} dB");
        }
    }
}
