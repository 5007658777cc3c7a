//! Steps that look at more than one pixel, beside their definitions written out in double precision.

use crate::pixels::{Deep, Picture, psnr};
use crate::steps::exact_blur;
use crate::support::{mill, read};

/// A picture as numbers, at any depth.
#[derive(Debug, Clone)]
struct Numbers {
    width: usize,
    height: usize,
    channels: usize,
    max: f64,
    samples: Vec<f64>,
}

impl Numbers {
    fn from_png(bytes: &[u8]) -> Self {
        // The depth stands behind signature, length, type and sides.
        if bytes[24] == 16 {
            let deep = Deep::from_png(bytes);
            let samples = deep.samples.iter().map(|sample| f64::from(*sample)).collect();
            return Self {
                width: deep.width,
                height: deep.height,
                channels: deep.channels,
                max: 65_535.0,
                samples,
            };
        }
        let picture = Picture::from_png(bytes);
        Self {
            width: picture.width,
            height: picture.height,
            channels: picture.channels,
            max: 255.0,
            samples: picture.samples.iter().map(|sample| f64::from(*sample)).collect(),
        }
    }

    fn colors(&self) -> usize {
        if self.channels.is_multiple_of(2) {
            self.channels - 1
        } else {
            self.channels
        }
    }

    fn pixels(&self) -> impl Iterator<Item = &[f64]> {
        self.samples.chunks_exact(self.channels)
    }

    /// Of what is in a pixel, how much shows, 0 to 1.
    fn alpha_of(&self, pixel: &[f64]) -> f64 {
        if self.colors() == self.channels {
            1.0
        } else {
            pixel[self.colors()] / self.max
        }
    }

    fn weighted(&self) -> Self {
        self.with_colors(|color, alpha| color * alpha)
    }

    fn unweighted(&self) -> Self {
        self.with_colors(|color, alpha| if alpha == 0.0 { 0.0 } else { color / alpha })
    }

    fn with_colors(&self, change: impl Fn(f64, f64) -> f64) -> Self {
        let samples = self.pixels().flat_map(|pixel| {
            let alpha = self.alpha_of(pixel);
            let mut changed = pixel.to_vec();
            for color in &mut changed[..self.colors()] {
                *color = change(*color, alpha);
            }
            changed
        });
        Self {
            samples: samples.collect(),
            ..self.clone()
        }
    }

    fn with_samples(&self, sample_at: impl Fn(usize, usize, usize) -> f64) -> Self {
        let places = (0..self.samples.len()).map(|at| {
            let pixel = at / self.channels;
            (pixel % self.width, pixel / self.width, at % self.channels)
        });
        Self {
            samples: places.map(|(x, y, channel)| sample_at(x, y, channel)).collect(),
            ..self.clone()
        }
    }

    fn at(&self, x: isize, y: isize, channel: usize) -> f64 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.samples[(y * self.width + x) * self.channels + channel]
    }

    /// BT.601 luma, rounded, with the same alpha.
    fn luma(&self) -> Self {
        let of = |pixel: &[f64]| match pixel {
            [r, g, b, ..] => (0.299 * r + 0.587 * g + 0.114 * b).round(),
            [gray, ..] => *gray,
            [] => panic!("a pixel of nothing"),
        };
        Self {
            channels: 1 + self.channels - self.colors(),
            samples: self
                .pixels()
                .flat_map(|pixel| [&[of(pixel)], &pixel[self.colors()..]].concat())
                .collect(),
            ..self.clone()
        }
    }

    /// How far the samples of `actual` are from these at the most, where anything shows.
    fn worst(&self, actual: &Self) -> f64 {
        assert_eq!(
            (actual.width, actual.height, actual.channels),
            (self.width, self.height, self.channels)
        );
        let pairs = self.pixels().zip(actual.pixels());
        pairs
            .flat_map(|(expected, actual)| {
                let alpha = self.alpha_of(expected).min(self.alpha_of(actual));
                let colors = self.colors();
                expected.iter().zip(actual).enumerate().map(move |(channel, (e, a))| {
                    let weight = if channel < colors { alpha } else { 1.0 };
                    (e.clamp(0.0, self.max).round() - a).abs() * weight
                })
            })
            .fold(0.0, f64::max)
    }
}

