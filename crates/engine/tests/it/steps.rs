//! What steps and formats do to pixels, on real files.

use pixmill_engine::probe::probe;
use pixmill_types::ImageFormat;

use crate::pixels::{Deep, Picture, psnr};
use crate::support::{mill, read};

/// Lossless in and out.
const BLUR_TOLERANCE_DB: f64 = 55.0;
/// Of the same scene, reduced; each file was encoded anew and has its own number painted on it. Turned wrongly it is
/// below 15 dB.
const SAME_SCENE_DB: f64 = 25.0;

fn png_of(input: &[u8], recipe: &str) -> Picture {
    Picture::from_png(&mill(input, &format!("{recipe} => png")).unwrap().outputs[0].bytes)
}

#[test]
fn all_orientations_come_out_upright_and_alike() {
    for scene in 0..=8 {
        let name = format!("orientation/Landscape_{scene}.jpg");
        let upright = png_of(&read("orientation/Landscape_1.jpg"), "orient | resize:300");
        let turned = png_of(&read(&name), "orient | resize:300");
        let found = psnr(&turned, &upright);
        assert!(found > SAME_SCENE_DB, "{name}: {found:.1} dB");
    }
}

#[test]
fn an_orientation_that_the_recipe_leaves_survives_in_every_format() {
    for name in [
        "orientation/Landscape_6.jpg",
        "orientation/exif_6.png",
        "webp/orientation_6.webp",
    ] {
        let input = read(name);
        for format in ["jpeg", "png", "webp"] {
            let kept = mill(&input, &format!("grayscale => {format}"))
                .unwrap()
                .outputs
                .remove(0)
                .bytes;
            let header = probe(&kept).unwrap();
            let stored = probe(&input).unwrap();
            assert_eq!(
                (header.width, header.height),
                (stored.width, stored.height),
                "{name} to {format}"
            );
            let once_upright = png_of(&kept, "orient");
            let at_once = png_of(&input, "orient | grayscale");
            assert_eq!(
                (once_upright.width, once_upright.height),
                (at_once.width, at_once.height)
            );
            // Lossy formats lie between the two.
            let once_upright = png_of(&kept, "orient | grayscale");
            let found = psnr(&once_upright, &at_once);
            assert!(found > 32.0, "{name} to {format}: {found:.1} dB");
        }
    }
}

#[test]
fn no_metadata_leaves_with_an_upright_picture() {
    for name in [
        "camera/DSCN0025.jpg",
        "camera/canon_hdr_NO.jpg",
        "pngsuite/exif2c08.png",
    ] {
        let input = read(name);
        let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(
            holds(&input, b"MM\0*") || holds(&input, b"II*\0"),
            "{name} has no EXIF to lose"
        );
        for format in ["jpeg", "png", "webp"] {
            let output = mill(&input, &format!("orient => {format}"))
                .unwrap()
                .outputs
                .remove(0)
                .bytes;
            for trace in [
                &b"Exif"[..],
                b"eXIf",
                b"EXIF",
                b"MM\0*",
                b"II*\0",
                b"ICC",
                b"iCCP",
                b"http://ns.adobe",
            ] {
                assert!(!holds(&output[..output.len().min(400)], trace), "{name} to {format}");
            }
        }
    }
}

#[test]
fn sixteen_bits_stay_exact_from_png_to_png() {
    for name in ["basn0g16", "basn2c16", "basn4a16", "basn6a16", "basi2c16", "tbwn0g16"] {
        let input = read(&format!("pngsuite/{name}.png"));
        let output = mill(&input, "orient").unwrap().outputs.remove(0).bytes;
        let (input, output) = (Deep::from_png(&input), Deep::from_png(&output));
        assert_eq!(output, input, "{name}");
    }
}

/// The sampled Gaussian in double precision, the edge pixel repeated, no cut-off that matters.
pub(crate) fn exact_blur(samples: &[f64], width: usize, height: usize, channels: usize, sigma: f64) -> Vec<f64> {
    let radius = (sigma * 8.5).ceil() as isize;
    let kernel: Vec<f64> = (-radius..=radius)
        .map(|distance| (-0.5 * (distance as f64 / sigma).powi(2)).exp())
        .collect();
    let sum: f64 = kernel.iter().sum();
    let along = |samples: &[f64], index: usize, stride: usize, position: usize, length: usize| -> f64 {
        let at = |distance: isize| {
            let moved = (position as isize + distance).clamp(0, length as isize - 1) - position as isize;
            samples[(index as isize + moved * stride as isize) as usize]
        };
        (-radius..=radius)
            .zip(&kernel)
            .map(|(distance, weight)| at(distance) * weight)
            .sum::<f64>()
            / sum
    };
    let rows: Vec<f64> = (0..samples.len())
        .map(|index| along(samples, index, channels, index / channels % width, width))
        .collect();
    (0..samples.len())
        .map(|index| along(&rows, index, width * channels, index / (width * channels), height))
        .collect()
}

