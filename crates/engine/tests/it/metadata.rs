//! What goes with the pixels: colour profiles, EXIF, XMP; what leaves by default and what stays on request. And the format
//! that fits the content.

use pixmill_engine::plan;
use pixmill_engine::probe::probe;
use pixmill_types::{ImageFormat, Limits};

use crate::pixels::{Picture, psnr};
use crate::support::{mill, read};

fn made(input: &[u8], recipe: &str) -> Vec<u8> {
    mill(input, recipe).unwrap().outputs.remove(0).bytes
}

fn holds(file: &[u8], what: &[u8]) -> bool {
    file.windows(what.len()).any(|window| window == what)
}

/// The names of the stages that ran.
/// Red, green and blue, whatever the file keeps of them.
fn colours(picture: &Picture) -> Vec<u8> {
    let pixels = picture.samples.chunks_exact(picture.channels);
    pixels
        .flat_map(|pixel| match *pixel {
            [gray] => [gray; 3],
            [red, green, blue, ..] => [red, green, blue],
            _ => panic!("{} channels", picture.channels),
        })
        .collect()
}

/// A PNG whose colour profile is replaced by code points.
fn with_code_points(png: &[u8], points: [u8; 4]) -> Vec<u8> {
    let mut made = png[..33].to_vec();
    let mut chunk = b"cICP".to_vec();
    chunk.extend_from_slice(&points);
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    made.extend_from_slice(&4_u32.to_be_bytes());
    made.extend_from_slice(&chunk);
    made.extend_from_slice(&crc.sum().to_be_bytes());
    let mut at = 33;
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize + 12;
        if &png[at + 4..at + 8] != b"iCCP" {
            made.extend_from_slice(&png[at..at + length]);
        }
        at += length;
    }
    made
}

#[test]
fn code_points_of_a_png_are_heeded() {
    const DISPLAY_P3: [u8; 4] = [12, 13, 0, 1];
    let input = read("color/p3.png");
    let by_profile = Picture::from_png(&made(&input, "flip | flip => png"));
    let coded = with_code_points(&input, DISPLAY_P3);
    let by_points = Picture::from_png(&made(&coded, "flip | flip => png"));
    assert!(
        psnr(&by_points, &by_profile) > 50.0,
        "{:.1} dB",
        psnr(&by_points, &by_profile)
    );
    // Kept as a profile, which says the same.
    let kept = made(&coded, "flip | flip => png:profile=keep");
    assert!(holds(&kept, b"iCCP"));
    assert_eq!(Picture::from_png(&made(&kept, "flip | flip => png")), by_points);
    // Those of sRGB, and what there is no profile for, leave the pixels alone.
    for points in [[1, 13, 0, 1], [9, 16, 0, 1]] {
        let left = made(&with_code_points(&input, points), "flip | flip => png");
        assert_eq!(Picture::from_png(&left), Picture::from_png(&input), "{points:?}");
    }
}

fn ran(input: &[u8], recipe: &str) -> Vec<&'static str> {
    mill(input, recipe)
        .unwrap()
        .timings
        .iter()
        .map(|(name, _)| *name)
        .collect()
}

const OWNER: &[u8] = b"A. Painter";
const CAMERA: &[u8] = b"Camera";
const XMP: &[u8] = b"adobe:ns:meta/";
const PROFILE: &[u8] = b"acsp";

#[test]
fn nothing_is_carried_over_unless_asked_for() {
    for name in ["color/p3.jpg", "color/p3.webp", "color/srgb.jpg", "camera/DSCN0025.jpg"] {
        let input = read(name);
        for format in ["jpeg", "png", "webp", "tiff", "avif:effort=0", "gif", "bmp", "qoi"] {
            for steps in ["orient", "flip", "grayscale | blur:2"] {
                let output = made(&input, &format!("{steps} => {format}"));
                for what in [OWNER, CAMERA, XMP, PROFILE, b"secret", b"NIKON"] {
                    assert!(!holds(&output, what), "{name}, {steps} => {format}: {what:?}");
                }
            }
        }
    }
}

