//! The JPEG core against the general decoder, an exact blur, and every way a small picture can be stored.

use pixmill_engine::plan;
use pixmill_engine::probe::{Streaming, probe};
use pixmill_types::Limits;
use proptest::prelude::*;
use rusty_jpeg::encode::{ColorType, Encoder, SamplingFactor};

use crate::pixels::{Picture, psnr};
use crate::support::{cases, mill, read};

/// Two decoders of the same luma: both round, each a little differently.
const DECODER_TOLERANCE_DB: f64 = 50.0;
/// How much worse a JPEG may be that was blurred at half its size than one of the exact blur; each is measured against
/// that exact blur before it was written as a JPEG.
const HALF_SIZE_LOSS_DB: f64 = 1.0;
/// The same of one that was blurred among its frequencies.
const FREQUENCIES_LOSS_DB: f64 = 0.5;

/// The luma of a JPEG as another decoder sees it; `None` when it has none.
fn luma_elsewhere(file: &[u8]) -> Option<Picture> {
    use zune_core::bytestream::ZCursor;
    use zune_core::colorspace::ColorSpace;
    use zune_core::options::DecoderOptions;
    if probe(file).is_ok_and(|header| header.streaming == Streaming::Rare) {
        return stored_luma(file);
    }
    let gray = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(file), gray);
    decoder.decode_headers().ok()?;
    if !matches!(decoder.input_colorspace(), Some(ColorSpace::Luma | ColorSpace::YCbCr)) {
        return None;
    }
    let samples = decoder.decode().ok()?;
    let (width, height) = decoder.dimensions()?;
    Some(Picture {
        width,
        height,
        channels: 1,
        samples,
    })
}

/// The same by a decoder that takes components in any layout, which zune-jpeg gets wrong.
fn stored_luma(file: &[u8]) -> Option<Picture> {
    let mut decoder = jpeg_decoder::Decoder::new(file);
    // As they are stored: luma is the first of three.
    decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
    let samples = decoder.decode().ok()?;
    let info = decoder.info()?;
    Some(Picture {
        width: info.width.into(),
        height: info.height.into(),
        channels: 1,
        samples: samples.chunks_exact(3).map(|pixel| pixel[0]).collect(),
    })
}

fn luma_here(file: &[u8]) -> Picture {
    Picture::from_png(&mill(file, "grayscale => png").unwrap().outputs[0].bytes)
}

/// A small picture with edges and gradients.
fn drawing(width: u16, height: u16) -> Vec<u8> {
    let (across, down) = (usize::from(width), usize::from(height));
    (0..across * down)
        .flat_map(|index| {
            let (x, y) = (index % across, index / across);
            let on_edge = if (x / 5 + y / 7) % 2 == 0 { 60 } else { 0 };
            [
                (x * 255 / across) as u8,
                (y * 195 / down) as u8 + on_edge,
                ((x * y) % 200) as u8,
            ]
        })
        .collect()
}

fn stored(width: u16, height: u16, sampling: SamplingFactor, restart: u16) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(sampling);
    if restart > 0 {
        encoder.set_restart_interval(restart);
    }
    encoder
        .encode(&drawing(width, height), width, height, ColorType::Rgb)
        .unwrap();
    file
}

/// How far from an exact blur a JPEG is that was blurred on its way, and one of that exact blur.
fn lost(file: &[u8], sigma: &str, quality: u8) -> (f64, f64) {
    let of = |file: &[u8], recipe: &str| mill(file, recipe).unwrap().outputs.remove(0).bytes;
    let exact = of(file, &format!("grayscale | blur:{sigma} => png"));
    let after = of(&exact, &format!("orient => jpeg:{quality}"));
    let streamed = of(file, &format!("grayscale | blur:{sigma} => jpeg:{quality}"));
    let exact = Picture::from_png(&exact);
    let against_exact = |jpeg: &[u8]| psnr(&luma_elsewhere(jpeg).unwrap(), &exact);
    (against_exact(&streamed), against_exact(&after))
}

#[test]
fn a_blur_at_half_the_size_loses_next_to_nothing() {
    for (name, sigmas) in [
        ("bench/photo_0.3mp.jpg", &["4", "5", "12"][..]),
        ("bench/photo_2mp.jpg", &["4", "5"][..]),
        ("bench/photo_2mp_444.jpg", &["5"][..]),
        ("camera/DSCN0025.jpg", &["4"][..]),
    ] {
        for sigma in sigmas {
            let (half, whole) = lost(&read(name), sigma, 75);
            assert!(
                half >= whole - HALF_SIZE_LOSS_DB,
                "{name}, sigma {sigma}: {half:.2} dB at half the size, {whole:.2} dB without"
            );
        }
    }
}