#[test]
fn blur_is_the_exact_gaussian_at_any_sigma_and_size() {
    let photo = Picture::from_png(&read("photos/kodak_14.png"));
    for (width, height) in [(1, 1), (1, 40), (40, 1), (7, 5), (64, 3), (65, 66), (120, 80)] {
        let input = photo.region(300, 200, width, height);
        let exact: Vec<f64> = input.samples.iter().map(|sample| f64::from(*sample)).collect();
        for sigma in [0.3, 0.5, 0.8, 1.0, 1.4, 2.0, 3.7, 5.0, 10.0, 25.0, 60.0, 100.0] {
            let blurred = exact_blur(&exact, width, height, 3, sigma);
            let expected = Picture {
                samples: blurred.iter().map(|number| number.round() as u8).collect(),
                ..input.clone()
            };
            let actual = png_of(&input.to_png(), &format!("blur:{sigma}"));
            let found = psnr(&actual, &expected);
            // Below 2000 samples, one of them a level off already costs more than the tolerance leaves.
            let off_by_one = actual
                .samples
                .iter()
                .zip(&expected.samples)
                .all(|(a, e)| a.abs_diff(*e) <= 1);
            let small = input.samples.len() < 2000;
            assert!(
                found >= BLUR_TOLERANCE_DB || small && off_by_one,
                "{width} x {height}, sigma {sigma}: {found:.1} dB"
            );
        }
    }
}

#[test]
fn blur_leaves_flat_pictures_as_they_are() {
    for level in [0, 1, 127, 128, 254, 255] {
        let flat = Picture {
            width: 50,
            height: 40,
            channels: 1,
            samples: vec![level; 50 * 40],
        };
        for sigma in ["0.3", "2", "9", "33", "100"] {
            assert_eq!(
                png_of(&flat.to_png(), &format!("blur:{sigma}")),
                flat,
                "{level}, sigma {sigma}"
            );
        }
    }
}

#[test]
fn blur_of_sixteen_bits_is_exact_to_a_few_of_them() {
    let input = read("pngsuite/basn2c16.png");
    let deep = Deep::from_png(&input);
    let exact: Vec<f64> = deep.samples.iter().map(|sample| f64::from(*sample)).collect();
    for sigma in [0.5, 2.0, 11.0, 20.0, 60.0] {
        let expected = exact_blur(&exact, deep.width, deep.height, deep.channels, sigma);
        let actual = Deep::from_png(&mill(&input, &format!("blur:{sigma}")).unwrap().outputs[0].bytes);
        let worst = actual
            .samples
            .iter()
            .zip(&expected)
            .map(|(a, e)| (f64::from(*a) - e).abs())
            .fold(0.0, f64::max);
        // 1.5e-4 of the kernel may be missing, which is 10 of 65,536.
        assert!(worst < 12.0, "sigma {sigma}: {worst} of 65,536");
    }
}

#[test]
fn unseen_colour_does_not_bleed_through_blur_and_resize() {
    // Opaque green beside transparent red.
    let (width, height) = (32, 8);
    let samples = (0..width * height)
        .flat_map(|pixel| {
            if pixel % width < width / 2 {
                [0, 200, 0, 255]
            } else {
                [255, 0, 0, 0]
            }
        })
        .collect();
    let input = Picture {
        width,
        height,
        channels: 4,
        samples,
    };
    for recipe in ["blur:2", "resize:8", "resize:64,enlarge=true,filter=bilinear"] {
        let output = png_of(&input.to_png(), recipe);
        let seen = output.samples.chunks_exact(4).filter(|pixel| pixel[3] > 8);
        assert!(seen.clone().count() > 0);
        for pixel in seen {
            assert!(pixel[0] <= 2 && pixel[1].abs_diff(200) <= 6, "{recipe}: {pixel:?}");
        }
    }
}

#[test]
fn jpeg_lays_transparency_on_white_and_says_so() {
    let milled = mill(&read("pngsuite/tp1n3p08.png"), "orient => jpeg:95").unwrap();
    assert!(
        milled.warnings.iter().any(|warning| warning.contains("white")),
        "{:?}",
        milled.warnings
    );
    let output = Picture::decode(ImageFormat::Jpeg, &milled.outputs[0].bytes);
    let corner = output.region(0, 0, 4, 4);
    assert!(
        corner.samples.iter().all(|sample| *sample > 245),
        "{:?}",
        corner.samples
    );
}

