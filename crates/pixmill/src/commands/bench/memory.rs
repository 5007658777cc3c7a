//! What `serve` takes when idle, and what a large upload adds.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::client::{Connection, UploadForm};
use super::cpu;
use super::input::Photo;
use super::server::Server;

/// Size of the large upload, bytes: just what `max_input_bytes` allows by default.
const LARGE_UPLOAD: usize = 64 * 1024 * 1024 - 1024;

/// Resident memory of the server.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MemoryFigures {
    /// After its start, bytes.
    pub(super) idle_bytes: u64,
    /// What one upload of 64 MiB adds at its peak, bytes.
    pub(super) large_upload_adds_bytes: u64,
}

pub(super) async fn measure(photos: &[Photo], scratch: &Path) -> anyhow::Result<MemoryFigures> {
    let photo = photos
        .iter()
        .min_by_key(|photo| photo.size())
        .context("no photo was given")?;
    let serving = Server::start(scratch, &[])?;
    Connection::open(serving.address).await?.get("/v1/stats").await?;
    let idle_bytes = cpu::status_bytes(serving.pid(), "VmRSS")?;
    drop(serving);
    // Nothing mills here: the memory of milling is the engine's, and bounded by its own budget.
    let accepting = Server::start(scratch, &["--slots", "0"])?;
    let mut connection = Connection::open(accepting.address).await?;
    connection.upload(UploadForm::new(photo).numbered(0)).await?;
    let large = UploadForm::new(&photo.padded(LARGE_UPLOAD));
    let before = cpu::status_bytes(accepting.pid(), "VmRSS")?;
    cpu::reset_peak_memory(accepting.pid())?;
    connection.upload(large.numbered(1)).await?;
    let peak = cpu::status_bytes(accepting.pid(), "VmHWM")?;
    Ok(MemoryFigures {
        idle_bytes,
        large_upload_adds_bytes: peak.saturating_sub(before),
    })
}
