//! `pixmill load`: uploads to a server that runs already, this one or another that speaks `/upload` and `/status`, and
//! measures what a client sees.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use super::client::{Connection, UploadForm};
use super::input::Photo;
use super::statistics::percentile;
use crate::cli::LoadArgs;
use crate::output;

/// Pause before a task that is not done is asked for again, at least and at most.
const ASK_AGAIN: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(200)];
/// Until then, one of so many outstanding tasks is done, as fast as they were done before. A slow server would otherwise be
/// measured answering questions.
const PART_OF_OUTSTANDING: u32 = 4;

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
    /// Those done, from the first upload until the last of them was.
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

/// What the connections share.
struct Shared {
    start: Instant,
    seen: RefCell<Seen>,
    /// Held by the one connection that asks.
    asking: Mutex<()>,
}

/// What the connections know together.
#[derive(Debug, Default)]
struct Seen {
    /// From when an upload was due to its 202, of each.
    acknowledged_after: Vec<Duration>,
    /// Tasks that may not be done, the oldest first.
    outstanding: VecDeque<String>,
    /// Tasks that are.
    done: u32,
}

pub(crate) fn run(arguments: &LoadArgs) -> anyhow::Result<ExitCode> {
    let path = &arguments.photo;
    let photo = Photo::read(path).with_context(|| format!("cannot upload {}", path.display()))?;
    let address = address_of(&arguments.url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (figures, ended) = LocalSet::new().block_on(&runtime, measure(arguments, &photo, address))?;
    if figures.tasks > 0 {
        output::print(&if arguments.json {
            serde_json::to_string(&figures).context("cannot print the figures")? + "\n"
        } else {
            figures.to_string()
        })?;
    }
    ended.with_context(|| format!("ended after {} of {} uploads", figures.tasks, arguments.tasks))?;
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

/// Uploads, waits, and tells what was seen, also when something ended it early: then that follows.
async fn measure(
    arguments: &LoadArgs,
    photo: &Photo,
    address: SocketAddr,
) -> anyhow::Result<(LoadFigures, anyhow::Result<()>)> {
    let form = UploadForm::new(photo);
    // Other runs against the same server have other photos.
    let first_number = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    let interval = arguments.rate.map(|rate| Duration::from_secs(1) / rate);
    let backlog = arguments.backlog.map_or(usize::MAX, |backlog| backlog as usize);
    let start = Instant::now();
    let shared = Rc::new(Shared {
        start,
        seen: RefCell::default(),
        asking: Mutex::new(()),
    });
    let uploads: Vec<_> = (0..arguments.connections)
        .map(|index| {
            let numbers = (index..arguments.tasks).step_by(arguments.connections as usize);
            let (form, shared) = (form.clone(), Rc::clone(&shared));
            tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await?;
                for number in numbers {
                    wait_for_oldest(&mut connection, &shared, backlog).await?;
                    let due = interval.map_or_else(Instant::now, |interval| start + interval * number);
                    tokio::time::sleep_until(due.into()).await;
                    let numbered = form.numbered(first_number + u64::from(number));
                    let task = task_of(&connection.upload(numbered).await?)?;
                    let mut seen = shared.seen.borrow_mut();
                    seen.acknowledged_after.push(due.elapsed());
                    seen.outstanding.push_back(task);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let mut ended = Ok(());
    for upload in uploads {
        let upload = upload.await.context("an uploading connection ended").flatten();
        ended = ended.and(upload);
    }
    let uploaded = start.elapsed();
    if ended.is_ok() {
        ended = wait_for_all(address, &shared).await;
    }
    let done = start.elapsed();
    let seen = shared.seen.take();
    let latencies: Vec<f64> = seen
        .acknowledged_after
        .iter()
        .map(|after| after.as_secs_f64() * 1e3)
        .collect();
    let figures = LoadFigures {
        photo: photo.name.clone(),
        tasks: latencies.len(),
        uploads_per_second: latencies.len() as f64 / uploaded.as_secs_f64(),
        acknowledged_p50_ms: percentile(&latencies, 0.5),
        acknowledged_p99_ms: percentile(&latencies, 0.99),
        tasks_per_second: f64::from(seen.done) / done.as_secs_f64(),
    };
    Ok((figures, ended))
}

async fn wait_for_all(address: SocketAddr, shared: &Shared) -> anyhow::Result<()> {
    wait_for_oldest(&mut Connection::open(address).await?, shared, 1).await
}

/// Returns when fewer than `backlog` tasks are outstanding. One connection asks, the others wait for it.
async fn wait_for_oldest(connection: &mut Connection, shared: &Shared, backlog: usize) -> anyhow::Result<()> {
    let _alone = shared.asking.lock().await;
    let seen = &shared.seen;
    loop {
        let oldest = {
            let outstanding = &mut seen.borrow_mut().outstanding;
            if outstanding.len() < backlog {
                return Ok(());
            }
            outstanding.pop_front()
        };
        let Some(task) = oldest else { return Ok(()) };
        loop {
            let status = connection.get(&format!("/status/{task}")).await?;
            match status["status"].as_str() {
                Some("COMPLETED") => {
                    seen.borrow_mut().done += 1;
                    break;
                }
                Some("PROCESSING") => {
                    let pause = shared.pause();
                    tokio::time::sleep(pause).await;
                }
                _ => bail!("task {task} did not complete: {status}"),
            }
        }
    }
}

impl Shared {
    /// How long to wait before a task is asked for again.
    fn pause(&self) -> Duration {
        let seen = self.seen.borrow();
        let each = self.start.elapsed() / seen.done.max(1);
        let [least, most] = ASK_AGAIN;
        (each * (seen.outstanding.len() as u32 / PART_OF_OUTSTANDING)).clamp(least, most)
    }
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
