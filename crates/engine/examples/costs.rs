//! Measures what stages cost on one core: the figures that `src/plan/time.rs` estimates with, nanoseconds a pixel.
//!
//! `cargo run --release -p pixmill-engine --example costs -- testdata/bench/photo_2mp.jpg`, or with the name of a stage
//! behind it those alone.

use std::error::Error;

use pixmill_engine::{EngineError, NeverStop, mill};
use pixmill_types::Limits;

/// How often each is milled; the median counts.
const RUNS: usize = 5;

/// A stage, the recipe whose it is, and the format that its input is in; `jpeg` is the photo itself.
const CASES: &[(&str, &str, &str)] = &[
    ("stream", "grayscale", "jpeg"),
    ("stream", "grayscale | blur:1", "jpeg"),
    ("stream", "grayscale | blur:3.9", "jpeg"),
    ("stream", "grayscale | blur:5", "jpeg"),
    ("stream", "grayscale | blur:19", "jpeg"),
    ("decode", "grayscale => qoi", "jpeg"),
    ("decode", "grayscale | blur:3.9 | flip => qoi", "jpeg"),
    ("decode", "grayscale | resize:208 => qoi", "jpeg"),
    ("decode", "grayscale | resize:52 => qoi", "jpeg"),
    ("decode", "flip => qoi", "jpeg"),
    ("decode", "resize:208 => qoi", "jpeg"),
    ("decode", "resize:52 => qoi", "jpeg"),
    ("decode", "flip => qoi", "jpeg:progressive=true"),
    ("decode", "flip => qoi", "png"),
    ("decode", "grayscale => qoi", "png"),
    ("decode", "flip => png", "webp:lossless=true"),
    ("decode", "flip => png", "webp:80"),
    ("decode", "flip => png", "gif"),
    ("decode", "flip => png", "tiff"),
    ("decode", "flip => png", "bmp"),
    ("decode", "flip => png", "qoi"),
    ("orient", "flip => qoi", "bmp"),
    ("orient", "rotate:90 => qoi", "bmp"),
    ("grayscale", "sepia | grayscale => qoi", "bmp"),
    ("blur", "blur:1 => qoi", "bmp"),
    ("blur", "blur:10 => qoi", "bmp"),
    ("blur", "blur:40 => qoi", "bmp"),
    ("resize", "resize:832 => qoi", "bmp"),
    ("resize", "resize:208 => qoi", "bmp"),
    ("resize", "resize:3328,enlarge=true => qoi", "bmp"),
    ("resize", "resize:832,linear=true => qoi", "bmp"),
    ("curve", "gamma:2 => qoi", "bmp"),
    ("matrix", "sepia => qoi", "bmp"),
    ("crop", "crop:1600,height=1200 => qoi", "bmp"),
    ("pad", "pad:8 => qoi", "bmp"),
    ("rotate", "rotate:30 => qoi", "bmp"),
    ("round", "round:50% => qoi", "bmp"),
    ("flatten", "round:50% | flatten => qoi", "bmp"),
    ("attention", "crop:832,height=624,gravity=attention => qoi", "bmp"),
    ("trim", "trim => qoi", "bmp"),
    ("sharpen", "sharpen:1 => qoi", "bmp"),
    ("sharpen", "sharpen:10 => qoi", "bmp"),
    ("pixelate", "pixelate:8 => qoi", "bmp"),
    ("median", "median:1 => qoi", "bmp"),
    ("median", "median:2 => qoi", "bmp"),
    ("median", "median:3 => qoi", "bmp"),
    ("median", "median:10 => qoi", "bmp"),
    ("median", "median:20 => qoi", "bmp"),
    ("edge", "edge => qoi", "bmp"),
    ("normalise", "normalise => qoi", "bmp"),
    ("info", "=> info", "bmp"),
    ("encode", "grayscale | flip => jpeg:75", "bmp"),
    ("encode", "flip => jpeg:75", "bmp"),
    ("encode", "flip => jpeg:75,progressive=true", "bmp"),
    ("encode", "flip => jpeg:92", "bmp"),
    ("encode", "flip => png:effort=0", "bmp"),
    ("encode", "flip => png", "bmp"),
    ("encode", "flip => png:effort=2", "bmp"),
    ("encode", "flip => png:effort=3", "bmp"),
    ("encode", "flip => gif", "bmp"),
    ("encode", "flip => tiff", "bmp"),
    ("encode", "flip => bmp", "bmp"),
    ("encode", "flip => qoi", "bmp"),
    ("encode", "flip => webp:80,effort=0", "bmp"),
    ("encode", "flip => webp:80,effort=2", "bmp"),
    ("encode", "flip => webp:80,effort=4", "bmp"),
    ("encode", "flip => webp:80,effort=6", "bmp"),
    ("encode", "flip => webp:lossless=true,effort=0", "bmp"),
    ("encode", "flip => webp:lossless=true,effort=4", "bmp"),
    ("encode", "resize:832 | flip => avif:60,effort=0", "bmp"),
    ("encode", "resize:832 | flip => avif:60,effort=1", "bmp"),
    ("encode", "resize:832 | flip => avif:60,effort=9", "bmp"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let photo = std::fs::read(arguments.next().ok_or("give a photo")?)?;
    let only = arguments.next();
    let cases = CASES
        .iter()
        .filter(|(stage, ..)| only.as_deref().is_none_or(|only| only == *stage));
    for (stage, recipe, format) in cases {
        let input = match *format {
            "jpeg" => photo.clone(),
            other => {
                milled(&photo, &format!("flip | flip => {other}"))?
                    .outputs
                    .remove(0)
                    .bytes
            }
        };
        let header = pixmill_engine::probe::probe_whole(&input)?;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let timings = milled(&input, recipe)?.timings;
            let (_, time) = timings
                .iter()
                .rfind(|(name, _)| name == stage)
                .ok_or("the stage is not run")?;
            times.push(time.as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let each = times[RUNS / 2] * 1e9 / header.pixels() as f64;
        println!("{stage:<10} {each:8.2}  {recipe} (of {format})");
    }
    Ok(())
}

fn milled(input: &[u8], recipe: &str) -> Result<pixmill_engine::Milled, EngineError> {
    let recipe = recipe
        .parse()
        .map_err(|error| EngineError::Internal(format!("{recipe}: {error}")))?;
    mill(input, &recipe, &Limits::default(), &NeverStop)
}
