//! The formats beside JPEG, PNG and WebP: what is written is read back, limits hold before anything is allocated,
//! damaged files give a reason.

use pixmill_engine::EngineError;
use pixmill_engine::probe::probe;
use pixmill_types::{FailureCode, ImageFormat, LimitName, Limits};

use crate::pixels::{Deep, Picture, psnr};
use crate::support::{files_in, mill, read};

fn made(input: &[u8], recipe: &str) -> Vec<u8> {
    mill(input, recipe).unwrap().outputs.remove(0).bytes
}

#[test]
fn what_is_written_without_loss_is_read_back() {
    for format in [
        "bmp",
        "qoi",
        "tiff",
        "tiff:compression=lzw",
        "tiff:compression=none",
        "webp:lossless=true",
        "png:effort=0",
        "png:effort=3",
    ] {
        for name in [
            "formats/rgb.png",
            "formats/rgba.png",
            "photos/kodak_14.png",
            "pngsuite/basn0g04.png",
        ] {
            let input = read(name);
            let written = made(&input, &format!("orient => {format}"));
            let before = Picture::from_png(&made(&input, "orient => png"));
            let after = Picture::from_png(&made(&written, "orient => png"));
            // Gray becomes colour where a format has no gray.
            let comparable = if before.channels == after.channels {
                before
            } else {
                Picture {
                    channels: 3,
                    samples: before.samples.iter().flat_map(|level| [*level; 3]).collect(),
                    ..before
                }
            };
            assert_eq!(after, comparable, "{name} as {format}");
        }
    }
}

#[test]
fn sixteen_bits_go_through_tiff() {
    for name in ["basn0g16", "basn2c16", "basn4a16", "basn6a16"] {
        let input = read(&format!("pngsuite/{name}.png"));
        for compression in ["deflate", "lzw", "none"] {
            let tiff = made(&input, &format!("orient => tiff:compression={compression}"));
            let again = Deep::from_png(&made(&tiff, "orient => png"));
            assert_eq!(again, Deep::from_png(&input), "{name}, {compression}");
        }
    }
    assert_eq!(
        Deep::from_png(&made(&read("formats/gray16_big_endian.tiff"), "orient => png")),
        Deep::from_png(&made(&read("formats/p5_65535.pgm"), "orient => png"))
    );
}

#[test]
fn a_gif_keeps_few_colours_exactly_and_many_nearly() {
    let few = read("formats/still.gif");
    let whole = Picture::from_png(&made(&few, "orient => png"));
    assert_eq!(Picture::from_png(&made(&made(&few, "orient"), "orient => png")), whole);
    let holes = read("formats/holes.gif");
    let with_holes = Picture::from_png(&made(&holes, "orient => png"));
    let again = Picture::from_png(&made(&made(&holes, "orient"), "orient => png"));
    assert_eq!(again.channels, 4);
    assert_eq!(again.seen(), with_holes.seen());

    let photo = read("photos/kodak_23.png");
    let whole = Picture::from_png(&photo);
    // Pillow's median cut reaches 31.1 dB at 256 colours, not dithered.
    for (recipe, least, most_colors) in [
        ("gif:dither=false", 33.0, 256),
        ("gif", 30.0, 256),
        ("gif:colors=16,dither=false", 24.0, 16),
        ("gif:colors=2", 8.0, 2),
    ] {
        let gif = made(&photo, &format!("orient => {recipe}"));
        let picture = Picture::from_png(&made(&gif, "orient => png"));
        let found = psnr(&picture, &whole);
        let colors: std::collections::HashSet<_> = picture.samples.as_chunks::<3>().0.iter().collect();
        assert!(found >= least, "{recipe}: {found:.1} dB");
        assert!(colors.len() <= most_colors, "{recipe}: {} colours", colors.len());
        assert_eq!(made(&photo, &format!("orient => {recipe}")), gif, "{recipe}");
    }
}

#[test]
fn avif_is_written_smaller_at_lower_quality() {
    let photo = read("formats/rgba.png");
    let sizes = ["avif:20,effort=0", "avif:80,effort=0"].map(|format| {
        let file = made(&photo, &format!("orient => {format}"));
        assert_eq!(&file[4..12], b"ftypavif");
        // The property with the sides of the picture (ISO/IEC 23008-12, 6.5.3).
        let extent = file.windows(4).position(|four| four == b"ispe").unwrap();
        assert_eq!(file[extent + 8..extent + 16], [0, 0, 0, 64, 0, 0, 0, 48]);
        file.len()
    });
    assert!(sizes[0] < sizes[1], "{sizes:?}");
}

