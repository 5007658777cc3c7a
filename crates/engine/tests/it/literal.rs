//! Plans of random recipes give what their steps give one at a time, each from a lossless file into another.

use pixmill_engine::EngineError;
use proptest::prelude::*;

use crate::exact::{Exact, Kind};
use crate::pixels::{Picture, psnr};
use crate::support::{cases, mill, read};

/// 16 bits that are rounded after every step, or only where the plan has operations.
const DEEP_TOLERANCE_DB: f64 = 60.0;

/// With a resize or a turn by any angle: what a filter makes darker than black is cut off between its two directions, of which another comes
/// first when the picture is turned after it. On a few hundred pixels with hard edges; what is found is above 42, and this
/// is random.
const FILTERED_TOLERANCE_DB: f64 = 38.0;

/// A JPEG of which luma alone or a smaller picture is decoded, as in `pushdown.rs`; what is found is above 40, and this is
/// random.
const JPEG_TOLERANCE_DB: f64 = 36.0;

/// What one of several steps at a time may be.
fn one_of(steps: &[&str]) -> impl Strategy<Value = String> + use<> {
    let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    (0..steps.len()).prop_map(move |index| steps[index].clone())
}

fn gravity() -> impl Strategy<Value = String> {
    one_of(&[
        "center",
        "north",
        "north-east",
        "east",
        "south-east",
        "south",
        "south-west",
        "west",
        "north-west",
    ])
}

fn color() -> impl Strategy<Value = String> {
    one_of(&["white", "black", "#888", "#f80", "#0f08", "transparent"])
}

/// Steps whose order a plan may change, and those that they may not pass.
fn shaping() -> impl Strategy<Value = String> {
    let filter = || one_of(&["lanczos3", "catmull_rom", "bilinear", "box"]);
    prop_oneof![
        (10..90_u32, 10..70_u32, gravity())
            .prop_map(|(w, h, gravity)| format!("crop:{w},height={h},gravity={gravity}")),
        (10..90_u32, 10..70_u32, 0..30_u32, 0..30_u32)
            .prop_map(|(w, h, left, top)| format!("crop:{w},height={h},left={left},top={top}")),
        (0..9_u32, 0..9_u32, 0..9_u32, color())
            .prop_map(|(all, left, top, color)| format!("pad:{all},left={left},top={top},background={color}")),
        (20..90_u32, 20..90_u32, gravity(), color()).prop_map(|(w, h, gravity, color)| format!(
            "pad:width={w},height={h},gravity={gravity},background={color}"
        )),
        one_of(&["rotate:90", "rotate:180", "rotate:270", "flip", "flop", "orient"]),
        (-180..180_i32, color()).prop_map(|(angle, color)| format!("rotate:{angle}.5,background={color}")),
        (1..60_u32).prop_map(|radius| format!("round:{radius}%")),
        color().prop_map(|color| match &color[..] {
            "#0f08" | "transparent" => "flatten".to_owned(),
            opaque => format!("flatten:{opaque}"),
        }),
        (15..120_u32, filter(), any::<bool>(), any::<bool>()).prop_map(|(w, filter, enlarge, linear)| format!(
            "resize:{w},filter={filter},enlarge={enlarge},linear={linear}"
        )),
        (15..90_u32, 15..90_u32, one_of(&["cover", "contain"]), gravity())
            .prop_map(|(w, h, fit, gravity)| format!("resize:{w},height={h},fit={fit},gravity={gravity}")),
        (15..90_u32, 15..90_u32, one_of(&["inside", "outside", "fill"]))
            .prop_map(|(w, h, fit)| format!("resize:{w},height={h},fit={fit}")),
        (4..40_u32).prop_map(|tenths| format!("blur:{}", f64::from(tenths) / 10.0)),
    ]
}

fn colouring() -> impl Strategy<Value = String> {
    one_of(&[
        "grayscale",
        "brightness:0.8",
        "brightness:1.2",
        "contrast:0.7",
        "contrast:1.3",
        "saturation:0.5",
        "hue:70",
        "gamma:1.2",
        "invert",
        "sepia:0.6",
    ])
}

