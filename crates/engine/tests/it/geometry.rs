//! Steps that cut, add, turn and round, beside their definitions, for every number of channels at either depth.

use pixmill_engine::EngineError;

use crate::exact::{Exact, Kind, catmull_rom, kinds, linear};
use crate::support::mill;

/// A rounding, levels of the depth: of the result, and of colour that counts as its alpha.
const ROUNDING: f64 = 1.01;

fn milled(input: &[u8], recipe: &str) -> Exact {
    let outputs = mill(input, &format!("{recipe} => png"))
        .unwrap_or_else(|error| panic!("{recipe}: {error}"))
        .outputs;
    Exact::from_png(&outputs[0].bytes)
}

#[track_caller]
fn same(kind: Kind, recipe: &str, actual: &Exact, expected: &Exact, tolerance: f64) {
    let found = actual.distance(expected) * kind.max();
    assert!(found <= tolerance, "{recipe}, {kind:?}: {found} levels off");
}

/// White, or what of `color` there is room for in so many channels.
fn background(color: [f64; 4], channels: usize) -> Vec<f64> {
    match channels {
        1 => vec![color[0]],
        2 => vec![color[0], color[3]],
        3 => color[..3].to_vec(),
        _ => color.to_vec(),
    }
}

const WHITE: [f64; 4] = [1.0; 4];

#[test]
fn crop_keeps_the_pixels_of_its_part() {
    for kind in kinds() {
        let input = kind.noise(13, 9);
        let file = kind.to_png(&input);
        for (recipe, [left, top, width, height]) in [
            ("crop:5,height=4,left=3,top=2", [3, 2, 5, 4]),
            ("crop:left=12,top=8", [12, 8, 1, 1]),
            ("crop:100,left=4", [4, 0, 9, 9]),
            ("crop:5,height=4", [4, 2, 5, 4]),
            ("crop:5,height=4,gravity=north-west", [0, 0, 5, 4]),
            ("crop:6,height=4,gravity=north-east", [7, 0, 6, 4]),
            ("crop:6,height=4,gravity=south", [3, 5, 6, 4]),
            ("crop:6,gravity=west", [0, 0, 6, 9]),
            ("crop:height=1,gravity=south-east", [0, 8, 13, 1]),
            ("crop:13,height=9", [0, 0, 13, 9]),
            (
                "crop:10,height=8,left=1 | crop:4,height=3,gravity=south-east",
                [7, 5, 4, 3],
            ),
        ] {
            let expected = input.crop(left, top, width, height);
            assert_eq!(milled(&file, recipe), expected, "{recipe}, {kind:?}");
        }
    }
}

#[test]
fn a_crop_that_begins_beyond_the_picture_names_it_and_the_sides() {
    let kind = kinds().next().unwrap();
    let file = kind.to_png(&kind.noise(13, 9));
    for (recipe, expected) in [
        (
            "crop:left=13",
            "crop begins at left 13, the picture has 13 x 9 pixels there",
        ),
        (
            "crop:5,left=2 | crop:top=9",
            "crop begins at top 9, the picture has 5 x 9 pixels there",
        ),
        (
            "trim | crop:top=9",
            "crop begins at top 9, the picture has 13 x 9 pixels there",
        ),
    ] {
        match mill(&file, recipe) {
            Err(EngineError::Impossible(message)) => assert_eq!(message, expected),
            other => panic!("{recipe}: {other:?}"),
        }
    }
}

#[test]
fn pad_adds_a_border_of_its_colour_and_the_channels_that_needs() {
    for kind in kinds() {
        let input = kind.noise(7, 5);
        let file = kind.to_png(&input);
        let red = [1.0, 0.0, 0.0, 1.0];
        let glass = [0.0, 0.0, 1.0, f64::from(0x66) / 255.0];
        let level = f64::from(0x44) / 255.0;
        let gray = [level, level, level, 1.0];
        for (recipe, margins, color) in [
            ("pad:2", [2, 2, 2, 2], WHITE),
            ("pad:left=3,bottom=1,background=#444", [3, 0, 0, 1], gray),
            ("pad:1,top=0,background=red", [1, 0, 1, 1], red),
            ("pad:right=2,background=#00f6", [0, 0, 2, 0], glass),
            ("pad:width=10,height=4", [1, 0, 2, 0], WHITE),
            (
                "pad:width=10,height=9,gravity=south-east,background=transparent",
                [3, 4, 0, 0],
                [0.0; 4],
            ),
            ("pad:3 | crop:9,height=7,left=2,top=1", [1, 2, 1, 0], WHITE),
        ] {
            let actual = milled(&file, recipe);
            let expected = input.rgba().pad(margins, &color);
            assert_eq!(actual.rgba(), expected, "{recipe}, {kind:?}");
            let is_colored = kind.channels > 2 || color[..3] != [color[0]; 3];
            let channels = if is_colored { 3 } else { 1 } + usize::from(input.has_alpha() || color[3] < 1.0);
            assert_eq!(actual.channels, channels, "{recipe}, {kind:?}");
        }
    }
}