#[test]
fn an_orientation_that_a_format_cannot_hold_is_turned() {
    let input = read("orientation/exif_6.png");
    let upright = Picture::from_png(&made(&input, "orient => png"));
    for format in ["gif:dither=false", "bmp", "qoi"] {
        let output = mill(&input, &format!("invert:0 => {format}"))
            .unwrap()
            .outputs
            .remove(0);
        assert_eq!((output.width, output.height), (96, 128), "{format}");
        if format != "gif:dither=false" {
            assert_eq!(
                Picture::from_png(&made(&output.bytes, "orient => png")),
                upright,
                "{format}"
            );
        }
    }
    // TIFF holds it; turning happens once, when the recipe says so.
    let tiff = made(&input, "invert:0 => tiff");
    assert_eq!(probe(&tiff).unwrap().orientation.as_exif(), 6);
    assert_eq!(Picture::from_png(&made(&tiff, "orient => png")), upright);
}

#[test]
fn what_is_only_read_becomes_png() {
    for name in ["formats/png.ico", "formats/p6.ppm"] {
        assert_eq!(
            mill(&read(name), "invert").unwrap().outputs[0].format,
            ImageFormat::Png,
            "{name}"
        );
    }
}

#[test]
fn further_pages_are_noted() {
    let milled = mill(&read("formats/pages.tiff"), "invert").unwrap();
    assert!(
        milled.warnings.iter().any(|warning| warning.contains("pages")),
        "{:?}",
        milled.warnings
    );
}

