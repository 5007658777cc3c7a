//! Damaged, cut off, enormous and malicious files: a result or a coded reason, never a panic, never half a picture.

use pixmill_engine::probe::{Streaming, probe};
use pixmill_engine::{EngineError, Milled};
use pixmill_types::{FailureCode, ImageFormat};

use crate::pixels::{Picture, psnr};
use crate::support::{files_in, mill, read};

const RECIPE: &str = "orient | grayscale | blur:2";
/// Decodes every channel.
const COLOUR: &str = "blur:0.5 => png";

/// Mills and panics on what no input may bring about.
fn outcome(name: &str, input: &[u8], recipe: &str) -> Result<Milled, FailureCode> {
    match mill(input, recipe) {
        Ok(milled) => Ok(milled),
        Err(EngineError::Internal(message)) => panic!("{name}: {message}"),
        Err(error) => Err(error.to_failure().code),
    }
}

/// A small file of a format, made from a real picture.
fn small(format: &str) -> Vec<u8> {
    let recipe = format!("resize:40 => {format}");
    mill(&read("photos/kodak_23.png"), &recipe)
        .unwrap()
        .outputs
        .remove(0)
        .bytes
}

#[test]
fn hostile_files_give_a_result_or_a_code() {
    let mut milled = 0;
    for folder in ["hostile", "hostile/jpeg", "hostile/png"] {
        for (name, bytes) in files_in(folder) {
            for recipe in [RECIPE, COLOUR] {
                milled += usize::from(outcome(&name, &bytes, recipe).is_ok());
            }
        }
    }
    // Five are merely odd; if none came through, the test would show nothing.
    assert_eq!(milled, 5 * 2);
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    for name in ["hostile/bomb_65536.png", "hostile/bomb_65500.jpg"] {
        assert_eq!(
            outcome(name, &read(name), RECIPE).unwrap_err(),
            FailureCode::LimitExceeded
        );
    }
}

#[test]
fn a_body_cut_off_is_truncated_not_gray() {
    for name in ["hostile/body_cut.jpg", "hostile/body_cut.png", "hostile/body_cut.webp"] {
        for recipe in [RECIPE, COLOUR] {
            assert_eq!(
                outcome(name, &read(name), recipe).unwrap_err(),
                FailureCode::ImageTruncated,
                "{name}"
            );
        }
    }
}

#[test]
fn every_prefix_of_a_small_file_is_truncated_until_its_pixels_are_whole() {
    // What may be missing: of PNG its IEND and the checksums before it, of WebP last bits that decide nothing.
    for (format, recognised_from, may_be_missing) in [("jpeg", 1, 0), ("png", 1, 24), ("webp", 4, 5)] {
        let file = small(format);
        let whole = Picture::from_png(&mill(&file, COLOUR).unwrap().outputs[0].bytes);
        for length in recognised_from..file.len() {
            match outcome(format, &file[..length], COLOUR) {
                Ok(milled) => {
                    let missing = file.len() - length;
                    assert!(missing <= may_be_missing, "{format} without its last {missing} bytes");
                    assert_eq!(Picture::from_png(&milled.outputs[0].bytes), whole, "{format}");
                }
                Err(code) => {
                    assert_eq!(
                        code,
                        FailureCode::ImageTruncated,
                        "{format} cut to {length} of {}",
                        file.len()
                    );
                }
            }
        }
    }
}

#[test]
fn every_prefix_of_a_png_is_truncated_where_luma_alone_is_read() {
    let file = small("png");
    let gray = "grayscale => png";
    let whole = Picture::from_png(&mill(&file, gray).unwrap().outputs[0].bytes);
    for length in 1..file.len() {
        match outcome("png", &file[..length], gray) {
            Ok(milled) => {
                assert!(file.len() - length <= 24, "cut to {length} of {}", file.len());
                assert_eq!(Picture::from_png(&milled.outputs[0].bytes), whole);
            }
            Err(code) => assert_eq!(code, FailureCode::ImageTruncated, "cut to {length}"),
        }
    }
}

#[test]
fn every_prefix_is_truncated_wherever_the_core_reads_it() {
    let file = small("jpeg");
    for recipe in [
        RECIPE,
        "grayscale | blur:5",
        "grayscale | resize:10 => png",
        "resize:5 => png",
    ] {
        mill(&file, recipe).unwrap();
        for length in 1..file.len() {
            assert_eq!(
                outcome("jpeg", &file[..length], recipe).unwrap_err(),
                FailureCode::ImageTruncated,
                "{recipe}: cut to {length} of {}",
                file.len()
            );
        }
    }
}

