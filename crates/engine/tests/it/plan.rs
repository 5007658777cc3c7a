//! Plans: what is pushed down, where the picture is turned, what limits refuse.

use std::time::Duration;

use pixmill_engine::probe::{ColorModel, Header, Orientation};
use pixmill_engine::{EngineError, Plan, plan};
use pixmill_types::{ImageFormat, LimitName, Limits};

use crate::support::header_of_a_photo as photo;

fn on_its_side() -> Header {
    Header {
        orientation: Orientation::from_exif(6).unwrap(),
        ..photo()
    }
}

fn planned(header: &Header, recipe: &str) -> Plan {
    plan(header, &recipe.parse().unwrap(), &Limits::default()).unwrap()
}

/// The plan's stages as `name width x height`, what outputs share first.
fn stages(header: &Header, recipe: &str) -> Vec<String> {
    planned(header, recipe)
        .stages()
        .iter()
        .map(|stage| format!("{} {}x{}", stage.name(), stage.width(), stage.height()))
        .collect()
}

#[test]
fn grayscale_is_done_by_the_decoder_of_a_colour_jpeg() {
    let plan = planned(&photo(), "blur:2 | grayscale");
    assert_eq!(plan.stages()[0].includes(), ["grayscale"]);
    assert_eq!(
        stages(&photo(), "blur:2 | grayscale"),
        ["decode 4000x3000", "blur 4000x3000", "encode 4000x3000"]
    );
}

#[test]
fn grayscale_is_done_row_by_row_of_a_png_that_comes_in_rows() {
    let png = Header {
        format: ImageFormat::Png,
        color: ColorModel::Rgb,
        ..photo()
    };
    assert_eq!(
        planned(&png, "blur:2 | grayscale").stages()[0].includes(),
        ["grayscale"]
    );
    for other in [
        Header {
            multi_pass: true,
            ..png
        },
        Header { frames: 2, ..png },
    ] {
        assert!(planned(&other, "blur:2 | grayscale").stages()[0].includes().is_empty());
    }
}

#[test]
fn grayscale_comes_first_where_the_decoder_cannot_do_it() {
    for (format, color) in [
        (ImageFormat::Png, ColorModel::Rgba),
        (ImageFormat::Webp, ColorModel::Rgba),
        (ImageFormat::Jpeg, ColorModel::Cmyk { inverted: true }),
        (ImageFormat::Jpeg, ColorModel::Rgb),
    ] {
        let header = Header {
            format,
            color,
            ..photo()
        };
        let names: Vec<_> = planned(&header, "blur:2 | grayscale")
            .stages()
            .iter()
            .map(|stage| stage.name().to_owned())
            .collect();
        assert_eq!(names, ["decode", "grayscale", "blur", "encode"], "{format} {color:?}");
    }
}

#[test]
fn files_of_one_picture_beside_each_other_are_made_of_it_once() {
    let web = "orient => resize:320 | webp:name=a ; resize:320 | jpeg:name=b ; resize:960 | webp:name=c";
    let names: Vec<_> = planned(&photo(), web)
        .stages()
        .iter()
        .map(|stage| (stage.name(), stage.output(), stage.from()))
        .collect();
    assert_eq!(
        names,
        [
            ("decode", None, None),
            ("resize", Some(2), None),
            ("encode", Some(2), None),
            ("resize", Some(0), Some(2)),
            ("encode", Some(0), None),
            ("encode", Some(1), None)
        ]
    );
    // The picture is kept while the first file of it is written.
    let one = planned(&photo(), "resize:3000 => png:name=a").memory_bytes();
    let two = planned(&photo(), "=> resize:3000 | png:name=a ; resize:3000 | jpeg:name=b").memory_bytes();
    assert!(two >= one, "{two} {one}");
}

/// For each output the one whose picture it is made of.
fn sources(recipe: &str) -> Vec<Option<usize>> {
    let plan = planned(&photo(), recipe);
    let outputs = recipe.matches("name=").count();
    (0..outputs)
        .map(|output| plan.stages().iter().find(|stage| stage.output() == Some(output)))
        .map(|stage| stage.and_then(|stage| stage.from()))
        .collect()
}

