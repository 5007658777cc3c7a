//! Other processes over the same database: this test binary, run again with a part to play.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child as Process, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pixmill_broker::{Broker, BrokerOptions, SqliteBroker, Submitted};
use pixmill_types::TaskId;

use super::disk_full;
use crate::conformance::tasks::{claim_up_to, completion, submission, task, worker};

const ROLE: &str = "PIXMILL_TEST_ROLE";
const DATABASE: &str = "PIXMILL_TEST_DATABASE";
/// Marks the lines meant for the parent among those of the test harness.
const MARK: &str = "@ ";

/// What a child does until it is killed, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Submits tasks from several loops, claims and completes others; reports what is acknowledged.
    Load,
    /// Waits for tasks and completes them; reports each.
    Work,
    /// Claims one task, reports it, and holds it.
    Hold,
    /// Submits one task after the other; is aborted by the failpoint `broker.submit.before_commit`.
    AbortBeforeCommit,
    /// The same with `broker.submit.after_commit`.
    AbortAfterCommit,
    /// See [`disk_full`]; ends by itself.
    FillDisk,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::Load,
        Self::Work,
        Self::Hold,
        Self::AbortBeforeCommit,
        Self::AbortAfterCommit,
        Self::FillDisk,
    ];
}

/// A process with a part to play. Killed when dropped.
pub(super) struct Child {
    process: Process,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts a child over `database`.
    pub(super) fn start(role: Role, database: &Path) -> Self {
        // The shell makes the child deaf to the signal that a file grown beyond its limit brings.
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite::child::play_a_part", "--ignored", "--nocapture"])
            .env(ROLE, format!("{role:?}"))
            .env(DATABASE, database)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The next report: its kind and its id. `None` when the child has ended.
    pub(super) fn report(&mut self) -> Option<(String, String)> {
        loop {
            let line = self.lines.next()?.unwrap();
            // The harness writes the test's name without a line end.
            if let Some((_, report)) = line.split_once(MARK) {
                let (kind, id) = report.split_once(' ').unwrap();
                return Some((kind.to_owned(), id.to_owned()));
            }
        }
    }

    /// Ends the process as `kill -9` does, and returns what it still had reported.
    pub(super) fn kill(mut self) -> Vec<(String, String)> {
        self.process.kill().unwrap();
        std::iter::from_fn(|| self.report()).collect()
    }

    /// Waits until the process has ended by itself.
    pub(super) fn join(mut self) -> ExitStatus {
        while self.report().is_some() {}
        self.process.wait().unwrap()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

/// Tells the parent.
pub(super) fn tell(kind: &str, id: impl std::fmt::Display) {
    println!("{MARK}{kind} {id}");
}

#[test]
#[ignore = "not a test: what a child process runs"]
fn play_a_part() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let role = Role::ALL
        .into_iter()
        .find(|known| format!("{known:?}") == role)
        .unwrap();
    let database = std::env::var(DATABASE).unwrap();
    let database = Path::new(&database);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if role == Role::FillDisk {
        return runtime.block_on(disk_full::fill(database));
    }
    let broker = Arc::new(SqliteBroker::open(database, BrokerOptions::default()).unwrap());
    tell("open", std::process::id());
    runtime.block_on(async {
        match role {
            Role::Load => load(broker).await,
            Role::Work => work(broker).await,
            Role::Hold => hold(broker).await,
            Role::AbortBeforeCommit => abort_at(&broker, "broker.submit.before_commit").await,
            Role::AbortAfterCommit => abort_at(&broker, "broker.submit.after_commit").await,
            Role::FillDisk => unreachable!("played above"),
        }
    });
}

async fn load(broker: Arc<SqliteBroker>) {
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let submitter = broker.clone();
        loops.spawn(async move {
            loop {
                tell("submitted", submit(&submitter).await);
            }
        });
        let worker = broker.clone();
        loops.spawn(async move { work(worker).await });
    }
    loops.join_all().await;
}

async fn submit(broker: &SqliteBroker) -> TaskId {
    let task = task();
    let id = task.id;
    let submitted = broker.submit(submission(task)).await.unwrap();
    assert!(matches!(submitted, Submitted::Created(_)), "{submitted:?}");
    id
}

async fn work(broker: Arc<SqliteBroker>) {
    loop {
        let request = pixmill_broker::ClaimRequest {
            worker: worker(&format!("child-{}", std::process::id())),
            request: pixmill_types::RequestId::from_bits(rand::random()),
            wait: Duration::from_secs(60),
            ..claim_up_to(1)
        };
        for lease in broker.claim(request).await.unwrap().leases {
            let task = broker.complete(lease.id, completion()).await.unwrap();
            tell("completed", task.id);
        }
    }
}

async fn hold(broker: Arc<SqliteBroker>) {
    let request = pixmill_broker::ClaimRequest {
        worker: worker(&format!("child-{}", std::process::id())),
        wait: Duration::from_secs(60),
        ..claim_up_to(1)
    };
    let claimed = broker.claim(request).await.unwrap();
    tell("claimed", claimed.leases[0].task.id);
    std::future::pending().await
}

async fn abort_at(broker: &SqliteBroker, point: &str) {
    fail::cfg(point, "3*off->return").unwrap();
    loop {
        let task = task();
        let id = task.id;
        tell("trying", id);
        broker.submit(submission(task)).await.unwrap();
        tell("submitted", id);
    }
}
