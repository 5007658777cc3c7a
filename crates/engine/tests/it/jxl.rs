//! JPEG XL in: exact where it was coded without loss, near where not; turned once, its colours heeded; refused by its head.

use std::sync::atomic::{AtomicUsize, Ordering};

use pixmill_engine::probe::{ColorModel, Profile, probe, probe_whole};
use pixmill_engine::{Control, EngineError, NeverStop};
use pixmill_types::{FailureCode, ImageFormat, LimitName, Limits};

use crate::memory::peak_of;
use crate::pixels::{Deep, Picture, psnr};
use crate::support::{files_in, mill, read, testdata};

fn made(input: &[u8], recipe: &str) -> Vec<u8> {
    mill(input, recipe).unwrap().outputs.remove(0).bytes
}

fn png(name: &str, recipe: &str) -> Picture {
    Picture::from_png(&made(&read(name), recipe))
}

#[test]
fn lossless_files_are_exactly_what_was_coded() {
    for (name, source) in [
        ("jxl/rgb.jxl", "formats/rgb.png"),
        ("jxl/boxes.jxl", "formats/rgb.png"),
        ("jxl/rgba.jxl", "formats/rgba.png"),
        ("jxl/gray.jxl", "formats/p5.pgm"),
    ] {
        assert_eq!(png(name, "orient => png"), png(source, "orient => png"), "{name}");
    }
    for (name, source) in [
        ("jxl/gray16.jxl", "formats/p5_65535.pgm"),
        ("jxl/rgb16.jxl", "jxl/rgb16.ppm"),
    ] {
        let deep = |name: &str| Deep::from_png(&made(&read(name), "orient => png"));
        assert_eq!(deep(name), deep(source), "{name}");
    }
    let both = png("jxl/gray_alpha.jxl", "orient => png");
    let gray = png("formats/p5.pgm", "orient => png");
    let alpha = png("formats/rgba.png", "orient => png");
    assert_eq!(both.channels, 2);
    for (pixel, (gray, rgba)) in both
        .samples
        .as_chunks::<2>()
        .0
        .iter()
        .zip(gray.samples.iter().zip(alpha.samples.as_chunks::<4>().0))
    {
        assert_eq!(*pixel, [*gray, rgba[3]]);
    }
}

#[test]
fn lossy_files_are_near_to_what_was_coded() {
    let lossy = psnr(
        &png("jxl/lossy.jxl", "orient => png"),
        &png("formats/rgb.png", "orient => png"),
    );
    assert!(lossy > 33.0, "{lossy:.1} dB");
    let photo = png("jxl/photo.jxl", "orient => png");
    let source = png("photos/kodak_23.png", "resize:600,height=300,fit=fill => png");
    let found = psnr(&photo, &source);
    assert!(found > 33.0, "{found:.1} dB");
}

#[test]
fn a_head_says_what_the_picture_is() {
    for (name, width, height, color, sixteen_bit) in [
        ("jxl/rgb.jxl", 64, 48, ColorModel::Rgb, false),
        ("jxl/rgba.jxl", 64, 48, ColorModel::Rgba, false),
        ("jxl/gray.jxl", 64, 48, ColorModel::Gray, false),
        ("jxl/gray_alpha.jxl", 64, 48, ColorModel::GrayAlpha, false),
        ("jxl/rgb16.jxl", 16, 12, ColorModel::Rgb, true),
        ("jxl/photo.jxl", 600, 300, ColorModel::Rgb, false),
        ("jxl/of_jpeg.jxl", 128, 96, ColorModel::Rgb, false),
    ] {
        let header = probe(&read(name)).unwrap();
        assert_eq!(header.format, ImageFormat::Jxl, "{name}");
        let found = (header.width, header.height, header.color, header.sixteen_bit);
        assert_eq!(found, (width, height, color, sixteen_bit), "{name}");
        assert!(!probe_whole(&read(name)).unwrap().multi_pass, "{name} is one frame");
    }
    assert!(probe_whole(&read("jxl/animated.jxl")).unwrap().multi_pass);
    assert!(probe(&read("jxl/prophoto.jxl")).unwrap().multi_pass, "it has a profile");
}