#[test]
fn flatten_lays_on_its_colour() {
    for kind in kinds() {
        let input = kind.noise(7, 5);
        let file = kind.to_png(&input);
        let colors = if kind.channels > 2 { 3 } else { 1 };
        let actual = milled(&file, "flatten");
        same(kind, "flatten", &actual, &input.flatten(&[1.0; 3][..colors]), ROUNDING);
        let actual = milled(&file, "flatten:#ff8000");
        let expected = match input.has_alpha() {
            true => input.rgba().flatten(&[1.0, f64::from(0x80) / 255.0, 0.0]),
            false => input.clone(),
        };
        same(kind, "flatten:#ff8000", &actual, &expected, ROUNDING);
    }
}

#[test]
fn right_angles_lose_nothing_and_others_are_interpolated() {
    for kind in kinds() {
        let input = kind.noise(11, 6);
        let file = kind.to_png(&input);
        for (angle, orientation) in [(0, 1), (90, 6), (180, 3), (270, 8), (-90, 8), (360, 1), (-180, 3)] {
            let recipe = format!("rotate:{angle},background=red");
            assert_eq!(milled(&file, &recipe), input.upright(orientation), "{recipe}, {kind:?}");
        }
        for angle in [1.0, 30.0, 45.0, 135.5, -12.25, 271.0] {
            let recipe = format!("rotate:{angle}");
            let white = background(WHITE, kind.channels);
            same(
                kind,
                &recipe,
                &milled(&file, &recipe),
                &input.rotate(angle, catmull_rom, &white),
                ROUNDING,
            );
            let recipe = format!("rotate:{angle},background=#0f08,filter=bilinear");
            let glass = [0.0, 1.0, 0.0, f64::from(0x88) / 255.0];
            let expected = input.rgba().rotate(angle, linear, &glass);
            same(kind, &recipe, &milled(&file, &recipe), &expected, ROUNDING);
        }
    }
}

#[test]
fn round_corners_hold_the_area_of_their_arcs() {
    /// Places along each side of a pixel that are looked at, and what one of them too many comes to.
    const PLACES: usize = 64;
    for kind in kinds() {
        for (recipe, sides, radius) in [
            ("round:4", (13, 9), 4.0),
            ("round:50%", (16, 16), 8.0),
            ("round:1", (3, 2), 1.0),
            ("round:30%", (21, 40), 6.3),
            ("round:1000", (15, 9), 4.5),
        ] {
            let input = kind.noise(sides.0, sides.1);
            let (w, h) = (sides.0 as f64, sides.1 as f64);
            let is_within = |x: f64, y: f64| {
                let dx = (radius - x).max(x - (w - radius)).max(0.0);
                let dy = (radius - y).max(y - (h - radius)).max(0.0);
                dx * dx + dy * dy <= radius * radius
            };
            let expected = input.rgba().map(sides.0, sides.1, |x, y| {
                let place = |pixel: usize, at: usize| pixel as f64 + (at as f64 + 0.5) / PLACES as f64;
                let places = (0..PLACES * PLACES).filter(|at| is_within(place(x, at % PLACES), place(y, at / PLACES)));
                let covered = places.count() as f64 / (PLACES * PLACES) as f64;
                let mut pixel = input.rgba().at(x, y).to_vec();
                pixel[3] *= covered;
                pixel
            });
            let actual = milled(&kind.to_png(&input), recipe);
            assert!(actual.has_alpha(), "{recipe}, {kind:?}");
            let found = actual.rgba().distance(&expected);
            assert!(found < 0.015, "{recipe}, {kind:?}: {found}");
        }
    }
}

