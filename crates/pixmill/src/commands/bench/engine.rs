//! The engine alone: the default job on distinct inputs, on every core.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pixmill_engine::{EngineError, NeverStop};
use pixmill_types::{Limits, Recipe};
use serde::Serialize;

use super::input::Photo;
use super::statistics::median;
use super::{Effort, cpu};
use crate::machine;

/// What the engine does alone.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EngineFigures {
    /// Images a second on all cores.
    pub(super) tasks_per_second: f64,
    /// CPU time of one image, milliseconds.
    pub(super) cpu_ms_per_task: f64,
}

pub(super) fn measure(photo: &Photo, effort: Effort) -> anyhow::Result<EngineFigures> {
    let mut rates = Vec::new();
    let mut costs = Vec::new();
    mill_for(photo, Duration::from_millis(300))?;
    for _ in 0..effort.rounds {
        let (rate, cost) = mill_for(photo, effort.duration)?;
        rates.push(rate);
        costs.push(cost);
    }
    Ok(EngineFigures {
        tasks_per_second: median(&rates),
        cpu_ms_per_task: median(&costs),
    })
}

/// Mills on every core for `duration`; images a second, and CPU milliseconds an image.
fn mill_for(photo: &Photo, duration: Duration) -> Result<(f64, f64), EngineError> {
    let (recipe, limits) = (Recipe::default(), Limits::default());
    let number = AtomicU64::new(0);
    let start = Instant::now();
    let mill_until_over = || {
        let (mut done, mut cost) = (0_u32, Duration::ZERO);
        while start.elapsed() < duration {
            let input = photo.distinct(number.fetch_add(1, Ordering::Relaxed));
            let before = cpu::of_this_thread();
            pixmill_engine::mill(&input, &recipe, &limits, &NeverStop)?;
            cost += cpu::of_this_thread() - before;
            done += 1;
        }
        Ok((done, cost))
    };
    let ended: Vec<Result<(u32, Duration), EngineError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..machine::cores()).map(|_| scope.spawn(mill_until_over)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let elapsed = start.elapsed();
    let (mut done, mut cost) = (0, Duration::ZERO);
    for result in ended {
        let (tasks, time) = result?;
        done += tasks;
        cost += time;
    }
    Ok((
        f64::from(done) / elapsed.as_secs_f64(),
        cost.as_secs_f64() * 1e3 / f64::from(done),
    ))
}