#[test]
fn an_orientation_is_turned_once() {
    assert_eq!(probe(&read("jxl/of_jpeg.jxl")).unwrap().orientation.as_exif(), 6);
    // The same coefficients without the profile of the JPEG, which is left as it is there.
    let upright = png("color/p3.jpg", "orient => png:profile=keep");
    let found = png("jxl/of_jpeg.jxl", "orient => png");
    assert_eq!((found.width, found.height), (96, 128));
    let near = psnr(&found, &upright);
    assert!(near > 40.0, "{near:.1} dB");
    // As it is, said in the file.
    let left = made(&read("jxl/of_jpeg.jxl"), "invert:0 => png");
    assert_eq!(probe(&left).unwrap().orientation.as_exif(), 6);
    assert_eq!(Picture::from_png(&made(&left, "orient => png")), found);
}

#[test]
fn exif_and_xmp_are_kept_on_request() {
    let holds = |file: &[u8], what: &[u8]| file.windows(what.len()).any(|window| window == what);
    let input = read("jxl/of_jpeg.jxl");
    let kept = made(&input, "orient => jpeg:metadata=keep");
    assert!(holds(&kept, b"A. Painter") && holds(&kept, b"adobe:ns:meta/"));
    assert_eq!(probe(&kept).unwrap().orientation.as_exif(), 1);
    let stripped = made(&input, "orient => jpeg");
    assert!(!holds(&stripped, b"A. Painter") && !holds(&stripped, b"adobe:ns:meta/"));
}

#[test]
fn colours_become_srgb_as_those_of_other_formats_do() {
    for (name, source, least) in [
        ("jxl/p3.jxl", "color/p3.png", 50.0),
        ("jxl/p3_lossy.jxl", "color/p3.png", 36.0),
        ("jxl/prophoto.jxl", "color/prophoto.png", 50.0),
    ] {
        assert!(
            matches!(probe_whole(&read(name)).unwrap().profile, Profile::Other { .. }),
            "{name}"
        );
        let found = psnr(&png(name, "flip => png"), &png(source, "flip => png"));
        assert!(found > least, "{name}: {found:.1} dB");
        let kept = made(&read(name), "orient => png:profile=keep");
        let late = psnr(
            &Picture::from_png(&made(&kept, "flip => png")),
            &png(name, "flip => png"),
        );
        assert!(late > 50.0, "{name}: {late:.1} dB");
    }
    assert_eq!(probe_whole(&read("jxl/rgb.jxl")).unwrap().profile, Profile::Srgb);
}

#[test]
fn of_an_animation_the_first_frame_is_taken_and_said() {
    let milled = mill(&read("jxl/animated.jxl"), "orient => png").unwrap();
    assert!(milled.warnings.iter().any(|warning| warning.contains("animation")));
    let first = Picture::from_png(&made(&read("formats/animated.png"), "orient => png:frames=first"));
    assert_eq!(Picture::from_png(&milled.outputs[0].bytes).seen(), first.seen());
}

#[test]
fn what_is_only_read_becomes_png() {
    assert_eq!(
        mill(&read("jxl/rgb.jxl"), "invert").unwrap().outputs[0].format,
        ImageFormat::Png
    );
}

/// Writes bits, the lowest of a byte first.
fn bits(numbers: &[(u32, u32)]) -> Vec<u8> {
    let mut bytes = b"\xff\x0a".to_vec();
    let mut at = 0;
    for (count, number) in numbers {
        for place in 0..*count {
            if at % 8 == 0 {
                bytes.push(0);
            }
            *bytes.last_mut().unwrap() |= ((number >> place & 1) as u8) << (at % 8);
            at += 1;
        }
    }
    bytes
}

/// Not small, a side of 18 bits, no ratio, and another.
const SQUARE_29_000: [(u32, u32); 6] = [(1, 0), (2, 2), (18, 28_999), (3, 0), (2, 2), (18, 28_999)];

