//! Plans of steps that change sides: what they make of them, what is moved forward, what limits refuse.

use pixmill_engine::probe::{ColorModel, Header, Streaming, probe};
use pixmill_engine::{EngineError, Plan, plan};
use pixmill_types::{ImageFormat, LimitName, Limits};

use crate::support::{header_of_a_photo, mill, read};

/// A JPEG of 4000 x 3000 that our core can decode.
fn photo() -> Header {
    Header {
        streaming: Streaming::Colour,
        ..header_of_a_photo()
    }
}

fn drawing() -> Header {
    Header {
        format: ImageFormat::Png,
        color: ColorModel::Rgba,
        streaming: Streaming::No,
        ..photo()
    }
}

fn planned(header: &Header, recipe: &str) -> Plan {
    plan(header, &recipe.parse().unwrap(), &Limits::default()).unwrap_or_else(|error| panic!("{recipe}: {error}"))
}

/// The plan's stages between decoding and encoding as `name width x height`.
fn stages(header: &Header, recipe: &str) -> Vec<String> {
    let plan = planned(header, recipe);
    let shown = plan
        .stages()
        .iter()
        .filter(|stage| !["decode", "encode"].contains(&stage.name()));
    shown
        .map(|stage| format!("{} {}x{}", stage.name(), stage.width(), stage.height()))
        .collect()
}

#[test]
fn sides_are_what_steps_say() {
    for (recipe, expected) in [
        ("crop:9000,height=200", "crop 4000x200"),
        ("crop:left=3999,top=1", "crop 1x2999"),
        ("pad:10", "pad 4020x3020"),
        ("pad:width=100,height=3001", "pad 4000x3001"),
        ("rotate:90", "orient 3000x4000"),
        ("rotate:45", "rotate 4950x4950"),
        ("rotate:-30", "rotate 4965x4599"),
        ("round:10", "round 4000x3000"),
        ("trim", "trim 4000x3000"),
        ("resize:100,height=100,fit=outside", "resize 133x100"),
        ("resize:100,fit=outside", "resize 100x75"),
        ("resize:100,height=100,fit=cover", "resize 100x100"),
        (
            "resize:100,height=100,fit=cover,gravity=attention",
            "resize 133x100, attention 100x100",
        ),
        ("resize:100,height=100,fit=contain", "resize 100x75, pad 100x100"),
        ("resize:100,height=75,fit=contain", "resize 100x75"),
        ("resize:5000,height=3100,fit=contain", "pad 5000x3100"),
        (
            "resize:5000,height=5000,fit=contain,enlarge=true",
            "resize 5000x3750, pad 5000x5000",
        ),
        (
            "resize:4000,height=200,fit=cover,gravity=attention",
            "attention 4000x200",
        ),
    ] {
        assert_eq!(stages(&photo(), recipe).join(", "), expected, "{recipe}");
    }
    for unchanged in [
        "crop:4000,height=3000",
        "pad:0",
        "pad:width=9,height=9",
        "flatten",
        "rotate:360",
        "crop:left=0",
    ] {
        assert_eq!(stages(&photo(), unchanged), ["copy 4000x3000"], "{unchanged}");
    }
    assert_eq!(stages(&drawing(), "flatten | flatten:red"), ["flatten 4000x3000"]);
}

#[test]
fn a_crop_comes_before_what_gives_the_same_on_less() {
    for (recipe, expected) in [
        ("invert | crop:100,height=50", "crop 100x50, curve 100x50"),
        (
            "sepia | brightness:0.5 | crop:100,height=50 | contrast:2",
            "crop 100x50, matrix 100x50, curve 100x50",
        ),
        // The kernel of sigma 2 reaches 8 pixels.
        ("blur:2 | crop:100,height=50", "crop 116x66, blur 116x66, crop 100x50"),
        (
            "blur:2 | crop:100,height=50,gravity=north-west",
            "crop 108x58, blur 108x58, crop 100x50",
        ),
        ("blur:2 | crop:3900,height=2900", "blur 4000x3000, crop 3900x2900"),
        (
            "crop:800,height=700,left=9,top=9 | invert | crop:100,height=50",
            "crop 100x50, curve 100x50",
        ),
        ("pad:10 | crop:100,height=50", "crop 100x50"),
        (
            "pad:10 | crop:100,height=50,gravity=north-west",
            "crop 90x40, pad 100x50",
        ),
        ("resize:1000 | crop:100,height=50", "resize 100x50"),
        (
            "resize:1000,filter=nearest | crop:100,height=50",
            "resize 1000x750, crop 100x50",
        ),
        ("rotate:90 | crop:100,height=50", "crop 50x100, orient 100x50"),
        ("round:9 | crop:100,height=50", "round 4000x3000, crop 100x50"),
        ("rotate:45 | crop:100,height=50", "rotate 4950x4950, crop 100x50"),
        ("trim | crop:100,height=50", "trim 4000x3000, crop 100x50"),
    ] {
        assert_eq!(stages(&drawing(), recipe).join(", "), expected, "{recipe}");
    }
}

