//! Watermarks: where they lie, how they mix, and what becomes of assets that cannot be used.

use std::collections::HashMap;

use pixmill_engine::{EngineError, Milled};
use pixmill_types::{FailureCode, Limits};

use crate::pixels::{Deep, Picture};
use crate::support::{Shelf, mill, read};

/// A red mark of 4 x 2 pixels whose right half is half transparent, and others.
fn shelf() -> Shelf {
    let mark = Picture {
        width: 4,
        height: 2,
        channels: 4,
        samples: [[255, 0, 0, 255], [255, 0, 0, 255], [255, 0, 0, 128], [255, 0, 0, 128]]
            .concat()
            .repeat(2),
    };
    Shelf(HashMap::from([
        ("mark.png", mark.to_png()),
        ("photo.png", read("photos/kodak_14.png")),
        ("turned.png", read("orientation/exif_6.png")),
        ("deep.png", read("pngsuite/basn6a16.png")),
        ("large.jpg", read("bench/photo_12mp.jpg")),
        ("cut.png", read("hostile/body_cut.png")),
        ("bomb.png", read("hostile/bomb_65536.png")),
        ("text.png", b"not a picture".to_vec()),
    ]))
}

fn milled(input: &[u8], recipe: &str) -> Result<Milled, EngineError> {
    shelf().mill(input, &format!("{recipe} => png"))
}

fn png_of(input: &[u8], recipe: &str) -> Picture {
    Picture::from_png(&milled(input, recipe).unwrap().outputs[0].bytes)
}

#[test]
fn it_lies_where_gravity_and_margin_say() {
    let picture = Picture::plain(41, 31, &[10, 20, 30]);
    for (recipe, expected) in [
        ("watermark:mark.png,margin=0", (37, 29, 4, 2)),
        ("watermark:mark.png,margin=3", (34, 26, 4, 2)),
        ("watermark:mark.png,gravity=north-west,margin=5", (5, 5, 4, 2)),
        ("watermark:mark.png,gravity=center,margin=2", (18, 14, 4, 2)),
        ("watermark:mark.png,gravity=north,margin=1", (18, 1, 4, 2)),
        ("watermark:mark.png,gravity=west,margin=4", (4, 14, 4, 2)),
        ("watermark:mark.png,scale=50,margin=0", (20, 20, 21, 11)),
        // Never larger than what the margins leave.
        ("watermark:mark.png,scale=100,margin=10", (10, 10, 21, 11)),
        ("watermark:photo.png,margin=4", (4, 5, 33, 22)),
        // Margins that leave nothing leave a pixel in the middle.
        ("watermark:mark.png,margin=9999", (20, 15, 1, 1)),
    ] {
        let found = picture.touched(&png_of(&picture.to_png(), recipe));
        assert_eq!(found, expected, "{recipe}");
    }
}

#[test]
fn it_is_mixed_as_light_through_glass() {
    for (recipe, solid, half) in [
        ("watermark:mark.png,margin=0", [255, 0, 0], [133, 50, 100]),
        ("watermark:mark.png,margin=0,opacity=0.5", [133, 50, 100], [71, 75, 149]),
        ("watermark:mark.png,margin=0,opacity=0", [10, 100, 200], [10, 100, 200]),
    ] {
        let output = png_of(&Picture::plain(8, 6, &[10, 100, 200]).to_png(), recipe);
        let at = |x: usize| output.region(x, 5, 1, 1).samples;
        for (found, expected) in [(at(4), solid), (at(7), half)] {
            let close = found.iter().zip(expected).all(|(f, e)| f.abs_diff(e) <= 1);
            assert!(close, "{recipe}: {found:?}, expected {expected:?}");
        }
    }
    // On what is transparent the mark alone is seen; gray becomes coloured, 16 bits stay.
    let output = png_of(&Picture::plain(8, 6, &[90, 0]).to_png(), "watermark:mark.png,margin=0");
    assert_eq!(output.channels, 4);
    assert_eq!(output.region(4, 5, 1, 1).samples, [255, 0, 0, 255]);
    assert_eq!(output.region(7, 5, 1, 1).samples, [255, 0, 0, 128]);
    let deep = read("pngsuite/basn0g16.png");
    let output = Deep::from_png(
        &milled(&deep, "watermark:mark.png,gravity=north-west,margin=0")
            .unwrap()
            .outputs[0]
            .bytes,
    );
    assert_eq!((output.channels, &output.samples[..3]), (3, &[65_535, 0, 0][..]));
}