/// Photos of awkward sizes, with and without alpha, and small files of every depth.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let photo = Picture::from_png(&read("photos/kodak_23.png"));
    let mut inputs: Vec<_> = [(1, 1), (1, 9), (40, 1), (7, 5), (70, 45)]
        .into_iter()
        .map(|(width, height)| {
            let name = format!("{width} x {height}");
            (name, photo.region(340, 120, width, height).to_png())
        })
        .collect();
    let transparent = photo.region(200, 200, 67, 30);
    let samples = transparent
        .samples
        .chunks_exact(3)
        .enumerate()
        .flat_map(|(index, pixel)| {
            // From nothing at the left to everything at the right, and a hard edge.
            let x = index % 67;
            let alpha = if (30..34).contains(&x) {
                0
            } else {
                (x * 4).min(255) as u8
            };
            [pixel[0], pixel[1], pixel[2], alpha]
        });
    let transparent = Picture {
        channels: 4,
        samples: samples.collect(),
        ..transparent
    };
    inputs.push(("transparent".to_owned(), transparent.to_png()));
    for name in [
        "basn0g08", "basn4a08", "basn6a08", "basn0g16", "basn2c16", "basn4a16", "basn6a16",
    ] {
        inputs.push((name.to_owned(), read(&format!("pngsuite/{name}.png"))));
    }
    inputs
}

/// Holds a step against its definition on every input; `tolerance` is in levels of 255.
fn check(recipe: &str, tolerance: f64, expected: impl Fn(&Numbers) -> Numbers) {
    for (name, input) in inputs() {
        let output = mill(&input, &format!("{recipe} => png"))
            .unwrap()
            .outputs
            .remove(0)
            .bytes;
        let (before, after) = (Numbers::from_png(&input), Numbers::from_png(&output));
        assert_eq!(after.max, before.max, "{recipe} on {name} changed the depth");
        let worst = expected(&before).worst(&after) * 255.0 / before.max;
        assert!(worst <= tolerance, "{recipe} on {name}: {worst:.3} of 255 off");
    }
}

fn median_of(before: &Numbers, radius: isize) -> Numbers {
    let weighted = before.weighted();
    let around = |x: usize, y: usize, channel: usize| {
        let mut window: Vec<f64> = (-radius..=radius)
            .flat_map(|down| (-radius..=radius).map(move |right| (right, down)))
            .map(|(right, down)| weighted.at(x as isize + right, y as isize + down, channel))
            .collect();
        window.sort_by(f64::total_cmp);
        window[window.len() / 2]
    };
    weighted.with_samples(around).unweighted()
}

#[test]
fn median_is_the_middle_of_the_sorted_square() {
    for radius in [1, 2, 3, 5, 20] {
        check(&format!("median:{radius}"), 1.01, |before| median_of(before, radius));
    }
    // Without transparency it is exact.
    let photo = Picture::from_png(&read("photos/kodak_14.png")).region(100, 100, 150, 90);
    for radius in [1, 2, 4] {
        let output = mill(&photo.to_png(), &format!("median:{radius}"))
            .unwrap()
            .outputs
            .remove(0)
            .bytes;
        let expected = median_of(&Numbers::from_png(&photo.to_png()), radius);
        assert_eq!(Numbers::from_png(&output).samples, expected.samples, "radius {radius}");
    }
}

#[test]
fn sharpen_adds_what_a_blur_would_take() {
    for (recipe, sigma, amount, threshold, tolerance) in [
        ("sharpen", 1.0, 1.0, 0.0, 1.01),
        ("sharpen:2,amount=0.5", 2.0, 0.5, 0.0, 1.01),
        ("sharpen:0.5,amount=4", 0.5, 4.0, 0.0, 1.01),
        ("sharpen:6,amount=0", 6.0, 0.0, 0.0, 0.0),
        // Above every difference there is, it changes nothing.
        ("sharpen:3,amount=5,threshold=255", 3.0, 5.0, 255.0, 0.0),
    ] {
        check(recipe, tolerance, |before| {
            let weighted = before.weighted();
            let (width, height) = (before.width, before.height);
            let samples = exact_blur(&weighted.samples, width, height, before.channels, sigma);
            let blurred = Numbers { samples, ..weighted }.unweighted();
            before.with_samples(|x, y, channel| {
                let (own, blurred) = (
                    before.at(x as isize, y as isize, channel),
                    blurred.at(x as isize, y as isize, channel),
                );
                let is_left_alone = (own - blurred).abs() <= threshold * before.max / 255.0;
                if channel >= before.colors() || is_left_alone {
                    own
                } else {
                    own + amount * (own - blurred)
                }
            })
        });
    }
}

