//! Steps on the colour of single pixels, and mirrorings, beside their definitions.

use crate::pixels::{Deep, Picture, psnr};
use crate::support::{mill, read};

/// Steps one at a time round to 8 bits after each; fused they round once.
const FUSED_TOLERANCE_DB: f64 = 45.0;

fn png_of(input: &[u8], recipe: &str) -> Picture {
    Picture::from_png(&mill(input, &format!("{recipe} => png")).unwrap().outputs[0].bytes)
}

fn row(channels: usize, samples: &[u8]) -> Picture {
    Picture {
        width: samples.len() / channels,
        height: 1,
        channels,
        samples: samples.to_vec(),
    }
}

#[test]
fn curves_are_what_css_defines() {
    let levels = [0, 1, 64, 127, 128, 200, 255];
    for (recipe, expected) in [
        ("brightness:0.5", [0, 1, 32, 64, 64, 100, 128]),
        ("brightness:1.5", [0, 2, 96, 191, 192, 255, 255]),
        ("contrast:0", [128; 7]),
        ("contrast:2", [0, 0, 1, 127, 129, 255, 255]),
        ("invert", [255, 254, 191, 128, 127, 55, 0]),
        ("invert:0.5", [128; 7]),
        ("gamma:2", [0, 16, 128, 180, 181, 226, 255]),
        ("threshold:128", [0, 0, 0, 0, 255, 255, 255]),
        ("threshold:1", [0, 255, 255, 255, 255, 255, 255]),
        ("invert | invert", levels),
    ] {
        assert_eq!(png_of(&row(1, &levels).to_png(), recipe).samples, expected, "{recipe}");
        // Alpha is left alone.
        let with_alpha: Vec<u8> = levels.iter().flat_map(|level| [*level, 77]).collect();
        let after: Vec<u8> = expected.iter().flat_map(|level| [*level, 77]).collect();
        assert_eq!(png_of(&row(2, &with_alpha).to_png(), recipe).samples, after, "{recipe}");
    }
}

#[test]
fn matrices_are_what_css_defines() {
    let input = row(4, &[255, 0, 0, 9, 0, 255, 0, 255, 10, 20, 200, 0]);
    for (recipe, expected) in [
        ("saturation:0", [54, 54, 54, 9, 182, 182, 182, 255, 31, 31, 31, 0]),
        ("saturation:1", [255, 0, 0, 9, 0, 255, 0, 255, 10, 20, 200, 0]),
        ("sepia", [100, 89, 69, 9, 196, 175, 136, 255, 57, 51, 40, 0]),
        ("sepia:0", [255, 0, 0, 9, 0, 255, 0, 255, 10, 20, 200, 0]),
        ("hue:360", [255, 0, 0, 9, 0, 255, 0, 255, 10, 20, 200, 0]),
        ("tint:#ff8000", [76, 38, 0, 9, 150, 75, 0, 255, 38, 19, 0, 0]),
        ("tint:white", [76, 76, 76, 9, 150, 150, 150, 255, 38, 38, 38, 0]),
        ("tint:red,amount=0", [255, 0, 0, 9, 0, 255, 0, 255, 10, 20, 200, 0]),
        ("tint:#00f,amount=0.5", [128, 0, 38, 9, 0, 128, 75, 255, 5, 10, 119, 0]),
        ("hue:180", [0, 109, 109, 9, 255, 110, 255, 255, 52, 42, 0, 0]),
    ] {
        let actual = png_of(&input.to_png(), recipe).samples;
        let close = actual.iter().zip(expected).all(|(a, e)| a.abs_diff(e) <= 1);
        assert!(close, "{recipe}: {actual:?}, expected {expected:?}");
    }
    assert_eq!(png_of(&row(1, &[100]).to_png(), "sepia").samples, [135, 120, 94]);
    assert_eq!(png_of(&row(1, &[255]).to_png(), "tint:#123456").samples, [18, 52, 86]);
    assert_eq!(png_of(&row(1, &[100]).to_png(), "hue:90 | saturation:3").samples, [100]);
}