#[test]
fn metadata_is_kept_on_request_with_the_orientation_of_the_picture() {
    for name in ["color/p3.jpg", "color/p3.webp"] {
        let input = read(name);
        for format in ["jpeg", "png", "webp", "tiff"] {
            // Turned, left as it is, and streamed.
            for (steps, orientation) in [("orient", 1), ("flip", 6), ("orient | grayscale | blur:1", 1)] {
                let output = made(&input, &format!("{steps} => {format}:metadata=keep"));
                assert!(
                    [OWNER, CAMERA, XMP].iter().all(|what| holds(&output, what)),
                    "{name}, {steps} => {format}"
                );
                let again = mill(&output, "orient => png").unwrap();
                let swaps = again.outputs[0].width < again.outputs[0].height;
                // 128 x 96 lie on their side: upright they are higher than wide.
                assert!(swaps, "{name}, {steps} => {format}");
                let exif = output
                    .windows(4)
                    .position(|four| four == b"MM\0*" || four == b"II*\0")
                    .unwrap();
                let order = &output[exif..exif + 2];
                let tag: &[u8] = if order == b"MM" {
                    &[1, 0x12, 0, 3]
                } else {
                    &[0x12, 1, 3, 0]
                };
                let entry = exif + output[exif..].windows(4).position(|four| four == tag).unwrap();
                let value = if order == b"MM" {
                    output[entry + 9]
                } else {
                    output[entry + 8]
                };
                assert_eq!(value, orientation, "{name}, {steps} => {format}");
                // Said once.
                assert_eq!(
                    output.windows(4).filter(|four| *four == tag).count(),
                    1,
                    "{name}, {steps} => {format}"
                );
            }
            let owner = made(&input, &format!("orient => {format}:metadata=copyright"));
            assert!(
                holds(&owner, OWNER) && !holds(&owner, CAMERA) && !holds(&owner, XMP),
                "{name} => {format}"
            );
        }
    }
    let thumbnail = read("camera/canon_hdr_NO.jpg");
    let output = made(&thumbnail, "orient | resize:100 => jpeg:metadata=keep");
    let starts = output.windows(3).filter(|three| *three == b"\xff\xd8\xff").count();
    assert_eq!(starts, 1, "the thumbnail shows what was");
}

#[test]
fn avif_carries_what_is_kept_in_items_of_their_own() {
    for name in ["color/p3.jpg", "color/p3.webp"] {
        let output = made(&read(name), "orient => avif:effort=0,metadata=keep,profile=keep");
        assert!(
            [OWNER, CAMERA, XMP, PROFILE].iter().all(|what| holds(&output, what)),
            "{name}"
        );
        for what in [
            &b"cdsc"[..],
            b"infe\x02\0\0\0\0\x02\0\0Exif\0",
            b"application/rdf+xml\0",
            b"colrprof",
        ] {
            assert!(holds(&output, what), "{name}: {what:?}");
        }
        let owner = made(&read(name), "orient => avif:effort=0,metadata=copyright");
        assert!(holds(&owner, OWNER) && !holds(&owner, CAMERA) && !holds(&owner, XMP) && !holds(&owner, b"colrprof"));
    }
}

#[test]
fn exif_that_went_through_a_tiff_is_what_it_was() {
    let input = read("camera/DSCN0025.jpg");
    let tiff = made(&input, "orient | resize:64 => tiff:metadata=keep");
    // A camera's directory and a place's, each in the byte order of the file.
    let again = made(&tiff, "orient => jpeg:metadata=keep");
    for what in [&b"NIKON"[..], b"COOLPIX", b"2008:10:22 16:43:21"] {
        assert!(holds(&tiff, what) && holds(&again, what), "{what:?}");
    }
    let place = |file: &[u8]| file.windows(4).filter(|four| *four == [0x25, 0x88, 4, 0]).count();
    assert_eq!((place(&tiff), place(&again)), (1, 1));
    assert!(!holds(&made(&tiff, "orient => jpeg"), b"NIKON"));
    let owner = made(&read("color/p3.jpg"), "orient => tiff:metadata=copyright");
    assert!(holds(&owner, OWNER) && !holds(&owner, CAMERA) && !holds(&owner, XMP));
    assert!(holds(&made(&owner, "orient => jpeg:metadata=copyright"), OWNER));
}