#[test]
fn prefixes_of_every_kind_of_jpeg_are_truncated() {
    for name in [
        "bench/photo_0.3mp.jpg",
        "bench/restart_markers_0.3mp.jpg",
        "bench/progressive_2mp.jpg",
        "bench/gray_2mp.jpg",
        "bench/cmyk_2mp.jpg",
    ] {
        let file = read(name);
        let cuts = (1..=9)
            .map(|tenth| file.len() * tenth / 10)
            .chain([file.len() - 3, file.len() - 2, file.len() - 1]);
        for length in cuts {
            let code = outcome(name, &file[..length], RECIPE).unwrap_err();
            assert_eq!(
                code,
                FailureCode::ImageTruncated,
                "{name} cut to {length} of {} bytes",
                file.len()
            );
        }
    }
}

#[test]
fn a_jpeg_that_ends_early_but_in_form_is_not_painted_over() {
    for name in [
        "bench/photo_0.3mp.jpg",
        "bench/restart_markers_0.3mp.jpg",
        "bench/gray_2mp.jpg",
    ] {
        let file = read(name);
        for part in [3, 6, 9] {
            let mut cut = file[..file.len() * part / 10].to_vec();
            if cut.last() == Some(&0xff) {
                cut.pop();
            }
            cut.extend_from_slice(&[0xff, 0xd9]);
            for recipe in [RECIPE, COLOUR] {
                let code = outcome(name, &cut, recipe).unwrap_err();
                assert!(
                    matches!(code, FailureCode::ImageCorrupt | FailureCode::ImageTruncated),
                    "{name}: {code}"
                );
            }
        }
    }
}

#[test]
fn a_rare_jpeg_that_ends_early_but_in_form_is_not_painted_over() {
    let is_rare = |file: &[u8]| probe(file).unwrap().streaming == Streaming::Rare;
    let files: Vec<_> = files_in("rare_jpeg")
        .into_iter()
        .filter(|(_, file)| is_rare(file))
        .collect();
    assert_eq!(files.len(), 19);
    for (name, file) in files {
        let last_scan = file.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
        for part in 2..=9 {
            let mut cut = file[..last_scan + (file.len() - last_scan) * part / 10].to_vec();
            if cut.last() == Some(&0xff) {
                cut.pop();
            }
            cut.extend_from_slice(&[0xff, 0xd9]);
            for recipe in [RECIPE, COLOUR] {
                let code = outcome(&name, &cut, recipe).map(drop).expect_err(&name);
                assert_eq!(code, FailureCode::ImageCorrupt, "{name}");
            }
        }
    }
}

#[test]
fn bytes_may_fill_up_a_jpeg_before_its_end() {
    for (name, file) in files_in("rare_jpeg") {
        let (body, end) = file.split_at(file.len() - 2);
        let filled = [body, &[0xff; 3], end].concat();
        let made = |file: &[u8]| outcome(&name, file, COLOUR).unwrap().outputs.remove(0).bytes;
        assert!(made(&filled) == made(&file), "{name}");
    }
}

#[test]
fn bytes_after_the_end_of_a_jpeg_are_ignored() {
    let whole = read("bench/photo_0.3mp.jpg");
    let expected = mill(&whole, RECIPE).unwrap().outputs.remove(0).bytes;
    for tail in [&b"\0"[..], b"\xff", b"\xff\xd8\xff\xe0", b"<html>", &whole] {
        let longer = [&whole[..], tail].concat();
        assert_eq!(mill(&longer, RECIPE).unwrap().outputs[0].bytes, expected);
    }
}

#[test]
fn damage_anywhere_gives_a_result_or_a_code() {
    for format in ["jpeg", "png", "webp"] {
        let file = small(format);
        for at in 0..file.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[at] ^= change;
                let _either = outcome(format, &damaged, RECIPE);
                let _any = outcome(format, &damaged, "resize:10 => png");
            }
        }
    }
}

#[test]
fn the_content_decides_what_a_file_is() {
    let milled = mill(&read("hostile/png_named.jpg"), RECIPE).unwrap();
    assert_eq!(milled.outputs[0].format, ImageFormat::Png);
}

#[test]
fn the_pngs_of_the_suite_are_read_and_the_broken_ones_refused() {
    for (name, bytes) in files_in("pngsuite") {
        if !name.ends_with(".png") {
            continue;
        }
        let outcome = outcome(&name, &bytes, "orient => png");
        if name.starts_with('x') {
            let code = outcome.unwrap_err();
            assert!(
                matches!(code, FailureCode::ImageCorrupt | FailureCode::NotAnImage),
                "{name}: {code}"
            );
            continue;
        }
        let rendered = &outcome.unwrap().outputs[0];
        let (made, source) = (Picture::from_png(&rendered.bytes), Picture::from_png(&bytes));
        assert_eq!(psnr(&made, &source), f64::INFINITY, "{name}");
    }
}
