//! `pixmill bench`: engine alone, broker alone and the whole pipeline over HTTP, on this machine, in one run.
//!
//! Inputs are distinct bytes of the given photos, so that no cache helps. Each figure is a median over the rounds.

mod acknowledgement;
mod broker;
mod client;
mod cpu;
mod engine;
mod idle;
mod input;
mod load;
mod memory;
mod pipeline;
mod redis;
mod report;
mod server;
mod statistics;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::BenchArgs;
use crate::output;
use input::Photo;
use report::{PhotoReport, Report};

pub(super) use load::run as load;

/// What every measurement needs to know.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// How long one measurement runs at least.
    duration: Duration,
    /// How often each is repeated.
    rounds: u32,
}

pub(super) fn run(arguments: &BenchArgs) -> anyhow::Result<ExitCode> {
    let effort = Effort {
        duration: Duration::from_secs(arguments.seconds.into()),
        rounds: arguments.rounds,
    };
    if let Some(address) = &arguments.broker {
        return run_redis(address, effort, arguments);
    }
    let photos = arguments
        .photos
        .iter()
        .map(|path| Photo::read(path).with_context(|| format!("cannot measure with {}", path.display())))
        .collect::<anyhow::Result<Vec<_>>>()?;
    std::fs::create_dir_all(&arguments.scratch)
        .with_context(|| format!("cannot make {}", arguments.scratch.display()))?;
    let scratch = tempfile::tempdir_in(&arguments.scratch).context("cannot make a folder to measure in")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let mut report = Report::new();
    for photo in &photos {
        eprintln!("{}: engine alone", photo.name);
        let engine = engine::measure(photo, effort)?;
        eprintln!("{}: whole pipeline", photo.name);
        let pipeline = runtime.block_on(pipeline::measure(photo, effort, scratch.path()))?;
        report.photos.push(PhotoReport::new(photo, engine, pipeline));
    }
    eprintln!("broker alone");
    report.broker = Some(broker::measure(effort, scratch.path())?);
    eprintln!("acknowledgement");
    report.acknowledgement = Some(runtime.block_on(acknowledgement::measure(&photos, effort, scratch.path()))?);
    eprintln!("memory");
    report.memory = Some(runtime.block_on(memory::measure(&photos, scratch.path()))?);

    print(&report, arguments)
}

/// The broker alone, in Redis: under load, or with idle workers.
fn run_redis(address: &str, effort: Effort, arguments: &BenchArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(workers) = arguments.idle_workers {
        let figures = runtime.block_on(idle::measure(address, workers, effort))?;
        return print(&figures, arguments);
    }
    let figures = runtime.block_on(redis::measure(address, effort))?;
    print(&figures, arguments)
}

/// Prints figures as a table and, when asked, as JSON.
fn print(figures: &(impl std::fmt::Display + serde::Serialize), arguments: &BenchArgs) -> anyhow::Result<ExitCode> {
    output::print(&figures.to_string())?;
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(figures).context("cannot print the figures")?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