#[test]
fn what_cannot_be_kept_is_said() {
    let milled = mill(&read("color/p3.jpg"), "orient => auto:metadata=keep").unwrap();
    assert!(milled.warnings.is_empty(), "{:?}", milled.warnings);
    let ico = mill(&read("formats/still.gif"), "orient => same:metadata=keep").unwrap();
    assert!(
        ico.warnings.iter().any(|warning| warning.contains("metadata")),
        "{:?}",
        ico.warnings
    );
    let damaged = mill(&read("color/damaged.png"), "invert").unwrap();
    assert!(
        damaged.warnings.iter().any(|warning| warning.contains("profile")),
        "{:?}",
        damaged.warnings
    );
}

#[test]
fn a_profile_is_kept_on_request_and_the_pixels_with_it() {
    let input = read("color/p3.png");
    let untouched = Picture::from_png(&input);
    for format in ["png", "webp:lossless=true", "tiff"] {
        let format = if format.contains(':') {
            format!("{format},profile=keep")
        } else {
            format!("{format}:profile=keep")
        };
        let kept = made(&input, &format!("flip | flip => {format}"));
        // Not converted, so converting it now gives what converting at once does.
        let late = Picture::from_png(&made(&kept, "flip | flip => png"));
        let at_once = Picture::from_png(&made(&input, "flip | flip => png"));
        assert_eq!(late, at_once, "{format}");
        assert!(psnr(&at_once, &untouched) < 40.0);
    }
    let jpeg = made(&input, "flip | flip => jpeg:100,profile=keep");
    assert!(holds(&jpeg, PROFILE) && holds(&jpeg, b"ICC_PROFILE"));
    // Gray pixels and a profile of RGB do not go together, nor do a gray profile and a WebP, which is always of three
    // colours: they become sRGB then.
    for (name, steps, format) in [
        ("color/p3.png", "grayscale", "png"),
        ("color/prophoto.png", "grayscale", "png"),
        ("color/gray.png", "flip | flip", "webp:lossless=true"),
    ] {
        let input = read(name);
        let keeping = match format {
            "png" => "png:profile=keep",
            _ => "webp:lossless=true,profile=keep",
        };
        let milled = mill(&input, &format!("{steps} => {keeping}")).unwrap();
        let (kept, format) = (&milled.outputs[0].bytes, milled.outputs[0].format);
        assert!(!holds(kept, PROFILE) && !holds(kept, b"ICCP"), "{name}");
        let converted = made(&input, &format!("{steps} | flip | flip => png"));
        let converted = colours(&Picture::from_png(&converted));
        assert_eq!(colours(&Picture::decode(format, kept)), converted, "{name}");
        assert!(
            milled
                .warnings
                .iter()
                .any(|warning| warning.contains("sRGB") || warning.contains("left out")),
            "{name}: {:?}",
            milled.warnings
        );
    }
}

#[test]
fn luma_is_taken_of_pixels_whose_gray_the_profile_leaves_as_it_is() {
    let default = "orient | grayscale | blur:2";
    assert_eq!(ran(&read("color/p3.jpg"), default), ["stream"]);
    assert_eq!(ran(&read("color/srgb.jpg"), default), ["stream"]);
    // Colour is converted, behind what makes the picture smaller.
    assert_eq!(
        ran(&read("color/p3.jpg"), "blur:1 => png"),
        ["decode", "to_srgb", "blur", "encode"]
    );
    assert_eq!(
        ran(&read("color/p3.jpg"), "resize:64 => png"),
        ["decode", "resize", "to_srgb", "encode"]
    );
    assert_eq!(
        ran(&read("color/srgb.jpg"), "blur:1 => png"),
        ["decode", "blur", "encode"]
    );
    // Gray of another curve is not what it seems.
    assert_eq!(
        ran(&read("color/gray.jpg"), default),
        ["decode", "to_srgb", "blur", "encode"]
    );
    // A curve that makes gray lighter is heeded before colour is taken out.
    assert_eq!(
        ran(&read("color/prophoto.png"), "grayscale"),
        ["decode", "to_srgb", "grayscale", "encode"]
    );
    // The decoder takes luma of the pixels as they are.
    assert_eq!(ran(&read("color/p3.png"), "grayscale"), ["decode", "encode"]);
}