/// Bars of black and white, so coarse that a decoder has to cut off what is beyond both; they go on beyond the edges.
fn harsh(width: u16, height: u16) -> Vec<u8> {
    let (across, down) = (width.next_multiple_of(8), height.next_multiple_of(8));
    let bars = (0..usize::from(across) * usize::from(down)).map(|index| {
        let (x, y) = (index % usize::from(across), index / usize::from(across));
        if (x / 3 + y / 12) % 5 < 2 { 0 } else { 255 }
    });
    let mut file = Vec::new();
    Encoder::new(&mut file, 20)
        .encode(&bars.collect::<Vec<_>>(), across, down, ColorType::Luma)
        .unwrap();
    let frame = file.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    file[frame + 5..][..2].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..][..2].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn a_blur_among_frequencies_loses_next_to_nothing() {
    for (name, file) in [
        ("bench/photo_0.3mp.jpg", read("bench/photo_0.3mp.jpg")),
        ("bench/photo_2mp.jpg", read("bench/photo_2mp.jpg")),
        ("bench/photo_2mp_444.jpg", read("bench/photo_2mp_444.jpg")),
        ("bench/gray_2mp.jpg", read("bench/gray_2mp.jpg")),
        ("bars", harsh(301, 203)),
    ] {
        for (sigma, quality) in [
            ("0.8", 60),
            ("1", 75),
            ("2", 40),
            ("2", 75),
            ("2", 90),
            ("2.5", 75),
            ("3.9", 75),
        ] {
            let recipe = format!("grayscale | blur:{sigma} => jpeg:{quality}");
            let plan = plan(&probe(&file).unwrap(), &recipe.parse().unwrap(), &Limits::default()).unwrap();
            assert!(plan.to_string().contains("frequencies"), "{name}: {plan}");
            let (among, whole) = lost(&file, sigma, quality);
            assert!(
                among >= whole - FREQUENCIES_LOSS_DB,
                "{name}, {recipe}: {among:.2} dB among frequencies, {whole:.2} dB after an exact blur"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sampling_and_every_size_is_decoded_as_elsewhere(
        width in 1..90_u16,
        height in 1..70_u16,
        sampling in 0..8_usize,
        restart in prop_oneof![Just(0_u16), 1..9_u16],
    ) {
        let sampling = [
            SamplingFactor::F_1_1,
            SamplingFactor::F_2_1,
            SamplingFactor::F_1_2,
            SamplingFactor::F_2_2,
            SamplingFactor::F_4_1,
            SamplingFactor::F_4_2,
            SamplingFactor::F_1_4,
            SamplingFactor::F_2_4,
        ][sampling];
        let file = stored(width, height, sampling, restart);
        // Some of the ways are beyond the other decoder.
        if let Some(expected) = luma_elsewhere(&file) {
            let found = psnr(&luma_here(&file), &expected);
            prop_assert!(found >= DECODER_TOLERANCE_DB, "{:?}, restart {}: {:.1} dB", sampling, restart, found);
        } else {
            prop_assert!(mill(&file, "grayscale").is_ok());
        }
    }

    #[test]
    fn what_is_streamed_is_what_is_done_in_stages(
        width in 1..200_u16,
        height in 1..120_u16,
        sigma in 3..45_u32,
        quality in 40..100_u32,
    ) {
        let file = stored(width, height, SamplingFactor::F_2_2, 0);
        let sigma = f64::from(sigma) / 10.0;
        let streamed = mill(&file, &format!("grayscale | blur:{sigma} => jpeg:{quality}")).unwrap();
        let exact = mill(&file, &format!("grayscale | blur:{sigma} => png")).unwrap();
        let staged = mill(&exact.outputs[0].bytes, &format!("orient => jpeg:{quality}")).unwrap();
        let [streamed, staged] = [streamed, staged].map(|milled| luma_elsewhere(&milled.outputs[0].bytes).unwrap());
        // A sample that was not rounded between the two may fall into the next step of the quantization, which is coarse:
        // where many do, each is as near to the picture that was quantized as the other.
        let found = psnr(&streamed, &staged);
        let exact = Picture::from_png(&exact.outputs[0].bytes);
        let lost = psnr(&staged, &exact) - psnr(&streamed, &exact);
        prop_assert!(found >= 34.0 || lost <= 0.1, "{:.1} dB, {:.2} dB farther from what was quantized", found, lost);
    }
}