/// A file of every format that declares sides far beyond what follows.
fn declared_huge() -> Vec<(&'static str, Vec<u8>)> {
    let changed = |name: &str, at: usize, bytes: &[u8]| {
        let mut file = read(name);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let long = 29_000_u32;
    let tiff = |name: &str| {
        let mut file = read(name);
        for tag in [256_u16, 257] {
            let entry = (8..file.len() - 12)
                .find(|at| {
                    let kind = u16::from_le_bytes([file[at + 2], file[at + 3]]);
                    file[*at..at + 2] == tag.to_le_bytes()
                        && matches!(kind, 3 | 4)
                        && file[at + 4..at + 8] == [1, 0, 0, 0]
                })
                .unwrap();
            file[entry + 8..entry + 12].copy_from_slice(&long.to_le_bytes());
            file[entry + 2..entry + 4].copy_from_slice(&4_u16.to_le_bytes());
        }
        file
    };
    let short = (long as u16).to_le_bytes();
    vec![
        ("gif", changed("formats/still.gif", 6, &[short, short].concat())),
        (
            "bmp",
            changed(
                "formats/rgb24.bmp",
                18,
                &[long.to_le_bytes(), long.to_le_bytes()].concat(),
            ),
        ),
        (
            "rle",
            changed(
                "formats/rle8.bmp",
                18,
                &[long.to_le_bytes(), long.to_le_bytes()].concat(),
            ),
        ),
        (
            "qoi",
            changed("formats/rgb.qoi", 4, &[long.to_be_bytes(), long.to_be_bytes()].concat()),
        ),
        ("pnm", b"P6 29000 29000 255\n".to_vec()),
        ("plain", b"P3 29000 29000 255\n1 2 3 ".to_vec()),
        (
            "pam",
            b"P7\nWIDTH 29000\nHEIGHT 29000\nDEPTH 4\nMAXVAL 65535\nENDHDR\n".to_vec(),
        ),
        ("tiff", tiff("formats/rgb_tiles.tiff")),
        ("lzw", tiff("formats/rgb_lzw.tiff")),
        (
            "ico",
            changed(
                "formats/bitmap.ico",
                ico_picture(),
                &[long.to_le_bytes(), (2 * long).to_le_bytes()].concat(),
            ),
        ),
    ]
}

/// Where the sides of the picture that is taken are in the header of its bitmap.
fn ico_picture() -> usize {
    let file = read("formats/bitmap.ico");
    let entry = (0..2).map(|index| 6 + index * 16).max_by_key(|at| file[*at]).unwrap();
    u32::from_le_bytes(file[entry + 12..entry + 16].try_into().unwrap()) as usize + 4
}

#[test]
fn a_declared_size_is_refused_before_anything_is_allocated() {
    for (name, file) in declared_huge() {
        match mill(&file, "orient => png") {
            Err(EngineError::Limit(exceeded)) => {
                assert_eq!(exceeded.name, LimitName::Pixels, "{name}");
                assert_eq!(exceeded.actual, 29_000 * 29_000, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
        // Run lengths may end early and a frame be small: the rest is as it was.
        if matches!(name, "rle" | "gif") {
            continue;
        }
        // With room for it, it is found to be cut off or damaged.
        let roomy = Limits {
            max_pixels: u64::MAX,
            max_output_pixels: u64::MAX,
            max_task_memory_bytes: u64::MAX,
            ..Limits::default()
        };
        let recipe = "orient => png".parse().unwrap();
        let code = pixmill_engine::mill(&file, &recipe, &roomy, &pixmill_engine::NeverStop)
            .expect_err(name)
            .to_failure()
            .code;
        assert!(
            matches!(code, FailureCode::ImageTruncated | FailureCode::ImageCorrupt),
            "{name}: {code}"
        );
    }
}

#[test]
fn frames_of_a_gif_count_against_the_limits() {
    let header = probe(&read("formats/animated.gif")).unwrap();
    let limits = Limits {
        max_pixels: 4 * 16 * 12 - 1,
        ..Limits::default()
    };
    match header.check(&limits) {
        Err(EngineError::Limit(exceeded)) => assert_eq!((exceeded.name, exceeded.actual), (LimitName::Pixels, 768)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_prefix_gives_the_picture_or_says_that_it_is_cut_off() {
    for (name, file) in files_in("formats") {
        // Of an animation some frames may be left.
        if name.ends_with(".png") || name.starts_with("animated") {
            continue;
        }
        let whole = made(&file, "orient => png");
        // Letters alone are text, and the first zeros of an icon nothing.
        let recognised_from = if name.ends_with(".ico") { 4 } else { 3 };
        for length in recognised_from..file.len() {
            match mill(&file[..length], "orient => png") {
                // Of a number at the end nobody knows whether it has lost a digit.
                Ok(_) if matches!(&*name, "p2.pgm" | "p3.ppm") && length + 4 > file.len() => {}
                Ok(milled) => assert!(
                    milled.outputs[0].bytes == whole,
                    "{name} cut to {length} of {}",
                    file.len()
                ),
                Err(EngineError::Internal(message)) => panic!("{name} cut to {length}: {message}"),
                Err(error) => {
                    let code = error.to_failure().code;
                    let is_said = code == FailureCode::ImageTruncated
                        // What is left of a plain header may be text, and of an offset none.
                        || length < 32 && matches!(code, FailureCode::NotAnImage | FailureCode::ImageCorrupt);
                    assert!(is_said, "{name} cut to {length} of {}: {code}: {error}", file.len());
                }
            }
        }
    }
}

#[test]
fn changed_bytes_give_a_result_or_a_code() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let files = ["formats", "color", "webp", "jxl"].map(files_in).concat();
    for (name, file) in files {
        for _ in 0..100 {
            let mut changed = file.clone();
            for _ in 0..=random() % 4 {
                // The header is where lies do most.
                let reach = if random().is_multiple_of(2) {
                    64
                } else {
                    file.len() as u64
                };
                let at = (random() % reach.min(file.len() as u64)) as usize;
                changed[at] = random() as u8;
            }
            for recipe in [
                "orient | resize:8 => png:metadata=keep",
                "=> auto:metadata=copyright,profile=keep",
            ] {
                if let Err(EngineError::Internal(message)) = mill(&changed, recipe) {
                    panic!("{name}: {message}");
                }
            }
        }
    }
}

#[test]
fn a_jpeg_is_read_however_its_components_are_laid_out() {
    let source = "crop:137,height=103,left=200,top=100";
    let original = |steps: &str| {
        let made = mill(&read("photos/kodak_23.png"), &format!("{source}{steps} => png")).unwrap();
        Picture::decode(ImageFormat::Png, &made.outputs[0].bytes)
    };
    let (coloured, gray) = (original(""), original(" | grayscale"));
    let files = files_in("rare_jpeg");
    assert_eq!(files.len(), 25);
    for (name, input) in files {
        // The default job, whole and small pictures, in colour and gray.
        mill(&input, "orient | grayscale | blur:2").unwrap_or_else(|error| panic!("{name}: {error}"));
        for (steps, expected, least) in [("", &coloured, 32.0), ("grayscale", &gray, 36.0)] {
            let milled = mill(&input, &format!("{steps} => png")).unwrap_or_else(|error| panic!("{name}: {error}"));
            let distance = psnr(&Picture::decode(ImageFormat::Png, &milled.outputs[0].bytes), expected);
            assert!(distance >= least, "{name} {steps}: {distance:.1} dB");
        }
        let small = mill(&input, "resize:40 => png").unwrap();
        let whole = mill(&read("photos/kodak_23.png"), &format!("{source} | resize:40 => png")).unwrap();
        let decode = |milled: &pixmill_engine::Milled| Picture::decode(ImageFormat::Png, &milled.outputs[0].bytes);
        let distance = psnr(&decode(&small), &decode(&whole));
        assert!(distance >= 30.0, "{name}, small: {distance:.1} dB");
    }
}

#[test]
fn a_rare_jpeg_that_is_cut_off_is_truncated() {
    for (name, input) in files_in("rare_jpeg") {
        for length in (input.len() / 3..input.len() - 2).step_by(613) {
            let error = mill(&input[..length], "=> png").map(drop).unwrap_err();
            assert_eq!(
                error.to_failure().code,
                FailureCode::ImageTruncated,
                "{name} cut to {length}: {error}"
            );
        }
    }
}