#[test]
fn conversion_behind_a_resize_is_conversion_before_it() {
    let input = read("color/adobe.png");
    let behind = Picture::from_png(&made(&input, "resize:40 => png"));
    let converted = made(&input, "flip | flip => png");
    let before = Picture::from_png(&made(&converted, "resize:40 => png"));
    let found = psnr(&behind, &before);
    assert!(found > 42.0, "{found:.1} dB");
}

#[test]
fn a_jpeg_that_is_only_stripped_is_copied() {
    let stripped = "orient => jpeg";
    for name in [
        "color/srgb.jpg",
        "bench/progressive_2mp.jpg",
        "bench/restart_markers_0.3mp.jpg",
        "bench/gray_2mp.jpg",
        "camera/DSCN0025.jpg",
    ] {
        let input = read(name);
        // Left on its side, where it is.
        let recipe = if name.starts_with("color") { "=> jpeg" } else { stripped };
        assert_eq!(ran(&input, recipe), ["copy"], "{name}");
        let output = made(&input, recipe);
        let pixels = |file: &[u8]| Picture::decode(ImageFormat::Jpeg, file);
        assert_eq!(pixels(&output), pixels(&input), "{name}");
        assert_eq!(
            probe(&output).unwrap().orientation,
            probe(&input).unwrap().orientation,
            "{name}"
        );
        for what in [OWNER, CAMERA, XMP, PROFILE, b"secret", b"NIKON", b"GPS"] {
            assert!(!holds(&output, what), "{name}: {what:?}");
        }
        for length in [input.len() - 1, input.len() / 2, 700] {
            let code = mill(&input[..length], recipe).unwrap_err().to_failure().code;
            assert_eq!(
                code,
                pixmill_types::FailureCode::ImageTruncated,
                "{name} cut to {length}"
            );
        }
    }
    let kept = made(&read("color/srgb.jpg"), "=> jpeg:metadata=keep");
    assert!(holds(&kept, OWNER) && holds(&kept, XMP) && !holds(&kept, b"secret"));
    let asked = ran(&read("color/srgb.jpg"), "=> jpeg:75");
    assert_eq!(asked, ["decode", "encode"], "a quality was asked for");
    let plan = plan(
        &probe(&read("color/srgb.jpg")).unwrap(),
        &"=> jpeg".parse().unwrap(),
        &Limits::default(),
    )
    .unwrap();
    assert!(plan.to_string().contains("pixels as they are"), "{plan}");
}

#[test]
fn auto_chooses_by_content() {
    for (name, steps, expected) in [
        ("photos/kodak_14.png", "orient", ImageFormat::Jpeg),
        ("photos/kodak_14.png", "grayscale", ImageFormat::Jpeg),
        ("bench/photo_0.3mp.jpg", "blur:2", ImageFormat::Jpeg),
        ("webp/lossless_alpha.webp", "orient", ImageFormat::Webp),
        ("photos/kodak_14.png", "threshold", ImageFormat::Png),
        ("formats/still.gif", "orient", ImageFormat::Png),
        ("formats/holes.gif", "orient", ImageFormat::Png),
        ("pngsuite/basn3p08.png", "orient", ImageFormat::Png),
        // Lines on a ground that does not change.
        (
            "pngsuite/basn0g04.png",
            "resize:900,filter=nearest,enlarge=true",
            ImageFormat::Png,
        ),
    ] {
        let output = &mill(&read(name), &format!("{steps} => auto")).unwrap().outputs[0];
        assert_eq!(output.format, expected, "{name}, {steps}");
        assert_eq!(probe(&output.bytes).unwrap().format, expected, "{name}, {steps}");
    }
    let low = made(&read("photos/kodak_14.png"), "orient => auto:20");
    assert_eq!(low, made(&read("photos/kodak_14.png"), "orient => jpeg:20"));
}