#[test]
fn a_jpeg_is_decoded_smaller_although_it_is_cut_or_bordered_around_a_resize() {
    for (recipe, decoded) in [
        ("resize:200 | crop:100,height=50", (500, 375)),
        ("resize:200 | pad:10", (500, 375)),
        ("resize:200,height=200,fit=contain", (500, 375)),
        ("resize:180,height=180,fit=cover,gravity=attention", (500, 375)),
        ("crop:left=400,top=301 | resize:200", (500, 375)),
        (
            "crop:left=400,top=301 => resize:200 | jpeg:name=a ; resize:300 | jpeg:name=b",
            (500, 375),
        ),
        (
            "crop:left=400,top=301 => resize:200 | jpeg:name=a ; resize:300 | png:name=b",
            (1000, 750),
        ),
        ("=> resize:200 | webp:name=a ; resize:400 | jpeg:name=b", (500, 375)),
        (
            "=> resize:200 | webp:name=a ; resize:400 | webp:lossless=true,name=b",
            (1000, 750),
        ),
        ("=> resize:200 | webp:name=a ; resize:400 | webp:90,name=b", (1000, 750)),
        (
            "=> crop:2000 | resize:200 | jpeg:name=a ; resize:150 | jpeg:name=b",
            (500, 375),
        ),
        ("orient | crop:1600 | rotate:90 | resize:200", (500, 375)),
        ("crop:left=400 | resize:200,linear=true", (4000, 3000)),
        ("pad:10 | resize:200", (4000, 3000)),
    ] {
        let plan = planned(&photo(), recipe);
        let stage = &plan.stages()[0];
        assert_eq!((stage.width(), stage.height()), decoded, "{recipe}\n{plan}");
    }
}

#[test]
fn luma_alone_is_decoded_unless_a_background_brings_colour_or_pixels_are_looked_at() {
    for (recipe, is_luma) in [
        ("crop:100 | grayscale", true),
        ("pad:5,background=#777 | grayscale", true),
        ("pad:5,background=red | grayscale", false),
        ("pad:5,background=#7778 | grayscale", true),
        ("rotate:90,background=red | grayscale", true),
        ("rotate:30 | grayscale", true),
        ("rotate:30,background=red | grayscale", false),
        ("round:50% | grayscale", true),
        ("flatten:red | grayscale", false),
        ("resize:100,height=100,fit=contain | grayscale", true),
        ("resize:100,height=100,fit=contain,background=red | grayscale", false),
        ("resize:100,height=100,fit=cover,gravity=attention | grayscale", false),
        ("resize:100,linear=true | grayscale", false),
        ("crop:100,gravity=attention | grayscale", false),
        ("trim | grayscale", false),
        ("grayscale | trim | pad:3,background=red", true),
    ] {
        let plan = planned(&photo(), recipe);
        let includes = plan.stages()[0].includes().contains(&"grayscale");
        assert_eq!(includes, is_luma, "{recipe}\n{plan}");
    }
}

#[test]
fn notes_tell_what_jpeg_loses_of_corners_and_borders() {
    for (recipe, is_told) in [
        ("round:9 => jpeg", true),
        ("pad:9,background=transparent => jpeg", true),
        ("pad:9 => jpeg", false),
        ("round:9 => png", false),
        ("round:9 | flatten => jpeg", false),
        ("trim => round:9 | jpeg", true),
    ] {
        let notes = planned(&photo(), recipe).warnings().join("; ");
        assert_eq!(notes.contains("transparent"), is_told, "{recipe}: {notes}");
    }
    let milled = mill(&read("photos/kodak_14.png"), "round:50% => jpeg").unwrap();
    assert_eq!(milled.warnings.len(), 1, "{:?}", milled.warnings);
}