#[test]
fn trim_cuts_off_what_is_like_the_corner_and_no_more() {
    for kind in kinds() {
        let level = |level: f64| (level * kind.max()).round() / kind.max();
        let border = vec![level(0.5); kind.channels];
        let near: Vec<f64> = border.iter().map(|sample| sample + level(8.0 / 255.0)).collect();
        let inner = kind.noise(5, 4);
        // A corner of the inner picture may look like the border; its middle row and column do not.
        let inner = inner.map(5, 4, |x, y| {
            if x == 2 || y == 1 {
                vec![1.0; kind.channels]
            } else {
                inner.at(x, y).to_vec()
            }
        });
        let near_border = inner.pad([1, 1, 1, 1], &near);
        let input = near_border.pad([3, 1, 0, 2], &border);
        let file = kind.to_png(&input);
        let expected = [
            ("trim", inner.clone()),
            ("trim:0", near_border.crop(0, 0, 7, 6)),
            ("trim:0 | trim:0", inner.clone()),
            ("trim | crop:2,height=2,gravity=south-east", inner.crop(3, 2, 2, 2)),
            ("flop | trim", inner.upright(2)),
            ("trim | rotate:90", inner.upright(6)),
        ];
        for (recipe, expected) in expected {
            assert_eq!(milled(&file, recipe), expected, "{recipe}, {kind:?}");
        }
        let flat = inner.map(6, 3, |_, _| border.clone());
        assert_eq!(milled(&kind.to_png(&flat), "trim"), flat, "{kind:?}");
        let dot = flat.pad([0, 0, 1, 0], &vec![1.0; kind.channels]);
        assert_eq!(milled(&kind.to_png(&dot), "trim"), dot.crop(6, 0, 1, 3), "{kind:?}");
    }
}

#[test]
fn margins_and_parts_follow_every_orientation() {
    for orientation in 1..=8 {
        let kind = Kind {
            channels: 4,
            is_deep: false,
            orientation,
        };
        let stored = kind.noise(13, 9);
        let file = kind.to_png(&stored);
        let upright = stored.upright(orientation);
        let (w, h) = (upright.width, upright.height);
        for (recipe, expected) in [
            ("orient | crop:5,height=4,left=3,top=2", upright.crop(3, 2, 5, 4)),
            (
                "orient | crop:6,height=5,gravity=north-east",
                upright.crop(w - 6, 0, 6, 5),
            ),
            (
                "crop:6,height=5,left=1,top=3 | orient",
                stored.crop(1, 3, 6, 5).upright(orientation),
            ),
            (
                "orient | pad:left=1,top=2,right=3,background=white",
                upright.pad([1, 2, 3, 0], &WHITE),
            ),
            (
                "orient | crop:left=2 | rotate:90",
                upright.crop(2, 0, w - 2, h).upright(6),
            ),
            (
                "orient | rotate:-90 | crop:height=3,top=1",
                upright.upright(8).crop(0, 1, h, 3),
            ),
            (
                "flop | orient | pad:left=2 | flip",
                stored
                    .upright(2)
                    .upright(orientation)
                    .pad([2, 0, 0, 0], &WHITE)
                    .upright(4),
            ),
            (
                "orient | pad:4 | crop:8,height=8,left=1,top=2",
                upright.pad([4; 4], &WHITE).crop(1, 2, 8, 8),
            ),
            ("orient | trim:0", upright.clone()),
        ] {
            assert_eq!(milled(&file, recipe), expected, "{recipe}, orientation {orientation}");
        }
        let turned = milled(&file, "orient | rotate:20,filter=bilinear");
        same(
            kind,
            "rotate:20",
            &turned,
            &upright.rotate(20.0, linear, &WHITE),
            ROUNDING,
        );
    }
}

#[test]
fn the_smallest_pictures_survive_every_step() {
    for kind in kinds() {
        for (width, height) in [(1, 1), (1, 700), (700, 1), (2, 3)] {
            let file = kind.to_png(&kind.noise(width, height));
            for recipe in [
                "crop:1,height=1,gravity=attention",
                "crop:5,height=1,gravity=attention",
                "resize:3,height=3,fit=cover,gravity=attention,enlarge=true",
                "resize:1,height=9,fit=contain,linear=true",
                "resize:1,height=1,fit=outside,linear=true",
                "pad:1,background=transparent | rotate:45 | trim",
                "rotate:0.001",
                "rotate:89.9,filter=bilinear",
                "round:1 | round:100% | flatten:red",
                "trim:0 | trim:254 | crop:1,height=1,gravity=south-east",
            ] {
                let actual = milled(&file, recipe);
                assert!(
                    actual.width > 0 && actual.height > 0,
                    "{recipe}, {width} x {height}, {kind:?}"
                );
            }
        }
    }
}