#[test]
fn smaller_outputs_are_made_of_the_smallest_that_is_twice_their_size() {
    for (recipe, expected) in [
        (
            "=> resize:320 | png:name=a ; resize:960 | jpeg:name=b ; resize:1920 | png:name=c",
            vec![Some(1), Some(2), None],
        ),
        // Not quite twice.
        (
            "=> resize:1000 | png:name=a ; resize:1999 | png:name=b",
            vec![None, None],
        ),
        // What comes behind the first resize is each output's own.
        (
            "=> resize:400 | png:name=a ; resize:800 | blur:2 | jpeg:1,name=b",
            vec![Some(1), None],
        ),
        // A part of a whole one, but no whole one of a part.
        (
            "=> resize:200,height=200,fit=cover | png:name=a ; resize:800 | png:name=b",
            vec![Some(1), None],
        ),
        (
            "=> resize:200 | png:name=a ; resize:800,height=800,fit=cover | png:name=b",
            vec![None, None],
        ),
        // Another filter, pixels as they are, light, and what is larger than the picture.
        (
            "=> resize:200,filter=bilinear | png:name=a ; resize:800 | png:name=b",
            vec![None, None],
        ),
        (
            "=> resize:200,filter=box | png:name=a ; resize:800,filter=box | png:name=b",
            vec![None, None],
        ),
        (
            "=> resize:200,linear=true | png:name=a ; resize:800,linear=true | png:name=b",
            vec![None, None],
        ),
        (
            "=> resize:200 | png:name=a ; resize:8000,enlarge=true | png:name=b",
            vec![None, None],
        ),
        // A picture that is worked on first is another one.
        (
            "=> resize:200 | png:name=a ; blur:2 | resize:800 | png:name=b",
            vec![None, None],
        ),
    ] {
        assert_eq!(sources(recipe), expected, "{recipe}");
    }
    let shown = planned(&photo(), "=> resize:200 | png:name=a ; resize:800 | png:name=b").to_string();
    assert!(
        shown.contains("800 x 600 to 200 x 150, Lanczos 3, of what output 2 has"),
        "{shown}"
    );
}

#[test]
fn grayscale_of_every_output_is_shared_of_one_it_is_not() {
    let all = planned(
        &photo(),
        "blur:2 => grayscale | jpeg:name=a ; grayscale | resize:100 | webp:name=b",
    );
    assert_eq!(all.stages()[0].includes(), ["grayscale"]);
    let one = planned(&photo(), "blur:2 => jpeg:name=a ; grayscale | webp:name=b");
    assert!(one.stages()[0].includes().is_empty());
    let outputs: Vec<_> = one
        .stages()
        .iter()
        .map(|stage| (stage.name(), stage.output()))
        .collect();
    assert_eq!(
        outputs,
        [
            ("decode", None),
            ("blur", None),
            ("encode", Some(0)),
            ("grayscale", Some(1)),
            ("encode", Some(1))
        ]
    );
}

#[test]
fn what_all_outputs_do_first_is_done_once() {
    let names: Vec<_> = planned(
        &photo(),
        "orient => resize:800 | blur:2 | jpeg:name=a ; resize:800 | webp:name=b",
    )
    .stages()
    .iter()
    .map(|stage| (stage.name().to_owned(), stage.output()))
    .collect();
    let expected = [
        ("decode", None),
        ("resize", None),
        ("blur", Some(0)),
        ("encode", Some(0)),
        ("encode", Some(1)),
    ];
    assert_eq!(names, expected.map(|(name, output)| (name.to_owned(), output)));
}

#[test]
fn turning_waits_until_the_picture_is_small() {
    assert_eq!(
        stages(&on_its_side(), "orient | resize:300"),
        ["decode 4000x3000", "resize 400x300", "orient 300x400", "encode 300x400"]
    );
    assert_eq!(
        stages(&on_its_side(), "resize:400 | orient"),
        ["decode 4000x3000", "resize 400x300", "orient 300x400", "encode 300x400"]
    );
    let enlarging = stages(&on_its_side(), "orient | resize:6000,enlarge=true");
    assert_eq!(enlarging[1..3], ["orient 3000x4000", "resize 6000x8000"]);
}