/// Looked at from the file alone: a level more or less may change what these find.
fn finding() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("orient".to_owned()),
        1 => one_of(&["trim", "trim:60", "crop:50,height=40,gravity=attention"]),
        1 => Just("resize:40,height=40,fit=cover,gravity=attention".to_owned()),
    ]
}

/// The steps one at a time.
fn literally(mut file: Vec<u8>, steps: &[String]) -> Result<Vec<u8>, EngineError> {
    for step in steps {
        file = mill(&file, &format!("{step} => png"))?.outputs.remove(0).bytes;
    }
    Ok(file)
}

/// A part of a photo within a border, in so many channels of 16 bits.
fn deep_photo(channels: usize, orientation: u8) -> Vec<u8> {
    let photo = Picture::from_png(&read("photos/kodak_23.png")).region(120, 90, 80, 56);
    let kind = Kind {
        channels,
        is_deep: true,
        orientation,
    };
    let pixels = Exact {
        width: photo.width,
        height: photo.height,
        channels: 3,
        samples: photo.samples.iter().map(|sample| f64::from(*sample) / 255.0).collect(),
    };
    let framed = pixels.pad([4, 7, 2, 0], &[1.0, 0.9, 0.8]);
    let picture = framed.map(86, 63, |x, y| {
        let [red, green, blue] = framed.at(x, y) else {
            return Vec::new();
        };
        let (red, green, blue) = (*red, *green, *blue);
        let alpha = if x < 43 { 1.0 } else { y as f64 / 63.0 };
        match channels {
            1 => vec![green],
            2 => vec![green, alpha],
            3 => vec![red, green, blue],
            _ => vec![red, green, blue, alpha],
        }
    });
    kind.to_png(&picture)
}

/// Peak signal to noise of what is seen, dB.
fn seen_psnr(one: &Exact, other: &Exact) -> f64 {
    let shape = |picture: &Exact| (picture.width, picture.height, picture.channels);
    assert_eq!(shape(one), shape(other));
    let (one, other) = (one.seen(), other.seen());
    let squares: f64 = one.iter().zip(&other).map(|(a, b)| (a - b).powi(2)).sum();
    -10.0 * (squares / one.len() as f64).log10()
}

/// Whether what was planned is what the steps of `recipe` give one at a time, or fails as one of them does.
fn compare(
    recipe: &str,
    planned: Result<Vec<u8>, EngineError>,
    literal: Result<Vec<u8>, EngineError>,
) -> Result<(), TestCaseError> {
    match (planned, literal) {
        (Ok(planned), Ok(literal)) => {
            let found = seen_psnr(&Exact::from_png(&planned), &Exact::from_png(&literal));
            let is_filtered = recipe.contains("resize") || recipe.contains("rotate");
            let least = if is_filtered {
                FILTERED_TOLERANCE_DB
            } else {
                DEEP_TOLERANCE_DB
            };
            prop_assert!(found >= least, "{}: {:.1} dB", recipe, found);
        }
        (planned, literal) => prop_assert_eq!(planned.err(), literal.err(), "{}", recipe),
    }
    Ok(())
}

/// A few steps of any kind.
fn steps(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop_oneof![3 => shaping(), 1 => colouring()], count)
}

