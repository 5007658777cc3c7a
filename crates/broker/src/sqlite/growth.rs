//! The work of a request must not grow with the number of records: counted in steps of SQLite's virtual machine, which
//! are the same on every machine, however busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pixmill_types::{LeaseId, Priority, QueueName, RequestId, TaskId, TaskState, Timestamp};
use rusqlite::Connection;

use super::bare::{bare_writer, submit_plain, task};
use super::operations::{claim, finish, leases, manage, purge, read, reap};
use super::step::{Outcome, Step};
use super::writer::Writer;
use crate::{BrokerOptions, ClaimRequest, Clock, EndedQuery, ListQuery};

/// Records of each kind: in the small database, and in the large one.
const AMOUNTS: [u64; 2] = [100, 2_000];
/// Steps that a deeper tree or a longer page may cost.
const SLACK: u64 = 60;

#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000)
    }
}

/// A writer whose every step is counted.
struct Counted {
    writer: Writer,
    steps: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl Counted {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = BrokerOptions {
            clock: Arc::new(FixedClock),
            retention: Some(Duration::from_secs(3_600)),
            ..BrokerOptions::default()
        };
        let mut writer = bare_writer(folder.path(), options);
        writer.connection.pragma_update(None, "synchronous", "OFF").unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        writer.connection.progress_handler(1, Some(count)).unwrap();
        Self {
            writer,
            steps,
            _folder: folder,
        }
    }

    fn run<T: Send + 'static>(&mut self, run: impl FnOnce(&mut Step<'_>) -> Outcome<T> + Send + 'static) -> T {
        self.writer.now("test", run).unwrap()
    }

    /// How many steps `run` takes.
    fn cost<T: Send + 'static>(&mut self, run: impl FnOnce(&mut Step<'_>) -> Outcome<T> + Send + 'static) -> u64 {
        let before = self.steps.load(Ordering::Relaxed);
        self.run(run);
        self.steps.load(Ordering::Relaxed) - before
    }

    /// How many steps the read takes.
    fn cost_of_read<T>(&self, read: impl FnOnce(&Connection) -> Outcome<T>) -> u64 {
        let before = self.steps.load(Ordering::Relaxed);
        assert!(read(&self.writer.connection).is_ok());
        self.steps.load(Ordering::Relaxed) - before
    }

    fn fill(&mut self, amount: u64) {
        for number in 0..amount {
            let priority = Priority::try_from(u8::try_from(number % 10).unwrap()).unwrap();
            let soon = FixedClock.now().after(Duration::from_secs(60 + number));
            self.run(move |step| submit_plain(step, task(priority, None)));
            let granted = self.run(|step| claim::claim(step, &claim_one()));
            assert_eq!(granted.grants.len(), 1);
            let lease = granted.decode().unwrap().leases[0].id;
            self.run(move |step| finish::complete(step, lease, success(lease), Vec::new()));
            self.run(move |step| submit_plain(step, task(priority, Some(soon))));
            let unwanted = task(priority, None);
            let id = unwanted.id;
            self.run(move |step| submit_plain(step, unwanted));
            self.run(move |step| manage::cancel(step, id, Vec::new()));
        }
        for number in 0..amount {
            let priority = Priority::try_from(u8::try_from(number % 10).unwrap()).unwrap();
            self.run(move |step| submit_plain(step, task(priority, None)));
        }
    }
}

fn success(lease: LeaseId) -> String {
    format!(r#"{{"lease":"{lease}","outputs":[]}}"#)
}

fn claim_one() -> ClaimRequest {
    ClaimRequest {
        queue: QueueName::images(),
        worker: "host-1-aa".parse().unwrap(),
        request: RequestId::from_bits(rand::random()),
        max_tasks: 1,
        max_bytes: 1,
        idle: false,
        wait: Duration::ZERO,
    }
}

/// What each request costs in a database with so many records of each kind.
fn costs(amount: u64) -> Vec<(&'static str, u64)> {
    let mut db = Counted::open();
    db.fill(amount);
    let now = FixedClock.now();
    let list = |state, queue| ListQuery {
        state,
        queue,
        limit: 10,
        ..ListQuery::default()
    };
    let all = list(None, None);
    let completed = list(Some(TaskState::Completed), None);
    let failed = list(Some(TaskState::Failed), Some(QueueName::images()));
    let ended = |after| EndedQuery {
        queue: QueueName::images(),
        since: now,
        after,
        limit: 10,
    };
    let (first_ended, last_ended) = (ended(None), ended(Some(TaskId::generate())));
    let other_queue = list(None, Some("webhooks".parse().unwrap()));
    let mut costs = vec![
        (
            "submit",
            db.cost(|step| submit_plain(step, task(Priority::default(), None))),
        ),
        ("claim", db.cost(|step| claim::claim(step, &claim_one()))),
        ("stats", db.cost_of_read(|db| read::stats(db, now))),
        ("list all", db.cost_of_read(|db| read::list(db, &all))),
        ("list completed", db.cost_of_read(|db| read::list(db, &completed))),
        ("list failed", db.cost_of_read(|db| read::list(db, &failed))),
        ("list another queue", db.cost_of_read(|db| read::list(db, &other_queue))),
        ("first ended", db.cost_of_read(|db| read::ended(db, &first_ended))),
        ("last ended", db.cost_of_read(|db| read::ended(db, &last_ended))),
        ("events", db.cost_of_read(|db| read::events(db, None, None, 10))),
        ("reap", db.cost(|step| reap::reap(step, 10))),
        ("purge", db.cost(|step| purge::purge(step, 10))),
        (
            "pending deletions",
            db.cost_of_read(|db| purge::pending_deletions(db, 10)),
        ),
    ];
    let granted = db.run(|step| claim::claim(step, &claim_one()));
    let lease = granted.decode().unwrap().leases[0].id;
    let worker = claim_one().worker;
    costs.push((
        "heartbeat",
        db.cost(move |step| leases::heartbeat(step, &worker, &[lease])),
    ));
    costs.push((
        "complete",
        db.cost(move |step| finish::complete(step, lease, success(lease), Vec::new())),
    ));
    costs
}

#[test]
fn no_request_costs_more_when_there_are_more_records() {
    let [small, large] = AMOUNTS.map(costs);
    for ((name, few), (_, many)) in small.iter().zip(&large) {
        assert!(*few > 0, "{name} was not counted");
        assert!(*many <= few + SLACK, "{name}: {few} steps, then {many}");
    }
}