#[test]
fn a_declared_size_is_refused_before_anything_is_allocated() {
    let rest = [&bits(&[&SQUARE_29_000[..], &[(1, 1)]].concat())[..], &[0; 100]].concat();
    match mill(&rest, "orient => png") {
        Err(EngineError::Limit(exceeded)) => {
            assert_eq!((exceeded.name, exceeded.actual), (LimitName::Pixels, 29_000 * 29_000));
        }
        other => panic!("{other:?}"),
    }
    // Within the limit of pixels, too large for that of memory.
    let square_9_000 = [(1, 0), (2, 2), (18, 8_999), (3, 1), (1, 1)];
    match mill(&[&bits(&square_9_000)[..], &[0; 100]].concat(), "orient => png") {
        Err(EngineError::Limit(exceeded)) => assert_eq!(exceeded.name, LimitName::TaskMemoryBytes),
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_than_alpha_beside_colours_is_refused_with_its_reason() {
    // 8 x 8, nothing by default, no extra fields, 8 bits, 16 suffice.
    let head = [(1, 1), (5, 0), (3, 1), (1, 0), (1, 0), (1, 0), (2, 0), (1, 1)];
    // Two extra channels; one that is no alpha.
    let two = [(2, 2), (4, 0)];
    let depth = [(2, 1), (1, 0), (2, 1)];
    for extra in [&two[..], &depth] {
        let file = [&bits(&[&head[..], extra].concat())[..], &[0; 100]].concat();
        let error = probe(&file).unwrap_err();
        assert_eq!(error.to_failure().code, FailureCode::ImageUnsupported, "{error}");
        assert!(error.to_string().contains("alpha"), "{error}");
    }
}

#[test]
fn every_prefix_is_truncated() {
    for (name, file) in files_in("jxl") {
        // At every byte of small files, at some of others.
        let step = (file.len() / 400).max(1);
        if !name.ends_with(".jxl") {
            continue;
        }
        let whole = made(&file, "orient => png");
        for length in (5..file.len()).step_by(step) {
            match mill(&file[..length], "orient => png") {
                // Bytes may follow that no pixel of the first frame depends on.
                Ok(milled) => assert!(
                    milled.outputs[0].bytes == whole && (name == "animated.jxl" || length + 16 > file.len()),
                    "{name} cut to {length} of {}",
                    file.len()
                ),
                Err(error) => assert_eq!(
                    error.to_failure().code,
                    FailureCode::ImageTruncated,
                    "{name} cut to {length} of {}: {error}",
                    file.len()
                ),
            }
        }
    }
}

#[test]
fn damage_gives_a_result_or_a_code() {
    for name in ["jxl/rgba.jxl", "jxl/lossy.jxl", "jxl/of_jpeg.jxl", "jxl/gray_alpha.jxl"] {
        let file = read(name);
        for at in (0..file.len()).step_by(1 + file.len() / 800) {
            for change in [0x01, 0x80] {
                let mut damaged = file.clone();
                damaged[at] ^= change;
                if let Err(EngineError::Internal(message)) = mill(&damaged, "orient | resize:8 => png:metadata=keep") {
                    panic!("{name}: {message}");
                }
            }
        }
    }
}

#[test]
fn decoding_stops_between_groups() {
    struct StopAt(AtomicUsize, usize);
    impl Control for StopAt {
        fn should_stop(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) + 1 >= self.1
        }
    }
    let input = read("jxl/photo.jxl");
    let recipe = "orient => png".parse().unwrap();
    let run = |control: &dyn Control| pixmill_engine::mill(&input, &recipe, &Limits::default(), control);
    assert!(run(&NeverStop).is_ok());
    let mut stopped = 0;
    for at in 1.. {
        match run(&StopAt(AtomicUsize::new(0), at)) {
            Err(EngineError::Stopped) => stopped += 1,
            Ok(_) => break,
            Err(error) => panic!("asked {at} times: {error}"),
        }
    }
    // Six groups, and the stages around them.
    assert!(stopped > 6 + 4, "{stopped}");
}

/// Found by the fuzzer: the decoder made room for frames of 100 thousand megapixels while it was asked how many there are.
#[test]
fn a_head_of_enormous_sides_takes_no_memory() {
    let seeds = testdata("../fuzz/seeds");
    for name in ["jpeg/enormous.jxl", "probe/enormous.jxl"] {
        let file = std::fs::read(seeds.join(name)).unwrap();
        let peak = peak_of(|| drop(probe_whole(&file)));
        assert!(peak < 1 << 20, "{name}: {peak} bytes");
    }
}