#[test]
fn a_crop_that_is_moved_forward_changes_no_pixel() {
    for channels in 1..=4 {
        for orientation in [1, 6] {
            let input = deep_photo(channels, orientation);
            for recipe in [
                "blur:0.5 | crop:20,height=15,left=30,top=20",
                "blur:3 | crop:12,height=10,gravity=south-east",
                "blur:2 | invert | blur:1 | crop:12,height=10",
                "orient | blur:1.5 | sepia | crop:12,height=10,gravity=north-east",
                "blur:1 | crop:30,height=30 | contrast:1.5 | crop:12,height=10",
                "pad:5,background=#f80 | blur:1 | crop:12,height=10",
                "flatten:#08f | pad:width=100,background=#0f08 | crop:50,height=10,gravity=west",
                "blur:2 | flop | crop:12,height=10,left=1,top=1",
            ] {
                let steps: Vec<_> = recipe.split(" | ").map(str::to_owned).collect();
                let planned = mill(&input, &format!("{recipe} => png"))
                    .unwrap()
                    .outputs
                    .remove(0)
                    .bytes;
                let literal = literally(input.clone(), &steps).unwrap();
                let (planned, literal) = (Exact::from_png(&planned), Exact::from_png(&literal));
                let levels = planned.distance(&literal) * 65_535.0;
                // Curves and matrices that meet round once.
                let tolerance = if recipe.contains("sepia") { 1.01 } else { 0.0 };
                assert!(
                    levels <= tolerance,
                    "{recipe}, {channels} channels, orientation {orientation}: {levels} levels"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(160), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_gives_what_its_steps_give_one_at_a_time(
        channels in 1..5_usize,
        orientation in 1..9_u8,
        first in finding(),
        rest in steps(1..6),
    ) {
        let input = deep_photo(channels, orientation);
        let steps = [vec![first], rest].concat();
        let recipe = steps.join(" | ");
        let planned = mill(&input, &format!("{recipe} => png")).map(|mut milled| milled.outputs.remove(0).bytes);
        compare(&recipe, planned, literally(input, &steps))?;
    }

    #[test]
    fn outputs_that_share_steps_are_what_each_is_alone(
        channels in 1..5_usize,
        orientation in 1..9_u8,
        first in finding(),
        shared in steps(0..3),
        one in steps(0..3),
        other in steps(0..3),
    ) {
        let input = deep_photo(channels, orientation);
        let shared = [vec![first], shared].concat();
        let output = |steps: &[String], name: &str| [steps, &[format!("png:name={name}")]].concat().join(" | ");
        let recipe = format!("{} => {} ; {}", shared.join(" | "), output(&one, "one"), output(&other, "other"));
        let literal = [&one, &other].map(|own| literally(input.clone(), &[&shared[..], own].concat()));
        match mill(&input, &recipe) {
            Ok(milled) => for (output, literal) in milled.outputs.into_iter().zip(literal) {
                compare(&recipe, Ok(output.bytes), literal)?;
            },
            Err(error) => prop_assert!(literal.contains(&Err(error)), "{}", recipe),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(24), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_jpeg_that_is_decoded_for_its_recipe_gives_what_all_of_it_gives(
        photo in one_of(&["bench/photo_0.3mp.jpg", "orientation/Landscape_6.jpg", "orientation/Landscape_8.jpg"]),
        before in prop::collection::vec(prop_oneof![
            (200..500_u32, 200..400_u32, gravity()).prop_map(|(w, h, gravity)| format!("crop:{w},height={h},gravity={gravity}")),
            (0..150_u32, 0..150_u32).prop_map(|(left, top)| format!("crop:left={left},top={top}")),
            one_of(&["orient", "rotate:90", "grayscale", "flip"]),
        ], 0..4),
        width in 20..120_u32,
        after in prop::collection::vec(prop_oneof![
            (10..80_u32, 10..80_u32, gravity()).prop_map(|(w, h, gravity)| format!("crop:{w},height={h},gravity={gravity}")),
            (1..20_u32, color()).prop_map(|(all, color)| format!("pad:{all},background={color}")),
            one_of(&["orient", "grayscale", "invert", "round:20%"]),
        ], 0..3),
    ) {
        let input = read(&photo);
        let steps: Vec<_> = before.into_iter().chain([format!("resize:{width}")]).chain(after).collect();
        let recipe = steps.join(" | ");
        let decoded = mill(&input, "resize:10000 => png").unwrap().outputs.remove(0).bytes;
        match (mill(&input, &format!("{recipe} => png")), literally(decoded, &steps)) {
            (Ok(mut planned), Ok(literal)) => {
                let planned = planned.outputs.remove(0).bytes;
                let found = psnr(&Picture::from_png(&planned), &Picture::from_png(&literal));
                prop_assert!(found >= JPEG_TOLERANCE_DB, "{}, {}: {:.1} dB", photo, recipe, found);
            }
            // A crop may begin where the crops before it have left nothing.
            (Err(EngineError::Impossible(_)), Err(_)) => {}
            (planned, literal) => prop_assert!(false, "{}, {}: {:?} and {:?}", photo, recipe, planned.err(), literal.err()),
        }
    }
}