#[test]
fn limits_are_checked_before_memory_is_taken() {
    let limits = Limits {
        max_output_pixels: 20_000_000,
        ..Limits::default()
    };
    for (recipe, actual) in [
        ("pad:65535", 135_070 * 134_070),
        ("pad:width=60000,height=60000", 3_600_000_000),
        ("rotate:45", 4950 * 4950),
        ("resize:5000,height=5000,fit=contain,enlarge=true", 25_000_000),
        ("resize:65535,height=65535,fit=outside,enlarge=true", 87_380 * 65_535),
        ("trim | pad:5000", 14_000 * 13_000),
    ] {
        match plan(&photo(), &recipe.parse().unwrap(), &limits) {
            Err(EngineError::Limit(exceeded)) => {
                let expected = (LimitName::OutputPixels, 20_000_000, actual);
                assert_eq!((exceeded.name, exceeded.limit, exceeded.actual), expected, "{recipe}");
            }
            other => panic!("{recipe}: {other:?}"),
        }
    }
    // However often a picture grows, no number overflows.
    let huge = ["pad:65535"; 60].join(" | ") + " | resize:65535,enlarge=true | rotate:1 | crop:left=9";
    assert!(matches!(
        plan(&photo(), &huge.parse().unwrap(), &limits),
        Err(EngineError::Limit(_))
    ));
}

#[test]
fn what_a_trim_leaves_is_checked_again() {
    // 400 x 4 of 400 x 400 are left, which enlarged to a height of 400 are far wider than planned.
    let wide = crate::exact::Kind {
        channels: 1,
        is_deep: false,
        orientation: 1,
    };
    let line = wide.noise(400, 4).pad([0, 198, 0, 198], &[0.0]);
    let input = wide.to_png(&line);
    let recipe = "trim:0 | resize:height=400,enlarge=true";
    let limits = Limits {
        max_output_pixels: 1_000_000,
        ..Limits::default()
    };
    let header = probe(&input).unwrap();
    assert!(plan(&header, &recipe.parse().unwrap(), &limits).is_ok());
    match pixmill_engine::mill(&input, &recipe.parse().unwrap(), &limits, &pixmill_engine::NeverStop) {
        Err(EngineError::Limit(exceeded)) => assert_eq!(
            (exceeded.name, exceeded.limit, exceeded.actual),
            (LimitName::OutputPixels, 1_000_000, 40_000 * 400)
        ),
        other => panic!("{other:?}"),
    }
    let per_output = "trim:0 => png:name=a ; resize:height=400,enlarge=true | webp:name=b";
    match mill(&input, per_output) {
        Err(EngineError::Impossible(message)) => {
            assert_eq!(
                message,
                "output 2 would be 40000 x 400 pixels, a webp holds at most 16383 a side"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_of_shapes_reads_well() {
    let text = planned(
        &drawing(),
        "crop:3000,height=2000 | resize:300,height=300,fit=contain,background=#f00,linear=true | rotate:-10 | round:10%",
    )
    .to_string();
    let details: Vec<_> = text.lines().map(|line| line.split(" -> ").next().unwrap()).collect();
    assert_eq!(
        details[1..6],
        [
            "  2. crop       500 px off the left, 500 above, 500 off the right, 500 below",
            "  3. resize     3000 x 2000 to 300 x 200, Lanczos 3, of light",
            "  4. pad        0 px on the left, 50 above, 0 on the right, 50 below, #ff0000",
            "  5. rotate     -10 degrees clockwise on #ffffff, Catmull-Rom",
            "  6. round      corners by 34.8 px",
        ]
    );
    let text = planned(&drawing(), "trim | resize:300,height=300,fit=cover,gravity=north").to_string();
    let details: Vec<_> = text.lines().map(|line| line.split(" -> ").next().unwrap()).collect();
    assert_eq!(
        details[1..3],
        [
            "  2. trim       the colour of the corner, 10 levels of tolerance; sizes from here on are the largest there may be without enlarging",
            "  3. resize     3000 x 3000 from 500, 0 to 300 x 300, Lanczos 3",
        ]
    );
}
