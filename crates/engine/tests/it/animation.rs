//! Animations: every frame as it is to be seen, its time and how often all are shown, kept through steps and formats.

use std::io::Cursor;

use pixmill_engine::EngineError;
use pixmill_engine::probe::probe;
use pixmill_types::{FailureCode, ImageFormat, LimitName, Limits};

use crate::pixels::{Picture, psnr};
use crate::support::{mill, read};

/// What an animation is, read by libraries alone.
#[derive(Debug, PartialEq)]
struct Animation {
    /// All frames, one below the other, RGBA.
    strip: Picture,
    milliseconds: Vec<u32>,
    plays: u32,
}

fn made(input: &[u8], recipe: &str) -> Vec<u8> {
    mill(input, recipe).unwrap().outputs.remove(0).bytes
}

fn rgba(samples: &[u8], channels: usize) -> Vec<u8> {
    samples
        .chunks_exact(channels)
        .flat_map(|pixel| match *pixel {
            [gray] => [gray, gray, gray, 255],
            [gray, alpha] => [gray, gray, gray, alpha],
            [red, green, blue] => [red, green, blue, 255],
            [red, green, blue, alpha, ..] => [red, green, blue, alpha],
            [] => unreachable!(),
        })
        .collect()
}

fn strip(width: usize, height: usize, frames: &[Vec<u8>]) -> Picture {
    Picture {
        width,
        height: height * frames.len(),
        channels: 4,
        samples: frames.concat(),
    }
}

/// Every frame of these covers the whole picture.
fn from_png(file: &[u8]) -> Animation {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().unwrap();
    let control = *reader.info().animation_control().unwrap();
    let (mut frames, mut milliseconds) = (Vec::new(), Vec::new());
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    for _ in 0..control.num_frames {
        let info = reader.next_frame(&mut samples).unwrap();
        let frame = reader.info().frame_control().unwrap();
        assert_eq!((frame.width, frame.height), (reader.info().width, reader.info().height));
        milliseconds.push(u32::from(frame.delay_num) * 1000 / u32::from(frame.delay_den));
        frames.push(rgba(&samples, info.color_type.samples()));
    }
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    Animation {
        strip: strip(width, height, &frames),
        milliseconds,
        plays: control.num_plays,
    }
}

fn from_webp(file: &[u8]) -> Animation {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    let (width, height) = decoder.dimensions();
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let (mut frames, mut milliseconds) = (Vec::new(), Vec::new());
    for _ in 0..decoder.num_frames() {
        let mut samples = vec![0; decoder.output_buffer_size().unwrap()];
        milliseconds.push(decoder.read_frame(&mut samples).unwrap());
        frames.push(rgba(&samples, channels));
    }
    Animation {
        strip: strip(width as usize, height as usize, &frames),
        milliseconds,
        plays: match decoder.loop_count() {
            image_webp::LoopCount::Forever => 0,
            image_webp::LoopCount::Times(times) => u16::from(times).into(),
        },
    }
}

fn from_gif(file: &[u8]) -> Animation {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(Cursor::new(file)).unwrap();
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let (mut frames, mut milliseconds) = (Vec::new(), Vec::new());
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert_eq!(frame.buffer.len(), width * height * 4);
        assert_eq!(frame.dispose, gif::DisposalMethod::Background);
        milliseconds.push(u32::from(frame.delay) * 10);
        frames.push(frame.buffer.to_vec());
    }
    Animation {
        strip: strip(width, height, &frames),
        milliseconds,
        plays: match decoder.repeat() {
            gif::Repeat::Infinite => 0,
            gif::Repeat::Finite(repeats) => u32::from(repeats) + 1,
        },
    }
}

const ANIMATIONS: [(&str, &str, &[u32], u32); 3] = [
    ("formats/animated.gif", "golden/frames_gif.png", &[100, 200, 300, 50], 4),
    (
        "formats/animated.png",
        "golden/frames_png.png",
        &[100, 250, 40, 2000],
        3,
    ),
    ("webp/animated.webp", "golden/frames_webp.png", &[100, 100], 0),
];

