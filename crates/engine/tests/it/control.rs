//! Stopping, and what one run takes.

use std::sync::atomic::{AtomicUsize, Ordering};

use pixmill_engine::{Control, EngineError};
use pixmill_types::{LimitName, Limits};

use crate::support::{mill, read};

/// Says stop when asked for the nth time, and ever after.
pub(crate) struct StopAt {
    asked: AtomicUsize,
    stop_at: usize,
}

impl StopAt {
    pub(crate) fn new(stop_at: usize) -> Self {
        Self {
            asked: AtomicUsize::new(0),
            stop_at,
        }
    }
}

impl Control for StopAt {
    fn should_stop(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= self.stop_at
    }
}

#[test]
fn milling_stops_wherever_it_is_asked_to() {
    let input = read("photos/kodak_23.png");
    let recipe = "orient | grayscale | blur:3 => jpeg:name=a ; png:name=b ; webp:name=c"
        .parse()
        .unwrap();
    let limits = Limits::default();
    let mut stopped = 0;
    for stop_at in 1.. {
        match pixmill_engine::mill(&input, &recipe, &limits, &StopAt::new(stop_at)) {
            Err(EngineError::Stopped) => stopped += 1,
            Ok(milled) => {
                assert_eq!(milled.outputs.len(), 3);
                break;
            }
            Err(error) => panic!("asked {stop_at} times: {error}"),
        }
    }
    // Six stages, 33 strips of the blur, and libwebp's own progress.
    assert!(stopped > 6 + 33, "{stopped}");
}

#[test]
fn steps_that_change_sides_stop_between_rows() {
    let input = read("photos/kodak_23.png");
    let limits = Limits::default();
    let run = |recipe: &str, stop_at: usize| {
        let control = StopAt::new(stop_at);
        let milled = pixmill_engine::mill(&input, &format!("{recipe} => png").parse().unwrap(), &limits, &control);
        (milled, control.asked.into_inner())
    };
    let (_, without) = run("orient", usize::MAX);
    for (recipe, rows) in [
        ("crop:left=9", 512),
        ("pad:9", 530),
        ("rotate:90.5", 770),
        ("round:20%", 102),
        ("round:50% | flatten", 256 + 512),
        ("trim:254", 512),
        ("resize:100,height=100,fit=fill,linear=true", 512 + 100),
        ("crop:100,height=100,gravity=attention", 100),
    ] {
        let (milled, asked) = run(recipe, usize::MAX);
        assert!(milled.is_ok(), "{recipe}");
        // A smaller file asks less often while it is written, but every 64 KiB.
        assert!(asked + 20 >= without + rows, "{recipe}: {asked}, without {without}");
        let (stopped, _) = run(recipe, asked / 2);
        assert_eq!(stopped.err(), Some(EngineError::Stopped), "{recipe}");
    }
}

#[test]
fn every_step_asks_between_rows() {
    let input = read("photos/kodak_23.png");
    let limits = Limits::default();
    for step in ["sharpen", "pixelate:4", "median", "median:3", "edge", "normalise"] {
        let asked = StopAt::new(usize::MAX);
        pixmill_engine::mill(&input, &step.parse().unwrap(), &limits, &asked).unwrap();
        let plain = StopAt::new(usize::MAX);
        pixmill_engine::mill(&input, &"flop".parse().unwrap(), &limits, &plain).unwrap();
        let [asked, plain] = [asked, plain].map(|control| control.asked.into_inner());
        // 512 rows, of which some steps take 16 at a time.
        assert!(asked > plain + 20, "{step}: {asked} and {plain}");
    }
}

#[test]
fn a_file_over_the_limit_is_not_looked_at() {
    let limits = Limits {
        max_input_bytes: 1000,
        ..Limits::default()
    };
    let input = read("photos/kodak_23.png");
    match pixmill_engine::mill(&input, &"orient".parse().unwrap(), &limits, &StopAt::new(usize::MAX)) {
        Err(EngineError::Limit(exceeded)) => assert_eq!(exceeded.name, LimitName::InputBytes),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_input_and_recipe_give_the_same_bytes() {
    for recipe in ["orient | grayscale | blur:2", "resize:100 => webp", "blur:1 => png"] {
        let input = read("bench/photo_0.3mp.jpg");
        let once = mill(&input, recipe).unwrap().outputs.remove(0).bytes;
        assert_eq!(mill(&input, recipe).unwrap().outputs[0].bytes, once, "{recipe}");
    }
}
