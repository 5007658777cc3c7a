//! How long a client waits for its 202: workers idle, and workers saturated.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tokio::task::LocalSet;

use super::Effort;
use super::client::{Connection, UploadForm};
use super::input::Photo;
use super::server::Server;
use super::statistics::percentile;

/// Connections that upload at the same time.
const CONNECTIONS: u64 = 8;
/// Uploads a second offered while the workers are saturated, whatever the answers take.
const OFFERED_PER_SECOND: u64 = 40;
/// Tasks of the largest photo that keep the workers busy.
const SATURATING_TASKS: u64 = 24;

/// Latencies of one kind of upload.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) uploads: usize,
}

/// What the 202 takes, durable.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AcknowledgementFigures {
    /// Bytes of the photo uploaded: the smallest one given.
    pub(super) upload_bytes: usize,
    /// 8 connections, each uploading as fast as it is answered; nothing mills.
    pub(super) idle: Latency,
    /// 40 uploads a second offered over 8 connections while every slot mills the largest photo; from the moment an
    /// upload was due.
    pub(super) saturated: Latency,
}

pub(super) async fn measure(
    photos: &[Photo],
    effort: Effort,
    scratch: &Path,
) -> anyhow::Result<AcknowledgementFigures> {
    let small = photos
        .iter()
        .min_by_key(|photo| photo.size())
        .context("no photo was given")?;
    let large = photos
        .iter()
        .max_by_key(|photo| photo.size())
        .context("no photo was given")?;
    let (mut idle, mut saturated) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let local = LocalSet::new();
        let server = Server::start(scratch, &["--slots", "0"])?;
        idle.extend(local.run_until(closed_loop(&server, small, effort.duration)).await?);
        drop(server);
        let server = Server::start(scratch, &[])?;
        saturated.extend(
            local
                .run_until(beside_milling(&server, small, large, effort.duration))
                .await?,
        );
    }
    let latency = |values: &[f64]| Latency {
        p50_ms: percentile(values, 0.5),
        p99_ms: percentile(values, 0.99),
        uploads: values.len(),
    };
    Ok(AcknowledgementFigures {
        upload_bytes: small.size(),
        idle: latency(&idle),
        saturated: latency(&saturated),
    })
}

/// Uploads over [`CONNECTIONS`] connections for `duration`; the latencies in milliseconds.
async fn closed_loop(server: &Server, photo: &Photo, duration: Duration) -> anyhow::Result<Vec<f64>> {
    let start = Instant::now();
    per_connection(server, photo, |index| {
        std::iter::successors(Some(index), |number| Some(number + CONNECTIONS))
            .map_while(move |number| (start.elapsed() < duration).then_some((number, Instant::now())))
    })
    .await
}

/// Keeps every slot busy with `large` while `small` is uploaded at a fixed rate.
async fn beside_milling(server: &Server, small: &Photo, large: &Photo, duration: Duration) -> anyhow::Result<Vec<f64>> {
    let mut filler = Connection::open(server.address).await?;
    let form = UploadForm::new(large);
    for number in 0..SATURATING_TASKS {
        filler.upload(form.numbered(number)).await?;
    }
    let keep_busy = tokio::task::spawn_local(async move {
        let mut sent = SATURATING_TASKS;
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let stats = filler.get("/v1/stats").await?;
            let ready = stats["queues"][0]["ready"].as_u64().context("/v1/stats has no queue")?;
            for _ in ready..SATURATING_TASKS {
                filler.upload(form.numbered(sent)).await?;
                sent += 1;
            }
        }
        #[expect(unreachable_code, reason = "tells the compiler what `?` returns")]
        anyhow::Ok(())
    });
    let start = Instant::now();
    let interval = Duration::from_secs(1) / OFFERED_PER_SECOND as u32;
    let offered = u64::try_from(duration.as_millis() / interval.as_millis()).unwrap_or_default();
    let latencies = per_connection(server, small, |index| {
        (index..offered)
            .step_by(CONNECTIONS as usize)
            .map(move |number| (number, start + interval * number as u32))
    })
    .await;
    ensure!(
        !keep_busy.is_finished(),
        "the tasks that keep the workers busy could not be uploaded"
    );
    keep_busy.abort();
    latencies
}

/// Uploads what `schedule` says for each connection: a number, and when it is due.
async fn per_connection<S: Iterator<Item = (u64, Instant)> + 'static>(
    server: &Server,
    photo: &Photo,
    schedule: impl Fn(u64) -> S,
) -> anyhow::Result<Vec<f64>> {
    let form = UploadForm::new(photo);
    let uploads: Vec<_> = (0..CONNECTIONS)
        .map(|index| {
            let (form, schedule, address) = (form.clone(), schedule(index), server.address);
            tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await?;
                let mut latencies = Vec::new();
                for (number, due) in schedule {
                    tokio::time::sleep_until(due.into()).await;
                    connection.upload(form.numbered(number)).await?;
                    latencies.push(due.elapsed().as_secs_f64() * 1e3);
                }
                anyhow::Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for upload in uploads {
        latencies.extend(upload.await.context("an uploading connection ended")??);
    }
    Ok(latencies)
}
