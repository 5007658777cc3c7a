//! Fits, gravity and light of a resize, and what draws the eye.

use crate::exact::{Exact, Kind, kinds};
use crate::support::mill;

fn milled(input: &[u8], recipe: &str) -> Exact {
    let outputs = mill(input, &format!("{recipe} => png"))
        .unwrap_or_else(|error| panic!("{recipe}: {error}"))
        .outputs;
    Exact::from_png(&outputs[0].bytes)
}

/// The mean of so many pixels side by side and one above another.
fn average(picture: &Exact, side: usize, curve: fn(f64) -> f64, back: fn(f64) -> f64) -> Exact {
    picture.map(picture.width / side, picture.height / side, |x, y| {
        let mut sums = vec![0.0; picture.channels];
        for index in 0..side * side {
            let pixel = picture.at(x * side + index % side, y * side + index / side);
            let alpha = if picture.has_alpha() {
                pixel[picture.channels - 1]
            } else {
                1.0
            };
            for (channel, sum) in sums.iter_mut().enumerate() {
                let is_alpha = picture.has_alpha() && channel == picture.channels - 1;
                *sum += if is_alpha { alpha } else { curve(pixel[channel]) * alpha };
            }
        }
        let colors = picture.channels - usize::from(picture.has_alpha());
        let count = (side * side) as f64;
        let weight = sums.get(colors).copied().unwrap_or(count);
        for sum in &mut sums[..colors] {
            *sum = if weight > 0.0 { back(*sum / weight) } else { 0.0 };
        }
        sums[colors..].iter_mut().for_each(|alpha| *alpha /= count);
        sums
    })
}

/// IEC 61966-2-1.
fn light(level: f64) -> f64 {
    if level <= 0.040_45 {
        level / 12.92
    } else {
        ((level + 0.055) / 1.055).powf(2.4)
    }
}

fn level(light: f64) -> f64 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

#[test]
fn a_box_averages_levels_or_light() {
    for kind in kinds() {
        let input = kind.noise(24, 18);
        let file = kind.to_png(&input);
        // The curve is steep in the dark: of 65,536 levels of light, one is up to 13 of as many levels there.
        let tolerance = if kind.is_deep { 16.0 } else { 1.6 };
        for (recipe, expected) in [
            ("resize:8,filter=box", average(&input, 3, |level| level, |level| level)),
            ("resize:8,filter=box,linear=true", average(&input, 3, light, level)),
        ] {
            let found = milled(&file, recipe).distance(&expected) * kind.max();
            assert!(found <= tolerance, "{recipe}, {kind:?}: {found} levels off");
        }
    }
}

#[test]
fn light_keeps_flat_pictures_as_they_are() {
    for kind in kinds() {
        for level in [0.0, 1.0, 2.0, 40.0, 128.0, 254.0, 255.0] {
            let mut pixel = vec![level / 255.0; kind.channels];
            if kind.channels.is_multiple_of(2) {
                pixel[kind.channels - 1] = 1.0;
            }
            let input = kind.noise(20, 10).map(20, 10, |_, _| pixel.clone());
            let expected = input.crop(0, 0, 10, 5);
            let found = milled(&kind.to_png(&input), "resize:10,linear=true").distance(&expected) * kind.max();
            assert!(
                found <= if kind.is_deep { 7.0 } else { 0.0 },
                "{level}, {kind:?}: {found} levels off"
            );
        }
    }
}

#[test]
fn contain_and_cover_put_the_picture_where_gravity_says() {
    for kind in kinds() {
        let input = kind.noise(24, 12);
        let file = kind.to_png(&input);
        let small = milled(&file, "resize:12,height=6");
        for (gravity, above) in [("north-west", 0), ("center", 3), ("south", 6)] {
            let recipe = format!("resize:12,height=12,fit=contain,gravity={gravity},background=#00f");
            let expected = small.rgba().pad([0, above, 0, 6 - above], &[0.0, 0.0, 1.0, 1.0]);
            assert_eq!(milled(&file, &recipe).rgba(), expected, "{recipe}, {kind:?}");
        }
        for (gravity, left) in [("west", 0), ("center", 3), ("north-east", 6)] {
            let recipe = format!("resize:6,height=6,fit=cover,gravity={gravity}");
            let found = milled(&file, &recipe).distance(&small.crop(left, 0, 6, 6)) * kind.max();
            assert!(found <= 1.01, "{recipe}, {kind:?}: {found} levels off");
        }
        // Cut off, but not scaled: exact.
        let recipe = "resize:50,height=5,fit=cover,gravity=south";
        assert_eq!(milled(&file, recipe), input.crop(0, 7, 24, 5), "{recipe}, {kind:?}");
    }
}

#[test]
fn attention_finds_what_stands_out_wherever_it_is() {
    let skin = [0.85, 0.62, 0.48];
    for (what, color) in [
        ("a red spot", [0.9, 0.1, 0.1]),
        ("a face", skin),
        ("a checkerboard", [-1.0; 3]),
    ] {
        for (left, top) in [(5, 8), (220, 20), (120, 70), (30, 100), (225, 105)] {
            let kind = Kind {
                channels: 3,
                is_deep: left == 120,
                orientation: 1,
            };
            let flat = kind.noise(260, 140).map(260, 140, |x, y| {
                let is_within = (left..left + 30).contains(&x) && (top..top + 30).contains(&y);
                match (is_within, color[0] < 0.0) {
                    (false, _) => vec![0.4, 0.42, 0.45],
                    (true, false) => color.to_vec(),
                    (true, true) => vec![if (x / 5 + y / 5) % 2 == 0 { 0.1 } else { 0.9 }; 3],
                }
            });
            let file = kind.to_png(&flat);
            let cropped = milled(&file, "crop:60,height=60,gravity=attention");
            let kept = (0..3600)
                .filter(|at| flat_differs(cropped.at(at % 60, at / 60)))
                .count();
            assert_eq!(kept, 900, "{what} at {left}, {top}");
            let twice = milled(&file, "crop:60,height=60,gravity=attention");
            assert_eq!(twice, cropped, "{what} at {left}, {top}");
            let covered = milled(&file, "resize:35,height=70,fit=cover,gravity=attention");
            assert_eq!((covered.width, covered.height), (35, 70));
            let kept = (0..35 * 70)
                .filter(|at| flat_differs(covered.at(at % 35, at / 35)))
                .count();
            assert!(kept >= 200, "{what} at {left}, {top}: {kept}");
        }
    }
}

/// Whether it is another colour than what is around what stands out.
fn flat_differs(pixel: &[f64]) -> bool {
    let around = [0.4, 0.42, 0.45];
    pixel.iter().zip(around).any(|(one, other)| (one - other).abs() > 0.03)
}

#[test]
fn attention_takes_the_middle_where_nothing_stands_out() {
    for kind in kinds() {
        let ramp = kind.noise(40, 30).map(40, 30, |_, _| vec![0.5; kind.channels]);
        let marked = ramp.map(40, 30, |x, y| {
            // One level only: nothing that counts, but it tells where the part was.
            let is_middle = (x, y) == (20, 15);
            vec![
                (0.5 * kind.max()).round() / kind.max() + if is_middle { 1.0 / kind.max() } else { 0.0 };
                kind.channels
            ]
        });
        let cropped = milled(&kind.to_png(&marked), "crop:10,height=10,gravity=attention");
        let expected = marked.crop(15, 10, 10, 10);
        assert!(cropped.distance(&expected) < 1e-9, "{kind:?}");
    }
}