#[test]
fn frames_are_what_they_are_elsewhere() {
    for (name, golden, milliseconds, plays) in ANIMATIONS {
        let expected = Picture::from_png(&read(golden));
        // Pillow's decoder of lossy WebP upsamples chroma in another way.
        let least = if name.ends_with("webp") { 40.0 } else { 55.0 };
        let input = read(name);
        for (found, format) in [
            (from_png(&made(&input, "flip | flip => png")), "png"),
            (from_webp(&made(&input, "flip | flip => webp:lossless=true")), "webp"),
        ] {
            assert_eq!(
                (&found.milliseconds[..], found.plays),
                (milliseconds, plays),
                "{name} to {format}"
            );
            let distance = psnr(&found.strip, &expected);
            assert!(distance >= least, "{name} to {format}: {distance:.1} dB");
        }
        let gif = from_gif(&made(&input, "flip | flip => gif:dither=false"));
        assert_eq!(
            (&gif.milliseconds[..], gif.plays),
            (milliseconds, plays),
            "{name} to gif"
        );
    }
    // Few colours, and nothing half see-through: a GIF of a GIF is the same.
    let gif = from_gif(&made(&read("formats/animated.gif"), "flip | flip"));
    assert_eq!(
        gif.strip.seen(),
        Picture::from_png(&read("golden/frames_gif.png")).seen()
    );
}

#[test]
fn steps_are_done_to_every_frame() {
    for (name, ..) in ANIMATIONS {
        let input = read(name);
        let plain = from_png(&made(&input, "flip | flip => png"));
        let frames = plain.milliseconds.len();
        let inverted = from_png(&made(&input, "invert => png"));
        for (before, after) in plain
            .strip
            .samples
            .as_chunks::<4>()
            .0
            .iter()
            .zip(inverted.strip.samples.as_chunks::<4>().0)
        {
            let expected = [0, 1, 2, 3].map(|at| if at == 3 { before[3] } else { 255 - before[at] });
            assert_eq!(*after, expected, "{name}");
        }
        let small = from_png(&made(&input, "resize:8 | grayscale => png"));
        assert_eq!(small.strip.width, 8, "{name}");
        assert_eq!(small.milliseconds, plain.milliseconds, "{name}");
        assert!(small.strip.height.is_multiple_of(frames), "{name}");
    }
}

