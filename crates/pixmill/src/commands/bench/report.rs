//! The figures as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use super::acknowledgement::AcknowledgementFigures;
use super::broker::BrokerFigures;
use super::engine::EngineFigures;
use super::input::Photo;
use super::memory::MemoryFigures;
use super::pipeline::PipelineFigures;
use crate::machine;

/// Everything one run measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: &'static str,
    cores: usize,
    pub(super) photos: Vec<PhotoReport>,
    pub(super) broker: Option<BrokerFigures>,
    pub(super) acknowledgement: Option<AcknowledgementFigures>,
    pub(super) memory: Option<MemoryFigures>,
}

/// What one photo measured.
#[derive(Debug, Serialize)]
pub(super) struct PhotoReport {
    name: String,
    megapixels: f64,
    bytes: usize,
    engine: EngineFigures,
    pipeline: PipelineFigures,
    /// The pipeline's throughput as a share of the engine's own.
    pipeline_share: f64,
    /// CPU time of one task outside the engine, milliseconds; the load generator's share included.
    overhead_cpu_ms: f64,
}

impl PhotoReport {
    pub(super) fn new(photo: &Photo, engine: EngineFigures, pipeline: PipelineFigures) -> Self {
        let total: f64 = pipeline.cpu_ms_per_task.values().sum();
        Self {
            name: photo.name.clone(),
            megapixels: photo.megapixels(),
            bytes: photo.size(),
            pipeline_share: pipeline.tasks_per_second / engine.tasks_per_second,
            overhead_cpu_ms: total - engine.cpu_ms_per_task,
            engine,
            pipeline,
        }
    }
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            cores: machine::cores(),
            photos: Vec::new(),
            broker: None,
            acknowledgement: None,
            memory: None,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pixmill {}, {} cores, default recipe, medians\n",
            self.version, self.cores
        )?;
        writeln!(
            f,
            "| photo | MP | engine alone, tasks/s | pipeline over HTTP, tasks/s | share | CPU outside the engine, ms a task |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for photo in &self.photos {
            writeln!(
                f,
                "| {} | {:.1} | {:.1} | {:.1} | {:.0}% | {:.2} |",
                photo.name,
                photo.megapixels,
                photo.engine.tasks_per_second,
                photo.pipeline.tasks_per_second,
                photo.pipeline_share * 100.0,
                photo.overhead_cpu_ms
            )?;
        }
        writeln!(
            f,
            "\n| CPU by part, ms a task | engine alone | in the pipeline |\n|---|---|---|"
        )?;
        for photo in &self.photos {
            let parts: Vec<_> = photo
                .pipeline
                .cpu_ms_per_task
                .iter()
                .map(|(part, cost)| format!("{part} {cost:.2}"))
                .collect();
            writeln!(
                f,
                "| {} | {:.2} | {} |",
                photo.name,
                photo.engine.cpu_ms_per_task,
                parts.join(", ")
            )?;
        }
        writeln!(f, "\n| figure | value |\n|---|---|")?;
        if let Some(broker) = &self.broker {
            writeln!(
                f,
                "| broker alone, durable cycles/s, 64 in flight | {:.0} |",
                broker.cycles_per_second
            )?;
            writeln!(
                f,
                "| idle worker: submission to claim, p50 / p99 | {:.2} / {:.2} ms |",
                broker.wake_up_p50_ms, broker.wake_up_p99_ms
            )?;
        }
        if let Some(figures) = &self.acknowledgement {
            for (what, latency) in [
                ("workers idle", &figures.idle),
                ("workers saturated", &figures.saturated),
            ] {
                writeln!(
                    f,
                    "| 202 for {} bytes, {what}, p50 / p99 | {:.1} / {:.1} ms ({} uploads) |",
                    figures.upload_bytes, latency.p50_ms, latency.p99_ms, latency.uploads
                )?;
            }
        }
        if let Some(memory) = &self.memory {
            let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            writeln!(
                f,
                "| `serve` idle, resident | {:.1} MiB |",
                mebibytes(memory.idle_bytes)
            )?;
            writeln!(
                f,
                "| a 64 MiB upload adds at most | {:.1} MiB |",
                mebibytes(memory.large_upload_adds_bytes)
            )?;
        }
        Ok(())
    }
}
