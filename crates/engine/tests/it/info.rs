//! Facts about pictures, beside what the reference implementations say of the same pixels.
//!
//! The BlurHashes below are those of `blurhash-python` 1.2.2, which is the algorithm's own C, the ThumbHashes those of
//! `thumbhash` 0.1.1 on npm, the perceptual hashes those of `ImageHash` 4.3.2; what is transparent was laid on white for the
//! first and the last.

use pixmill_types::FileFormat;

use crate::pixels::Picture;
use crate::support::{mill, read};

/// The document of an output `info`.
fn info_of(input: &[u8], recipe: &str) -> String {
    let output = mill(input, recipe).unwrap().outputs.pop().unwrap();
    assert_eq!(output.format, FileFormat::Info);
    String::from_utf8(output.bytes).unwrap()
}

/// The value of the first member of that name, as it is written.
fn member<'a>(document: &'a str, name: &str) -> &'a str {
    let at = document
        .find(&format!("\"{name}\":"))
        .unwrap_or_else(|| panic!("no {name} in {document}"));
    let value = &document[at + name.len() + 3..];
    let end = value.find([',', '}']).filter(|_| !value.starts_with('"'));
    match end {
        Some(end) => &value[..end],
        None => value[1..].split('"').next().unwrap(),
    }
}

/// The halves of the bytes that a text in Base64 stands for, the lower ones first.
fn nibbles(base64: &str) -> Vec<u8> {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = base64
        .trim_end_matches('=')
        .chars()
        .map(|digit| format!("{:06b}", digits.find(digit).unwrap()))
        .collect();
    let halves = (0..bits.len() / 8 * 2).map(|half| half ^ 1);
    halves
        .map(|half| u8::from_str_radix(&bits[half * 4..][..4], 2).unwrap())
        .collect()
}

fn pictures() -> Vec<(&'static str, Vec<u8>)> {
    let photo = Picture::from_png(&read("photos/kodak_23.png"));
    let mut pictures = vec![
        ("landscape", photo.region(340, 120, 90, 60).to_png()),
        ("portrait", photo.region(100, 200, 48, 100).to_png()),
    ];
    for name in ["basn0g08", "basn2c08", "basn4a08", "basn6a08", "s01n3p01"] {
        pictures.push((name, read(&format!("pngsuite/{name}.png"))));
    }
    pictures
}

#[test]
fn hashes_are_those_of_the_reference_implementations() {
    let references = [
        (
            "landscape",
            "LFE_W{3l;5S}ozi|soODF^+wOXe.",
            "WDkCDYqZq6o+W4iGVxofS9CBBGxJ",
            Some(0xdea5_8a52_b455_ad4a_u64),
        ),
        (
            "portrait",
            "L67_4fOj-:NY^-D*%3IU_2Sb%MIU",
            "D/gFCwCnX+iIaXqnvUAMpUk=",
            Some(0xeeaa_e8aa_aa20_88bf),
        ),
        (
            "basn0g08",
            "L3HV9w_3of_3~qIUayayRjayfQay",
            "HwgaBwCHh4d4d3d3eIh3B4eHCAAAAAAA",
            None,
        ),
        (
            "basn2c08",
            "L~OWvnt7j[t7~8j[fQoLSDa|fRa{",
            "7/cNTwx5eIh/eHiCiNiHV4iLh+j3iH8E",
            None,
        ),
        (
            "basn4a08",
            "LqNKFy~qxuxu~qM{RjayxuRjfQfQ",
            "HwiOBQA3d3hPeHiIhwAAAAAAgId3iIeIiA==",
            None,
        ),
        (
            "basn6a08",
            "L.M[vK^mxbxu|-OZSibH*rTCX4bF",
            "oEmFbRQ3d3iHh4dnCHhPdPjkgId3iIeIiA==",
            None,
        ),
        (
            "s01n3p01",
            "L~0036fZfZfZfZfZfZfZfZfZfZfZ",
            "FQAq/wEI9wiIh4hwj3CI+AiIcH/4AAAA",
            None,
        ),
    ];
    for ((name, picture), (of, blurhash, thumbhash, phash)) in pictures().into_iter().zip(references) {
        assert_eq!(name, of);
        let document = info_of(&picture, "=> info");
        assert_eq!(member(&document, "blurhash"), blurhash, "{name}");
        let (found, expected) = (nibbles(member(&document, "thumbhash")), nibbles(thumbhash));
        // The cosines of JavaScript may differ in their last bit, which decides about factors of nothing.
        let is_near = found.len() == expected.len() && found.iter().zip(&expected).all(|(f, e)| f.abs_diff(*e) <= 1);
        assert!(
            found[..10] == expected[..10] && is_near,
            "{name}: {found:?} and {expected:?}"
        );
        // Of drawn patterns most frequencies are as good as the median, so that a rounding decides. Pillow makes the small
        // picture in whole levels.
        if let Some(phash) = phash {
            let found = u64::from_str_radix(member(&document, "phash"), 16).unwrap();
            let differing = (found ^ phash).count_ones();
            assert!(
                differing <= 3,
                "{name}: {differing} bits of the perceptual hash, {document}"
            );
        }
    }
}