/// An animation of 12 x 10 white pixels with a dark box in each frame, given as left, top, width and height.
fn boxes(boxes: &[[u32; 4]]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 12, 10);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_animated(boxes.len() as u32, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for [left, top, width, height] in boxes {
        let pixels: Vec<u8> = (0..120)
            .flat_map(|index| {
                let (x, y) = (index % 12, index / 12);
                let is_inside = (*left..left + width).contains(&x) && (*top..top + height).contains(&y);
                if is_inside { [40, 20, 60 + x as u8] } else { [255; 3] }
            })
            .collect();
        writer.write_image_data(&pixels).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn a_trim_leaves_what_any_frame_shows() {
    // Of the second frame nothing but the border is there: it asks for nothing.
    let input = boxes(&[[2, 3, 3, 2], [0, 0, 0, 0], [6, 1, 2, 4], [3, 3, 1, 4]]);
    let seen = |recipe: &str| from_png(&made(&input, recipe)).strip.seen();
    let together = seen("crop:6,height=6,left=2,top=1 => png");
    assert_eq!(seen("trim => png"), together);
    assert_eq!(seen("orient => trim | png ; gif"), together);
    assert_eq!(seen("trim | flip | flip | trim => png"), together);
    assert_eq!(
        seen("trim | pad:2,background=#401000 => trim | png ; webp"),
        together,
        "a trim of one output after one that all share"
    );
    assert_eq!(
        seen("flop | trim | resize:3 => png"),
        seen("flop | crop:6,height=6,left=4,top=1 | resize:3 => png"),
        "what follows is worked out for what was left"
    );
    for recipe in ["trim => gif", "trim => webp:lossless=true"] {
        let header = probe(&made(&input, recipe)).unwrap();
        assert_eq!((header.width, header.height, header.frames), (6, 6, 4), "{recipe}");
    }
    // A still picture is of the first frame; what is shared is still that of all.
    let milled = mill(&input, "trim => png ; jpeg:name=still").unwrap();
    let sides: Vec<_> = milled
        .outputs
        .iter()
        .map(|output| (output.width, output.height))
        .collect();
    assert_eq!(sides, [(6, 6), (6, 6)]);
    let still = mill(&input, "trim => jpeg").unwrap();
    assert_eq!((still.outputs[0].width, still.outputs[0].height), (3, 2));
    // Nothing but a border stays as it is.
    let empty = boxes(&[[0; 4], [0; 4]]);
    assert_eq!(from_png(&made(&empty, "trim => png")).strip.width, 12);
}

#[test]
fn each_output_holds_what_it_can() {
    let input = read("formats/animated.gif");
    let milled = mill(
        &input,
        "invert => webp:name=a ; jpeg:name=b ; resize:4 | gif:name=c ; png:name=d,frames=first ; auto:name=e",
    )
    .unwrap();
    let facts: Vec<_> = milled
        .outputs
        .iter()
        .map(|output| (output.format, output.width, probe(&output.bytes).unwrap().frames))
        .collect();
    assert_eq!(
        facts,
        [
            (ImageFormat::Webp.into(), 16, 4),
            (ImageFormat::Jpeg.into(), 16, 1),
            (ImageFormat::Gif.into(), 4, 4),
            (ImageFormat::Png.into(), 16, 1),
            (ImageFormat::Webp.into(), 16, 4)
        ]
    );
    assert_eq!(
        milled
            .warnings
            .iter()
            .filter(|warning| warning.contains("4 frames"))
            .count(),
        1
    );
    // Asked for, so nothing is said.
    assert!(mill(&input, "invert => png:frames=first").unwrap().warnings.is_empty());
    let names: Vec<_> = milled.timings.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["decode", "curve", "encode", "resize"], "all frames together");
}

#[test]
fn metadata_goes_with_an_animation() {
    let input = read("webp/animated.webp");
    let output = made(&input, "flip => webp:metadata=keep");
    assert_eq!(probe(&output).unwrap().frames, 2);
}

#[test]
fn all_frames_count_against_the_limit_of_outputs() {
    let input = read("formats/animated.gif");
    let recipe = "resize:160,enlarge=true => gif".parse().unwrap();
    let limits = |max_output_pixels| Limits {
        max_output_pixels,
        ..Limits::default()
    };
    pixmill_engine::mill(&input, &recipe, &limits(160 * 120 * 4), &pixmill_engine::NeverStop).unwrap();
    match pixmill_engine::mill(&input, &recipe, &limits(160 * 120 * 4 - 1), &pixmill_engine::NeverStop) {
        Err(EngineError::Limit(exceeded)) => {
            assert_eq!(
                (exceeded.name, exceeded.actual),
                (LimitName::OutputPixels, 160 * 120 * 4)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_animation_cut_off_is_truncated() {
    for (name, ..) in ANIMATIONS {
        let file = read(name);
        let whole = made(&file, "flip => png");
        for length in (16..file.len()).step_by(if file.len() > 3_000 { 97 } else { 1 }) {
            match mill(&file[..length], "flip => png") {
                // The frames that are left, where nothing says how many there were; or all of them.
                Ok(milled) => {
                    let frames = probe(&milled.outputs[0].bytes).unwrap().frames;
                    let declared = probe(&file).unwrap().frames;
                    // Last bits of a lossy picture may decide nothing that can be seen.
                    let is_whole = milled.outputs[0].bytes == whole || length + 8 > file.len();
                    assert!(
                        is_whole || frames < declared,
                        "{name} cut to {length} of {}",
                        file.len()
                    );
                }
                Err(error) => {
                    let code = error.to_failure().code;
                    assert_eq!(code, FailureCode::ImageTruncated, "{name} cut to {length}: {error}");
                }
            }
        }
    }
}

#[test]
fn frames_are_laid_on_their_canvas() {
    // A square that walks, each frame of which is disposed of before the next one.
    let walk = read("webp/walk.webp");
    for format in ["png", "webp:lossless=true", "gif"] {
        let file = made(&walk, &format!("=> {format}"));
        let found = match format {
            "png" => from_png(&file),
            "gif" => from_gif(&file),
            _ => from_webp(&file),
        };
        assert_eq!((&found.milliseconds[..], found.plays), (&[100; 4][..], 3), "{format}");
        for (step, frame) in found.strip.samples.chunks(100 * 40 * 4).enumerate() {
            let expected: Vec<u8> = (0..40 * 100)
                .flat_map(|pixel| {
                    let (x, y) = (pixel % 100, pixel / 100);
                    let is_red = (10..30).contains(&y) && (step * 25..step * 25 + 20).contains(&x);
                    if is_red { [255, 0, 0, 255] } else { [0; 4] }
                })
                .collect();
            assert!(frame == expected, "{format}, frame {step}");
        }
        let first = made(&walk, "=> png:frames=first");
        assert_eq!(
            Picture::decode(ImageFormat::Png, &first).samples,
            from_png(&made(&walk, "=> png")).strip.samples[..100 * 40 * 4]
        );
    }
    // Cuts of a picture, of which what changed is laid over what was there.
    let pan = from_png(&made(&read("webp/pan.webp"), "=> png"));
    for (step, frame) in pan.strip.samples.chunks(80 * 60 * 4).enumerate() {
        let cut = format!("crop:80,height=60,left={},top=120 => png", 200 + step * 11);
        let expected = Picture::decode(ImageFormat::Png, &made(&read("photos/kodak_23.png"), &cut));
        assert!(frame == rgba(&expected.samples, expected.channels), "frame {step}");
    }
}

/// An animation of a red square that walks past a blue mark, and something bright that passes.
fn passing() -> Vec<u8> {
    let frames: Vec<Vec<u8>> = (0..4)
        .map(|step| {
            (0..60 * 200)
                .flat_map(|pixel| {
                    let (x, y) = (pixel % 200, pixel / 200);
                    if (20..40).contains(&y) && (step * 45..step * 45 + 20).contains(&x) {
                        [255, 40, 40, 255]
                    } else if (10..50).contains(&y) && (60..90).contains(&x) {
                        [40, 40, 255, 255]
                    } else {
                        [120, 120, 120, 255]
                    }
                })
                .collect()
        })
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 200, 60);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(4, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for frame in &frames {
        writer.write_image_data(frame).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn what_looks_at_pixels_does_the_same_to_all_frames() {
    let input = passing();
    for steps in [
        "crop:80,height=60,gravity=attention",
        "resize:80,height=60,fit=cover,gravity=attention",
    ] {
        let cut = from_png(&made(&input, &format!("{steps} => png")));
        let marks: Vec<Option<usize>> = cut
            .strip
            .samples
            .chunks(80 * 60 * 4)
            .map(|frame| {
                // Above and below the square's way.
                let row = &frame[15 * 80 * 4..16 * 80 * 4];
                row.as_chunks::<4>()
                    .0
                    .iter()
                    .position(|pixel| *pixel == [40, 40, 255, 255])
            })
            .collect();
        assert!(marks[0].is_some(), "{steps}: {marks:?}");
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{steps}: {marks:?}");
    }
    let stretched = from_png(&made(&input, "normalise => png"));
    let corners: Vec<&[u8]> = stretched
        .strip
        .samples
        .chunks(200 * 60 * 4)
        .map(|frame| &frame[..4])
        .collect();
    assert!(corners.iter().all(|corner| *corner == corners[0]), "{corners:?}");
}
