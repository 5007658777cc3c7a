//! Two processes share a database, and wake each other.

use std::path::Path;
use std::time::{Duration, Instant};

use pixmill_broker::{Broker, BrokerOptions, SqliteBroker};
use pixmill_types::{NewTask, TaskState};

use super::child::{Child, Role};
use crate::conformance::tasks::{submission, task};

/// Tasks that go from one process to the other and back.
const ROUND_TRIPS: usize = 21;
/// Without being woken, a process looks at the database four times a second, so that each way takes an eighth of a
/// second on average. Woken, both ways together stay far below one.
const WOKEN: Duration = Duration::from_millis(125);
/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

fn open(database: &Path) -> SqliteBroker {
    SqliteBroker::open(database, BrokerOptions::default()).unwrap()
}

/// A child that waits for tasks.
fn start_worker(database: &Path) -> Child {
    let mut child = Child::start(Role::Work, database);
    assert_eq!(child.report().unwrap().0, "open");
    child
}

async fn round_trip(broker: &SqliteBroker) -> Duration {
    let task: NewTask = task();
    let id = task.id;
    let start = Instant::now();
    broker.submit(submission(task)).await.unwrap();
    let done = broker.wait(id, PATIENCE).await.unwrap();
    assert_eq!(done.state, TaskState::Completed);
    start.elapsed()
}

#[tokio::test]
async fn processes_wake_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let broker = open(&database);
    let _worker = start_worker(&database);
    let mut times = Vec::new();
    for _ in 0..ROUND_TRIPS {
        times.push(round_trip(&broker).await);
    }
    times.sort_unstable();
    assert!(times[ROUND_TRIPS / 2] < WOKEN, "{times:?}");
}

#[tokio::test]
async fn a_process_that_cannot_be_woken_looks_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let broker = open(&database);
    let _worker = start_worker(&database);
    round_trip(&broker).await;
    let peers = folder.path().join("peers");
    for socket in std::fs::read_dir(&peers).unwrap() {
        std::fs::remove_file(socket.unwrap().path()).unwrap();
    }
    for _ in 0..3 {
        round_trip(&broker).await;
    }
}

#[tokio::test]
async fn sockets_of_dead_processes_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let sockets = || std::fs::read_dir(folder.path().join("peers")).unwrap().count();
    let broker = open(&database);
    let worker = start_worker(&database);
    round_trip(&broker).await;
    assert_eq!(sockets(), 2);
    worker.kill();
    assert_eq!(sockets(), 2);
    broker.submit(submission(task())).await.unwrap();
    // The announcement follows the answer; a second answer follows the announcement.
    broker.submit(submission(task())).await.unwrap();
    assert_eq!(sockets(), 1);
    drop(broker);
    assert_eq!(sockets(), 0, "a clean end leaves none");
}

/// Also when nothing happens afterwards that would bring them to light.
#[tokio::test]
async fn opening_removes_what_dead_processes_left() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pixmill.db");
    let files = |of: &str| std::fs::read_dir(folder.path().join(of)).unwrap().count();
    let broker = open(&database);
    let worker = start_worker(&database);
    round_trip(&broker).await;
    drop(broker);
    worker.kill();
    assert_eq!((files("peers"), files("workers")), (1, 1));
    let broker = open(&database);
    assert_eq!((files("peers"), files("workers")), (1, 0), "a socket of its own");
    drop(broker);
    assert_eq!((files("peers"), files("workers")), (0, 0));
}

#[tokio::test]
async fn a_long_path_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d".repeat(100)).join("e".repeat(100));
    let database = deep.join("pixmill.db");
    let broker = open(&database);
    let _worker = start_worker(&database);
    let mut times = Vec::new();
    for _ in 0..ROUND_TRIPS {
        times.push(round_trip(&broker).await);
    }
    times.sort_unstable();
    assert!(times[ROUND_TRIPS / 2] < WOKEN, "{times:?}");
}