#[test]
fn perceptual_hashes_of_one_picture_are_near_and_of_two_far() {
    let phash = |name: &str, recipe: &str| {
        let document = info_of(&read(name), recipe);
        u64::from_str_radix(member(&document, "phash"), 16).unwrap()
    };
    let photo = phash("photos/kodak_23.png", "=> info");
    for alike in [
        "=> resize:300 | info",
        "blur:1 => info",
        "grayscale => info",
        "brightness:0.9 => info",
    ] {
        let differing = (photo ^ phash("photos/kodak_23.png", alike)).count_ones();
        assert!(differing <= 6, "{alike}: {differing} bits");
    }
    let other = phash("photos/kodak_14.png", "=> info");
    assert!((photo ^ other).count_ones() > 20);
}

#[test]
fn the_document_says_what_the_file_is() {
    let input = read("pngsuite/basn4a16.png");
    let document = info_of(&input, "=> info");
    let begin = format!(
        "{{\"format\":\"png\",\"bytes\":{},\"width\":32,\"height\":32,\"orientation\":1,\"has_alpha\":true,\
         \"is_animated\":false,\"frames\":1,\"bit_depth\":16,\"color_model\":\"gray\",\"picture\":{{\"width\":32,\
         \"height\":32,\"average_color\":\"#",
        input.len()
    );
    assert!(document.starts_with(&begin), "{document}");
    for (name, members) in [
        (
            "bench/photo_0.3mp.jpg",
            [("format", "jpeg"), ("color_model", "ycbcr"), ("bit_depth", "8")],
        ),
        (
            "bench/cmyk_2mp.jpg",
            [("color_model", "cmyk"), ("has_alpha", "false"), ("frames", "1")],
        ),
        (
            "webp/animated.webp",
            [("format", "webp"), ("is_animated", "true"), ("frames", "2")],
        ),
    ] {
        let document = info_of(&read(name), "=> info");
        for (member_name, value) in members {
            assert_eq!(member(&document, member_name), value, "{name}: {document}");
        }
    }
}

#[test]
fn the_picture_is_upright_and_as_the_recipe_made_it() {
    for name in ["orientation/Landscape_6.jpg", "orientation/exif_6.png"] {
        let input = read(name);
        let plain = info_of(&input, "=> info");
        assert_eq!(plain, info_of(&input, "orient => info"), "{name}");
        assert_eq!(member(&plain, "orientation"), "6");
        let (width, height) = (member(&plain, "width"), member(&plain, "height"));
        let picture = &plain[plain.find("\"picture\"").unwrap()..];
        assert_eq!(
            (member(picture, "width"), member(picture, "height")),
            (height, width),
            "{name}"
        );
    }
    let document = info_of(
        &read("photos/kodak_23.png"),
        "resize:60 => png:name=small ; grayscale | info",
    );
    let picture = &document[document.find("\"picture\"").unwrap()..];
    assert_eq!((member(picture, "width"), member(picture, "height")), ("60", "40"));
    let average = member(picture, "average_color");
    assert!(
        average[1..3] == average[3..5] && average[3..5] == average[5..7],
        "{average}"
    );
    let milled = mill(
        &read("photos/kodak_23.png"),
        "resize:60 => png:name=small ; grayscale | info",
    )
    .unwrap();
    assert_eq!((milled.outputs[1].width, milled.outputs[1].height), (60, 40));
}