#[test]
fn sharpen_leaves_small_differences_alone() {
    // A step of 10 levels and one of 100.
    let samples = [[50; 20], [60; 20], [160; 20]].concat();
    let steps = Picture {
        width: 60,
        height: 1,
        channels: 1,
        samples,
    };
    let sharpened = |recipe: &str| Picture::from_png(&mill(&steps.to_png(), recipe).unwrap().outputs[0].bytes).samples;
    let all = sharpened("sharpen:1,amount=2");
    assert!(all[19] < 50 && all[20] > 60 && all[39] < 60 && all[40] > 160, "{all:?}");
    let large = sharpened("sharpen:1,amount=2,threshold=8");
    assert_eq!(large[..30], steps.samples[..30]);
    assert_eq!(large[39..41], all[39..41]);
}

#[test]
fn pixelate_gives_squares_their_mean() {
    for size in [2, 7, 16, 1000] {
        check(&format!("pixelate:{size}"), 1.01, |before| {
            let weighted = before.weighted();
            let mean = |x: usize, y: usize, channel: usize| {
                let (left, top) = (x / size * size, y / size * size);
                let (right, bottom) = ((left + size).min(before.width), (top + size).min(before.height));
                let square = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
                let sum: f64 = square.map(|(x, y)| weighted.at(x as isize, y as isize, channel)).sum();
                sum / ((right - left) * (bottom - top)) as f64
            };
            weighted.with_samples(mean).unweighted()
        });
    }
}

#[test]
fn edge_is_the_length_of_the_gradient_or_the_laplacian() {
    const ACROSS: [[f64; 3]; 3] = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]];
    const LAPLACIAN: [[f64; 3]; 3] = [[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]];
    let convolved = |of: &Numbers, x: usize, y: usize, kernel: &dyn Fn(usize, usize) -> f64| -> f64 {
        (0..9_usize)
            .map(|place| {
                let (column, row) = (place % 3, place / 3);
                let (x, y) = (x as isize + column as isize - 1, y as isize + row as isize - 1);
                of.at(x, y, 0) * kernel(row, column)
            })
            .sum()
    };
    let on_luma = |before: &Numbers, magnitude: &dyn Fn(&Numbers, usize, usize) -> f64| {
        let luma = before.luma();
        let weighted = luma.weighted();
        luma.with_samples(|x, y, channel| match channel {
            0 => magnitude(&weighted, x, y),
            _ => luma.at(x as isize, y as isize, channel),
        })
    };
    check("edge", 1.01, |before| {
        on_luma(before, &|luma, x, y| {
            let across = convolved(luma, x, y, &|row, column| ACROSS[row][column]);
            let down = convolved(luma, x, y, &|row, column| ACROSS[column][row]);
            across.hypot(down) / 4.0
        })
    });
    // A level of luma that is rounded the other way counts eight times.
    check("edge:laplacian", 8.01, |before| {
        on_luma(before, &|luma, x, y| {
            convolved(luma, x, y, &|row, column| LAPLACIAN[row][column]).abs()
        })
    });
}

#[test]
fn edge_makes_a_full_step_white_and_flat_areas_black() {
    let samples = (0..8 * 6).map(|pixel| if pixel % 8 < 4 { 0 } else { 255 }).collect();
    let step = Picture {
        width: 8,
        height: 6,
        channels: 1,
        samples,
    };
    for recipe in ["edge", "edge:laplacian"] {
        let edges = Picture::from_png(&mill(&step.to_png(), recipe).unwrap().outputs[0].bytes);
        for row in edges.samples.chunks_exact(8) {
            assert_eq!(row, [0, 0, 0, 255, 255, 0, 0, 0], "{recipe}");
        }
    }
}

#[test]
fn normalise_stretches_luma_between_its_ends() {
    for (recipe, low, high) in [
        ("normalise:0,high=0", 0.0, 0.0),
        ("normalise", 1.0, 1.0),
        ("normalise:20,high=5", 20.0, 5.0),
    ] {
        check(recipe, 1.01, |before| {
            let luma = before.luma();
            let seen = luma.pixels().filter(|pixel| luma.alpha_of(pixel) > 0.0);
            let mut levels: Vec<f64> = seen.map(|pixel| pixel[0]).collect();
            levels.sort_by(f64::total_cmp);
            let left_out = |percent: f64| (levels.len() as f64 * percent / 100.0) as usize;
            let darkest = levels[left_out(low)];
            let lightest = levels[levels.len() - 1 - left_out(high)];
            before.with_samples(|x, y, channel| {
                let own = before.at(x as isize, y as isize, channel);
                if channel >= before.colors() || darkest >= lightest {
                    own
                } else {
                    (own - darkest) * before.max / (lightest - darkest)
                }
            })
        });
    }
}

