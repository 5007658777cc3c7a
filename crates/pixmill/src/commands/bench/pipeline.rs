//! The whole pipeline over HTTP: uploads until time is up, then the rest of the queue.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tokio::task::LocalSet;

use super::client::{Connection, UploadForm};
use super::input::Photo;
use super::server::Server;
use super::statistics::median;
use super::{Effort, cpu};

/// Connections that upload.
const CONNECTIONS: usize = 4;
/// Most tasks that wait while uploads go on: the queue never runs dry, and never grows without need.
const BACKLOG: u64 = 64;
/// How often the progress is read.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(20);

/// What the whole pipeline does.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PipelineFigures {
    /// Tasks a second, from the first upload to the last completion.
    pub(super) tasks_per_second: f64,
    /// CPU time of one task, milliseconds: the server's threads by name, and the load generator's.
    pub(super) cpu_ms_per_task: BTreeMap<String, f64>,
}

pub(super) async fn measure(photo: &Photo, effort: Effort, scratch: &Path) -> anyhow::Result<PipelineFigures> {
    let mut rates = Vec::new();
    let mut costs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..effort.rounds {
        let server = Server::start(scratch, &[])?;
        let round = LocalSet::new().run_until(run(photo, effort.duration, &server)).await?;
        rates.push(round.tasks_per_second);
        for (part, cost) in round.cpu_ms_per_task {
            costs.entry(part).or_default().push(cost);
        }
    }
    let cpu_ms_per_task = costs.into_iter().map(|(part, costs)| (part, median(&costs))).collect();
    Ok(PipelineFigures {
        tasks_per_second: median(&rates),
        cpu_ms_per_task,
    })
}

async fn run(photo: &Photo, duration: Duration, server: &Server) -> anyhow::Result<PipelineFigures> {
    let number = Rc::new(Cell::new(0_u64));
    let finished = Rc::new(Cell::new(0_u64));
    let form = UploadForm::new(photo);
    let mut progress = Connection::open(server.address).await?;
    let server_before = cpu::by_thread_name(server.pid())?;
    let client_before = cpu::of_this_process();
    let start = Instant::now();
    let uploads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (number, finished, form) = (Rc::clone(&number), Rc::clone(&finished), form.clone());
            let address = server.address;
            tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await?;
                while start.elapsed() < duration {
                    if number.get() - finished.get() >= BACKLOG {
                        tokio::time::sleep(PROGRESS_INTERVAL / 4).await;
                        continue;
                    }
                    let next = number.get();
                    number.set(next + 1);
                    connection.upload(form.numbered(next)).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let mut uploading = true;
    loop {
        tokio::time::sleep(PROGRESS_INTERVAL).await;
        let (completed, failed) = progress.finished().await?;
        ensure!(failed == 0, "{failed} tasks failed");
        finished.set(completed);
        uploading = uploading && uploads.iter().any(|upload| !upload.is_finished());
        if !uploading && completed == number.get() {
            break;
        }
    }
    let elapsed = start.elapsed();
    for upload in uploads {
        upload.await.context("an uploading connection ended")??;
    }
    let tasks = number.get() as f64;
    let mut spent = cpu::by_thread_name(server.pid())?;
    for (part, before) in server_before {
        if let Some(time) = spent.get_mut(&part) {
            *time = time.saturating_sub(before);
        }
    }
    spent.insert("load generator".to_owned(), cpu::of_this_process() - client_before);
    let cpu_ms_per_task = spent
        .into_iter()
        .map(|(part, time)| (part, time.as_secs_f64() * 1e3 / tasks))
        .collect();
    Ok(PipelineFigures {
        tasks_per_second: tasks / elapsed.as_secs_f64(),
        cpu_ms_per_task,
    })
}