#[test]
fn a_trimmed_picture_is_described_as_what_was_left() {
    // A photo in a wide white frame.
    let photo = read("photos/kodak_23.png");
    let framed = mill(&photo, "crop:300,height=200 | pad:150 => png")
        .unwrap()
        .outputs
        .remove(0)
        .bytes;
    for recipe in [
        "trim => info",
        "=> trim | info",
        "orient | trim => png ; grayscale | info",
    ] {
        let milled = mill(&framed, recipe).unwrap().outputs.pop().unwrap();
        assert_eq!((milled.width, milled.height), (300, 200), "{recipe}");
        let document = String::from_utf8(milled.bytes).unwrap();
        let picture = &document[document.find("\"picture\"").unwrap()..];
        assert_eq!(
            (member(picture, "width"), member(picture, "height")),
            ("300", "200"),
            "{recipe}"
        );
    }
}

#[test]
fn colours_are_found_with_their_shares() {
    // A flag: half red, a third white, the rest blue, and what nobody sees.
    let (width, height) = (60, 20);
    let color_at = |x: usize| match x {
        0..30 => [200, 20, 30, 255],
        30..50 => [250, 250, 250, 255],
        _ => [20, 40, 180, 255],
    };
    let mut samples: Vec<u8> = (0..width * height).flat_map(|pixel| color_at(pixel % width)).collect();
    samples.extend([0, 255, 0, 0].repeat(width * 5));
    let flag = Picture {
        width,
        height: height + 5,
        channels: 4,
        samples,
    };
    let document = info_of(&flag.to_png(), "=> info");
    let expected = "\"average_color\":\"#bb6480\",\"dominant_colors\":[{\"color\":\"#c8141e\",\"share\":0.5},\
                    {\"color\":\"#fafafa\",\"share\":0.3333},{\"color\":\"#1428b4\",\"share\":0.1667}]";
    assert!(document.contains(expected), "{document}");
    // Noise within one colour is one colour; nothing at all is none.
    let one = Picture {
        width: 50,
        height: 50,
        channels: 3,
        samples: (0..50 * 50 * 3).map(|sample| 118 + (sample * 7919 % 5) as u8).collect(),
    };
    let document = info_of(&one.to_png(), "=> info");
    assert!(
        document.contains("\"dominant_colors\":[{\"color\":\"#787878\",\"share\":1}]"),
        "{document}"
    );
    let nothing = Picture {
        width: 3,
        height: 3,
        channels: 2,
        samples: [9, 0].repeat(9),
    };
    let document = info_of(&nothing.to_png(), "=> info");
    assert!(
        document.contains("\"average_color\":\"#000000\",\"dominant_colors\":[]"),
        "{document}"
    );
}

#[test]
fn a_large_jpeg_is_looked_at_from_afar() {
    let input = read("bench/photo_12mp.jpg");
    let recipe = "orient => info".parse().unwrap();
    let header = pixmill_engine::probe::probe(&input).unwrap();
    let plan = pixmill_engine::plan(&header, &recipe, &pixmill_types::Limits::default()).unwrap();
    let stages = plan.stages();
    assert_eq!(
        stages.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
        ["decode", "resize", "info"]
    );
    assert_eq!(stages[0].width(), header.width.div_ceil(8));
    assert!(plan.memory_bytes() < 5_000_000, "{}", plan.memory_bytes());
    assert!(plan.to_string().contains("BlurHash"), "{plan}");
    // From the whole picture it is next to the same.
    let whole = mill(&input, "resize:10000 => png").unwrap().outputs.remove(0).bytes;
    let (afar, near) = (info_of(&input, "=> info"), info_of(&whole, "=> info"));
    let phash = |document: &str| u64::from_str_radix(member(document, "phash"), 16).unwrap();
    assert!((phash(&afar) ^ phash(&near)).count_ones() <= 4, "{afar} and {near}");
}

#[test]
fn every_shape_of_picture_is_described() {
    let photo = Picture::from_png(&read("photos/kodak_14.png"));
    for (width, height) in [(1, 1), (1, 300), (700, 1), (2, 3), (768, 512)] {
        let document = info_of(&photo.region(0, 0, width, height).to_png(), "=> info");
        assert_eq!(
            member(&document, "blurhash").len(),
            28,
            "{width} x {height}: {document}"
        );
    }
    for (name, input) in crate::support::files_in("pngsuite") {
        if name.starts_with("bas") && name.ends_with(".png") {
            assert!(info_of(&input, "=> info").ends_with("\"}}"), "{name}");
        }
    }
}