#[test]
fn turning_and_these_steps_change_places_without_a_trace() {
    for name in ["orientation/exif_6.png", "webp/orientation_6.webp"] {
        for step in [
            "sharpen:2",
            "pixelate:7",
            "median:2",
            "median:4",
            "edge",
            "edge:laplacian",
            "normalise",
        ] {
            let first = mill(&read(name), "orient => png").unwrap().outputs.remove(0).bytes;
            let turned_first = Picture::from_png(&mill(&first, step).unwrap().outputs[0].bytes);
            let milled = mill(&read(name), &format!("orient | {step} | flop => png")).unwrap();
            let names: Vec<_> = milled.timings.iter().map(|(name, _)| *name).collect();
            assert_eq!(
                names.iter().filter(|name| **name == "orient").count(),
                1,
                "{name}, {step}: {names:?}"
            );
            let milled = mill(&milled.outputs[0].bytes, "flop => png").unwrap();
            let found = psnr(&Picture::from_png(&milled.outputs[0].bytes), &turned_first);
            assert!(found > 60.0, "{name}, {step}: {found:.1} dB");
        }
    }
}

#[test]
fn luma_is_decoded_alone_for_what_needs_no_more() {
    let photo = read("bench/photo_0.3mp.jpg");
    let decoded = mill(&photo, "resize:10000 => png").unwrap().outputs.remove(0).bytes;
    for (recipe, least) in [
        ("grayscale | sharpen:1.5", 44.0),
        ("grayscale | median:1", 48.0),
        ("grayscale | median:4", 48.0),
        ("edge", 40.0),
        ("pixelate:9 | grayscale", 48.0),
        ("grayscale | normalise", 45.0),
        ("blur:1 | pixelate:5 | edge | normalise", 40.0),
    ] {
        let recipe = format!("{recipe} => png");
        let plan = pixmill_engine::plan(
            &pixmill_engine::probe::probe(&photo).unwrap(),
            &recipe.parse().unwrap(),
            &pixmill_types::Limits::default(),
        )
        .unwrap();
        assert_eq!(plan.stages()[0].includes()[0], "grayscale", "{recipe}");
        let from_jpeg = Picture::from_png(&mill(&photo, &recipe).unwrap().outputs[0].bytes);
        let from_colours = Picture::from_png(&mill(&decoded, &recipe).unwrap().outputs[0].bytes);
        let found = psnr(&from_jpeg, &from_colours);
        assert!(found >= least, "{recipe}: {found:.1} dB");
    }
    // Where cutting off or order decides, colour stays until the recipe takes it out.
    for recipe in ["sharpen | grayscale", "median | grayscale", "normalise | grayscale"] {
        let milled = mill(&photo, recipe).unwrap();
        assert_eq!(milled.timings[2].0, "grayscale", "{recipe}: {:?}", milled.timings);
    }
}

#[test]
fn what_is_cut_off_later_is_not_worked_on_and_not_missed() {
    let photo = read("photos/kodak_23.png");
    let crop = "crop:60,height=50,left=300,top=200";
    for (step, is_cut_before) in [
        ("sharpen:2,amount=3", true),
        ("median", true),
        ("median:5", true),
        ("edge", true),
        ("edge:laplacian", true),
        ("tint:red,amount=0.5", true),
        ("pixelate:7", false),
        ("normalise", false),
    ] {
        let milled = mill(&photo, &format!("{step} | {crop} => png")).unwrap();
        assert_eq!(
            milled.timings[1].0 == "crop",
            is_cut_before,
            "{step}: {:?}",
            milled.timings
        );
        let whole = mill(&photo, &format!("{step} => png")).unwrap().outputs.remove(0).bytes;
        let expected = mill(&whole, &format!("{crop} => png")).unwrap();
        assert_eq!(
            Picture::from_png(&milled.outputs[0].bytes),
            Picture::from_png(&expected.outputs[0].bytes),
            "{step}"
        );
    }
}
