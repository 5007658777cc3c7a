//! Mills files again and again and prints the median time of every stage, milliseconds.
//!
//! `cargo run --release -p pixmill-engine --example stages -- 'orient | grayscale | blur:2' photo.jpg …`

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use pixmill_engine::{NeverStop, mill};
use pixmill_types::{Limits, Recipe};

/// How long each file is milled, at least.
const ENOUGH: Duration = Duration::from_secs(2);
const LEAST_RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let recipe: Recipe = arguments.next().ok_or("give a recipe, then files")?.parse()?;
    for path in arguments {
        let input = std::fs::read(&path)?;
        let mut totals = Vec::new();
        let mut stages = BTreeMap::<(usize, &str), Vec<Duration>>::new();
        let mut bytes = 0;
        let begin = Instant::now();
        while totals.len() < LEAST_RUNS || begin.elapsed() < ENOUGH {
            let start = Instant::now();
            let milled = mill(&input, &recipe, &Limits::default(), &NeverStop)?;
            totals.push(start.elapsed());
            for (index, (name, time)) in milled.timings.into_iter().enumerate() {
                stages.entry((index, name)).or_default().push(time);
            }
            bytes = milled.outputs.iter().map(|output| output.bytes.len()).sum();
        }
        let runs = totals.len();
        print!("{path}: {:.2}", median(totals));
        for ((_, name), times) in stages {
            print!("  {name} {:.2}", median(times));
        }
        println!("  ({runs} runs, {bytes} bytes out)");
    }
    Ok(())
}

/// The middle of some times, milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}