#[test]
fn an_upright_picture_is_not_turned() {
    assert_eq!(stages(&photo(), "orient | blur:2")[1], "blur 4000x3000");
    assert_eq!(stages(&on_its_side(), "orient | orient").len(), 3);
}

#[test]
fn sides_of_a_resize_follow_fit_and_enlarge() {
    let cases = [
        ("resize:400", "400x300"),
        ("resize:height=300", "400x300"),
        ("resize:1000,height=300", "400x300"),
        ("resize:1000,height=300,fit=cover", "1000x300"),
        ("resize:1000,height=300,fit=fill", "1000x300"),
        ("resize:8000,enlarge=true", "8000x6000"),
        ("resize:5000,height=100,fit=cover,enlarge=true", "5000x100"),
        ("resize:1,height=1", "1x1"),
    ];
    for (recipe, sides) in cases {
        assert_eq!(stages(&photo(), recipe)[1], format!("resize {sides}"), "{recipe}");
    }
    // Where nothing is scaled nothing is filtered.
    assert_eq!(stages(&photo(), "resize:5000,height=100,fit=cover")[1], "crop 4000x100");
    for unchanged in ["resize:8000", "resize:4000", "resize:9000,height=9000,fit=fill"] {
        assert_eq!(stages(&photo(), unchanged), ["copy 4000x3000"], "{unchanged}");
    }
}

#[test]
fn a_picture_that_is_too_large_on_the_way_is_refused() {
    let refused = |header: &Header, recipe: &str, limits: &Limits| match plan(header, &recipe.parse().unwrap(), limits)
    {
        Err(EngineError::Limit(exceeded)) => exceeded.name,
        other => panic!("{recipe}: {other:?}"),
    };
    let limits = Limits::default();
    let enlarge_then_shrink = "resize:20000,enlarge=true | resize:10";
    assert_eq!(refused(&photo(), enlarge_then_shrink, &limits), LimitName::OutputPixels);
    let sliver = Header {
        width: 1,
        height: 30_000,
        ..photo()
    };
    assert_eq!(
        refused(&sliver, "resize:65535,enlarge=true", &limits),
        LimitName::OutputPixels
    );
    let narrow = Limits {
        max_task_memory_bytes: 10_000_000,
        ..limits
    };
    assert_eq!(
        refused(&photo(), "grayscale | blur:2", &narrow),
        LimitName::TaskMemoryBytes
    );
}