#[test]
fn sixteen_bits_stay_sixteen() {
    for name in ["basn0g16", "basn2c16", "basn4a16", "basn6a16"] {
        let input = read(&format!("pngsuite/{name}.png"));
        let before = Deep::from_png(&input);
        let after = Deep::from_png(&mill(&input, "invert").unwrap().outputs[0].bytes);
        let has_alpha = before.channels.is_multiple_of(2);
        for (index, (a, b)) in after.samples.iter().zip(&before.samples).enumerate() {
            let is_alpha = has_alpha && index % before.channels == before.channels - 1;
            assert_eq!(*a, if is_alpha { *b } else { 65_535 - b }, "{name}");
        }
        let twice = mill(&input, "flip | flop | flip | flop").unwrap();
        assert_eq!(Deep::from_png(&twice.outputs[0].bytes), before, "{name}");
    }
}

#[test]
fn colour_is_taken_out_no_earlier_than_it_may_be() {
    let photo = read("photos/kodak_23.png");
    // Toned, then gray: not the same as gray, then toned.
    assert_eq!(png_of(&photo, "sepia | grayscale").channels, 1);
    assert_eq!(png_of(&photo, "grayscale | sepia").channels, 3);
    assert_eq!(png_of(&photo, "grayscale | sepia | grayscale").channels, 1);
}

#[test]
fn planned_recipes_give_what_their_steps_give_one_at_a_time() {
    for (name, recipe) in [
        (
            "photos/kodak_23.png",
            "brightness:0.9 | contrast:1.2 | gamma:1.1 | invert",
        ),
        ("photos/kodak_23.png", "saturation:0.6 | hue:40 | sepia:0.5"),
        (
            "photos/kodak_23.png",
            "sepia:0.4 | saturation:1.8 | grayscale | blur:1 | sepia",
        ),
        ("photos/kodak_14.png", "gamma:1.4 | grayscale | flip | invert:0.8"),
        ("photos/kodak_14.png", "contrast:0.8 | brightness:0.7 | grayscale"),
        ("photos/kodak_14.png", "saturation:2 | threshold:100 | flop"),
        ("orientation/exif_6.png", "orient | flip | resize:40 | flop | blur:1"),
        (
            "orientation/exif_6.png",
            "flop | orient | resize:31,filter=nearest | flip",
        ),
        ("orientation/exif_6.png", "flip | resize:30 | orient | sepia | flop"),
    ] {
        let mut literal = read(name);
        for step in recipe.split(" | ") {
            literal = mill(&literal, &format!("{step} => png"))
                .unwrap()
                .outputs
                .remove(0)
                .bytes;
        }
        let found = psnr(&png_of(&read(name), recipe), &Picture::from_png(&literal));
        assert!(found >= FUSED_TOLERANCE_DB, "{name}, {recipe}: {found:.1} dB");
    }
}

#[test]
fn an_output_that_keeps_its_profile_changes_nothing_of_others() {
    let input = read("color/prophoto.png");
    for steps in [
        "pad:10,background=#3060a0",
        "contrast:2",
        "grayscale | tint:#306090",
        "resize:60 | sharpen",
    ] {
        let alone = png_of(&input, steps);
        for recipe in [
            format!("{steps} => png:profile=keep,name=a ; png:name=b"),
            format!("=> {steps} | png:profile=keep,name=a ; {steps} | png:name=b"),
        ] {
            let beside = mill(&input, &recipe).unwrap();
            assert_eq!(Picture::from_png(&beside.outputs[1].bytes), alone, "{recipe}");
        }
    }
}

#[test]
fn light_is_mixed_once_colours_are_those_of_srgb() {
    let input = read("color/prophoto.png");
    let converted = mill(&input, "=> png").unwrap().outputs.remove(0).bytes;
    let resized = "resize:40,linear=true";
    let distance = psnr(&png_of(&input, resized), &png_of(&converted, resized));
    assert!(distance >= 55.0, "{distance:.1} dB");
}