#[test]
fn it_is_repeated_from_the_corner_on() {
    let picture = Picture::plain(17, 9, &[0, 0, 0]);
    let output = png_of(&picture.to_png(), "watermark:mark.png,tile=true,margin=3");
    for (y, row) in output.samples.chunks_exact(17 * 3).enumerate() {
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            let (within_x, within_y) = (x % 7, y % 5);
            let expected = match (within_x, within_y) {
                (0..2, 0..2) => 255,
                (2..4, 0..2) => 128,
                _ => 0,
            };
            assert_eq!(pixel, [expected, 0, 0], "{x}, {y}");
        }
    }
}

#[test]
fn assets_are_turned_upright_and_kept_upright() {
    let picture = Picture::plain(200, 200, &[255, 255, 255]);
    let upright = Picture::from_png(&mill(&read("orientation/exif_6.png"), "orient => png").unwrap().outputs[0].bytes);
    let (_, _, width, height) = picture.touched(&png_of(&picture.to_png(), "watermark:turned.png,margin=0"));
    assert_eq!((width, height), (upright.width, upright.height));
    // A picture on its side is turned first, the mark is not.
    let on_its_side = read("orientation/exif_6.png");
    let turned = mill(&on_its_side, "orient => png").unwrap().outputs.remove(0).bytes;
    let recipe = "watermark:mark.png,scale=20,margin=2";
    assert_eq!(
        png_of(&on_its_side, &format!("orient | {recipe}")),
        png_of(&turned, recipe)
    );
    let flipped = png_of(&on_its_side, &format!("orient | {recipe} | flop"));
    let after = Picture::from_png(&milled(&png_of(&turned, recipe).to_png(), "flop").unwrap().outputs[0].bytes);
    assert_eq!(flipped, after);
}

#[test]
fn what_cannot_be_used_is_named() {
    let picture = Picture::plain(40, 30, &[1, 2, 3]).to_png();
    for (asset, why) in [
        ("nothing.png", "not on the shelf"),
        ("large.jpg", "at most 2000000 are allowed"),
        ("cut.png", "ends before"),
        ("bomb.png", "at most 2000000 are allowed"),
        ("text.png", ""),
    ] {
        let error = milled(&picture, &format!("watermark:{asset}")).unwrap_err();
        assert_eq!(error.to_failure().code, FailureCode::RecipeImpossible);
        assert!(
            error.to_string().contains(asset) && error.to_string().contains(why),
            "{error}"
        );
    }
    let error = mill(&picture, "watermark:mark.png").unwrap_err().to_string();
    assert!(
        error.contains("mark.png") && error.contains("setting assets"),
        "{error}"
    );
}

#[test]
fn its_plan_says_what_it_takes() {
    let input = read("photos/kodak_14.png");
    let recipe = "watermark:photo.png,scale=90 => png".parse().unwrap();
    let header = pixmill_engine::probe::probe(&input).unwrap();
    let plan = pixmill_engine::plan(&header, &recipe, &Limits::default()).unwrap();
    let expected = "photo.png, south-east, opacity 1, 90 % wide";
    assert!(plan.to_string().contains(expected), "{plan}");
    let measured = crate::memory::peak_of(|| drop(milled(&input, "watermark:photo.png,scale=90").unwrap()));
    assert!(
        measured <= plan.memory_bytes() + 2 * input.len() as u64,
        "{measured} of {}",
        plan.memory_bytes()
    );
}