#[test]
fn an_output_larger_than_its_format_holds_is_impossible() {
    let long = Header {
        width: 20_000,
        height: 10,
        ..photo()
    };
    match plan(&long, &"grayscale => webp".parse().unwrap(), &Limits::default()) {
        Err(EngineError::Impossible(message)) => assert!(message.contains("16383"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn notes_tell_what_is_lost() {
    let animation = Header {
        format: ImageFormat::Webp,
        frames: 7,
        color: ColorModel::Rgba,
        ..photo()
    };
    let notes = planned(&animation, "blur:2 => jpeg").warnings().join("; ");
    assert!(notes.contains("7 frames") && notes.contains("transparent"), "{notes}");
    assert!(planned(&photo(), "blur:2").warnings().is_empty());
}

#[test]
fn a_plan_reads_well() {
    let text = planned(&on_its_side(), "orient | grayscale | blur:2").to_string();
    let expected = "  1. decode     jpeg, luma alone (does grayscale) -> 4000 x 3000, gray, 8 bit (13.0 MB)
  2. orient     quarter turn clockwise -> 3000 x 4000, gray, 8 bit (25.0 MB)
  3. blur       Gaussian, sigma 2 px -> 3000 x 4000, gray, 8 bit (13.3 MB)
  4. encode     jpeg, quality 75 -> 3000 x 4000, gray, 8 bit (19.1 MB)
memory at the peak, estimated, without the input: 25.0 MB";
    // What is left out are times: the figures behind them are measured again now and then.
    let without_times: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("time"))
        .map(|line| match line.rsplit_once(", ") {
            Some((begin, time)) if time.ends_with(" ms)") => format!("{begin})"),
            _ => line.to_owned(),
        })
        .collect();
    assert_eq!(without_times.join("\n"), expected);
}

/// One recipe for each step and each format.
const EVERYTHING: [&str; 37] = [
    "rotate:90 => jpeg",
    "flip => jpeg",
    "grayscale => jpeg:50",
    "grayscale | blur:2",
    "grayscale | blur:5 => png",
    "blur:2 => png:effort=2",
    "blur:30",
    "sharpen:2",
    "resize:150",
    "resize:400,linear=true => webp",
    "resize:9000,enlarge=true => webp:lossless=true",
    "crop:90,height=80",
    "crop:90,height=80,gravity=attention",
    "pad:9",
    "rotate:30",
    "round:10 => webp:effort=0",
    "round:10 | flatten",
    "trim => gif",
    "pixelate:9 => tiff",
    "median:1 => bmp",
    "median:9 => qoi",
    "edge => avif:effort=3",
    "normalise => info",
    "watermark:logo.png",
    "text:hello",
    "brightness:2",
    "contrast:2",
    "gamma:2",
    "invert",
    "threshold",
    "saturation:2",
    "hue:20",
    "sepia",
    "tint:#804000",
    "blur:1 => jpeg:progressive=true",
    "blur:1 => jpeg:95,optimize=true",
    "=> resize:100 | png:name=a ; resize:200 | jpeg:name=b",
];

#[test]
fn every_stage_takes_time_and_no_less_of_a_larger_picture() {
    // Of one shape, so that what is made of a larger one is no smaller.
    let sides = [(300, 200), (303, 202), (1200, 800), (4500, 3000)];
    for recipe in EVERYTHING {
        let mut before = Vec::new();
        for (width, height) in sides {
            let header = Header {
                width,
                height,
                ..photo()
            };
            let plan = planned(&header, recipe);
            let times: Vec<_> = plan.stages().iter().map(|stage| stage.estimated_time()).collect();
            assert!(times.iter().all(|time| !time.is_zero()), "{plan}");
            assert_eq!(times.iter().sum::<Duration>(), plan.estimated_time());
            if times.len() == before.len() {
                assert!(
                    times.iter().zip(&before).all(|(time, before)| time >= before),
                    "{recipe}: {plan}"
                );
            }
            before = times;
        }
    }
}

#[test]
fn every_frame_of_an_animation_takes_time() {
    let of = |frames| {
        let header = Header {
            format: ImageFormat::Gif,
            color: ColorModel::Rgba,
            width: 300,
            height: 200,
            frames,
            ..photo()
        };
        planned(&header, "blur:2 => webp").estimated_time()
    };
    assert!(
        of(40) > of(20) && of(20) > of(1) * 10,
        "{:?} {:?} {:?}",
        of(40),
        of(20),
        of(1)
    );
}

#[test]
fn what_a_plan_prints_says_that_times_are_estimates_and_for_which_machine() {
    let plan = planned(&photo(), "blur:2");
    let shown = plan.to_string();
    let last = shown.lines().last().unwrap_or_default();
    assert!(
        last.contains("estimate") && last.contains(plan.machine()) && last.ends_with(" ms"),
        "{last}"
    );
}

#[test]
fn a_trimmed_picture_is_planned_at_its_largest() {
    // What a trim leaves may be of any proportions.
    let square = Header {
        width: 1000,
        height: 1000,
        ..photo()
    };
    for (recipe, largest) in [
        ("trim | resize:100 => png", (100, 1000)),
        ("trim | resize:height=100 => png", (1000, 100)),
        ("trim | resize:100,height=100 => png", (100, 100)),
        ("trim | resize:100,height=100,fit=cover => png", (100, 100)),
        ("trim | resize:100,height=100,fit=outside => png", (1000, 1000)),
        ("trim | resize:2000 => png", (1000, 1000)),
    ] {
        let plan = planned(&square, recipe);
        let last = plan.stages().last().unwrap();
        assert_eq!((last.width(), last.height()), largest, "{recipe}");
    }
}