#[test]
fn webp_keeps_alpha_of_colour_and_of_gray() {
    let input = read("webp/lossless_alpha.webp");
    let alpha_of = |picture: &Picture| -> Vec<u8> {
        let last = picture.channels - 1;
        picture
            .samples
            .chunks_exact(picture.channels)
            .map(|pixel| pixel[last])
            .collect()
    };
    let expected = png_of(&input, "orient");
    for recipe in ["orient", "grayscale"] {
        let output = mill(&input, &format!("{recipe} => webp:90"))
            .unwrap()
            .outputs
            .remove(0)
            .bytes;
        let output = Picture::decode(ImageFormat::Webp, &output);
        assert_eq!(alpha_of(&output), alpha_of(&expected), "{recipe}");
    }
}

#[test]
fn gray_keeps_its_levels_in_webp() {
    let gray = png_of(&read("photos/kodak_23.png"), "grayscale");
    let output = mill(&read("photos/kodak_23.png"), "grayscale => webp:95")
        .unwrap()
        .outputs
        .remove(0)
        .bytes;
    let output = Picture::decode(ImageFormat::Webp, &output);
    let red = Picture {
        channels: 1,
        samples: output.samples.chunks_exact(3).map(|pixel| pixel[0]).collect(),
        ..output
    };
    let found = psnr(&red, &gray);
    assert!(found > 40.0, "{found:.1} dB");
}

#[test]
fn a_gray_jpeg_has_one_component() {
    let output = mill(&read("bench/photo_0.3mp.jpg"), "grayscale")
        .unwrap()
        .outputs
        .remove(0)
        .bytes;
    let frame = output.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    assert_eq!(output[frame + 9], 1);
}

#[test]
fn quality_and_format_of_each_output_are_its_own() {
    let recipe =
        "orient => resize:64 | jpeg:30,name=small ; jpeg:95,name=large ; grayscale | webp:name=gray ; png:name=whole";
    let milled = mill(&read("photos/kodak_14.png"), recipe).unwrap();
    let facts: Vec<_> = milled
        .outputs
        .iter()
        .map(|output| (output.format, output.width))
        .collect();
    let expected = [
        (ImageFormat::Jpeg.into(), 64),
        (ImageFormat::Jpeg.into(), 768),
        (ImageFormat::Webp.into(), 768),
        (ImageFormat::Png.into(), 768),
    ];
    assert_eq!(facts, expected);
    let alone = mill(&read("photos/kodak_14.png"), "orient => jpeg:95").unwrap();
    assert_eq!(milled.outputs[1].bytes, alone.outputs[0].bytes);
    let names: Vec<_> = milled.timings.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["decode", "resize", "encode", "encode", "grayscale", "encode", "encode"]
    );
}

#[test]
fn of_an_animation_the_first_frame_is_taken_with_a_note() {
    let milled = mill(&read("webp/animated.webp"), "orient => jpeg").unwrap();
    assert_eq!((milled.outputs[0].width, milled.outputs[0].height), (256, 192));
    assert!(
        milled.warnings.iter().any(|warning| warning.contains("2 frames")),
        "{:?}",
        milled.warnings
    );
}

#[test]
fn inks_without_adobes_marker_are_not_inverted() {
    let inverted = read("bench/cmyk_2mp.jpg");
    let at = inverted.windows(5).position(|window| window == b"Adobe").unwrap() - 4;
    let length = usize::from(u16::from_be_bytes([inverted[at + 2], inverted[at + 3]]));
    let plain = [&inverted[..at], &inverted[at + 2 + length..]].concat();
    let (inverted, plain) = (png_of(&inverted, "resize:64"), png_of(&plain, "resize:64"));
    // What was no ink is full ink now: far more is black, and what paper was left white is dark.
    let mean =
        |picture: &Picture| picture.samples.iter().map(|s| f64::from(*s)).sum::<f64>() / picture.samples.len() as f64;
    assert!(
        mean(&plain) + 40.0 < mean(&inverted),
        "{} and {}",
        mean(&plain),
        mean(&inverted)
    );
}

#[test]
fn files_of_one_picture_are_those_that_each_output_makes_alone() {
    let input = read("photos/kodak_23.png");
    let outputs = [
        "resize:64 | png:name=a",
        "resize:64 | jpeg:name=b",
        "resize:64 | webp:name=c",
        "blur:2 | png:name=d",
        "blur:2 | jpeg:name=e",
        "png:name=f",
    ];
    let together = mill(&input, &format!("flop => {}", outputs.join(" ; "))).unwrap();
    for (output, rendered) in outputs.iter().zip(&together.outputs) {
        let alone = mill(&input, &format!("flop => {output}")).unwrap();
        assert_eq!(rendered.bytes, alone.outputs[0].bytes, "{output}");
    }
}
