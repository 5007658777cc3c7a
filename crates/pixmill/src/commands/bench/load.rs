//! `pixmill load`: uploads to a server that runs already, this one or another that speaks `/upload` and `/status`, and
//! measures what a client sees.

use std::cell::RefCell;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use tokio::task::LocalSet;

use super::client::{Connection, UploadForm};
use super::input::Photo;
use super::statistics::percentile;
use crate::cli::LoadArgs;
use crate::output;

/// Pause before a task that is not done is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// What a client saw.
#[derive(Debug, Serialize)]
struct LoadFigures {
    photo: String,
    tasks: usize,
    /// From the first upload to the last 202.
    uploads_per_second: f64,
    /// From when an upload was due to its 202, milliseconds.
    acknowledged_p50_ms: f64,
    /// The same, 99th percentile.
    acknowledged_p99_ms: f64,
    /// From the first upload until all tasks were done.
    tasks_per_second: f64,
}

impl fmt::Display for LoadFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} tasks, {:.1} uploads/s, 202 after {:.1} ms (p99 {:.1}), {:.1} tasks/s done",
            self.photo,
            self.tasks,
            self.uploads_per_second,
            self.acknowledged_p50_ms,
            self.acknowledged_p99_ms,
            self.tasks_per_second
        )
    }
}

/// One upload that was acknowledged.
#[derive(Debug)]
struct Acknowledged {
    task: String,
    after: Duration,
}

pub(crate) fn run(arguments: &LoadArgs) -> anyhow::Result<ExitCode> {
    let path = &arguments.photo;
    let photo = Photo::read(path).with_context(|| format!("cannot upload {}", path.display()))?;
    let address = address_of(&arguments.url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = LocalSet::new().block_on(&runtime, measure(arguments, &photo, address))?;
    output::print(&if arguments.json {
        serde_json::to_string(&figures).context("cannot print the figures")? + "\n"
    } else {
        figures.to_string()
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The address in `http://host:port`.
fn address_of(url: &str) -> anyhow::Result<SocketAddr> {
    let authority = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .filter(|authority| authority.contains(':') && !authority.contains('/'));
    let Some(authority) = authority else {
        bail!("the address is {url:?}, allowed is http://HOST:PORT");
    };
    authority
        .to_socket_addrs()
        .with_context(|| format!("cannot look up {authority:?}"))?
        .next()
        .with_context(|| format!("{authority:?} has no address"))
}

async fn measure(arguments: &LoadArgs, photo: &Photo, address: SocketAddr) -> anyhow::Result<LoadFigures> {
    let form = UploadForm::new(photo);
    // Other runs against the same server have other photos.
    let first_number = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    let interval = arguments.rate.map(|rate| Duration::from_secs(1) / rate);
    let acknowledged = Rc::new(RefCell::new(Vec::new()));
    let start = Instant::now();
    let uploads: Vec<_> = (0..arguments.connections)
        .map(|index| {
            let numbers = (index..arguments.tasks).step_by(arguments.connections as usize);
            let (form, acknowledged) = (form.clone(), Rc::clone(&acknowledged));
            tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await?;
                for number in numbers {
                    let due = interval.map_or_else(Instant::now, |interval| start + interval * number);
                    tokio::time::sleep_until(due.into()).await;
                    let numbered = form.numbered(first_number + u64::from(number));
                    let task = task_of(&connection.upload(numbered).await?)?;
                    let after = due.elapsed();
                    acknowledged.borrow_mut().push(Acknowledged { task, after });
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for upload in uploads {
        upload.await.context("an uploading connection ended")??;
    }
    let uploaded = start.elapsed();
    let acknowledged = acknowledged.take();
    wait_for_all(address, &acknowledged).await?;
    let done = start.elapsed();
    let latencies: Vec<f64> = acknowledged.iter().map(|one| one.after.as_secs_f64() * 1e3).collect();
    Ok(LoadFigures {
        photo: photo.name.clone(),
        tasks: acknowledged.len(),
        uploads_per_second: acknowledged.len() as f64 / uploaded.as_secs_f64(),
        acknowledged_p50_ms: percentile(&latencies, 0.5),
        acknowledged_p99_ms: percentile(&latencies, 0.99),
        tasks_per_second: acknowledged.len() as f64 / done.as_secs_f64(),
    })
}

async fn wait_for_all(address: SocketAddr, acknowledged: &[Acknowledged]) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    for Acknowledged { task, .. } in acknowledged {
        loop {
            let status = connection.get(&format!("/status/{task}")).await?;
            match status["status"].as_str() {
                Some("COMPLETED") => break,
                Some("PROCESSING") => tokio::time::sleep(ASK_AGAIN).await,
                _ => bail!("task {task} did not complete: {status}"),
            }
        }
    }
    Ok(())
}

fn task_of(answer: &[u8]) -> anyhow::Result<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).context("an upload's answer is not JSON")?;
    let task = answer["task_id"].as_str().unwrap_or_default();
    ensure!(!task.is_empty(), "an upload's answer has no task_id: {answer}");
    Ok(task.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(
            address_of("http://127.0.0.1:8000/").unwrap(),
            SocketAddr::from(([127, 0, 0, 1], 8000))
        );
        for refused in [
            "127.0.0.1:8000",
            "https://127.0.0.1:8000",
            "http://127.0.0.1",
            "http://a:1/b",
        ] {
            let error = address_of(refused).unwrap_err().to_string();
            assert!(error.contains("allowed is http://HOST:PORT"), "{error}");
        }
    }
}
