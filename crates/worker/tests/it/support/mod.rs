//! A worker with its broker, its store and photos to mill.

mod dead_worker;
mod faulty;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use pixmill_blob::{AssetFolder, BlobError, BlobKey, BlobStore};
use pixmill_broker::{Broker, BrokerOptions, Clock, EventPage, EventQuery, MemoryBroker, Submission, Submitted};
use pixmill_engine::probe::probe;
use pixmill_types::{
    ContentHash, DisplayName, EventCursor, EventKind, Failure, InputImage, LeaseId, Limits, Mill, NewTask, OutputImage,
    Payload, Priority, QueueName, Recipe, Task, TaskId, TaskState, Timestamp,
};
use pixmill_worker::{BrokerPlace, Worker, WorkerOptions, WorkerServices};

pub(crate) use dead_worker::{bench_with_clock, claim_and_die, let_leases_run_out};
pub(crate) use faulty::{Call, Fault, Faulty};

/// Far more than anything here takes: reached only when something hangs. Less than the 30 s that a worker waits at the
/// broker in one call, so that a worker that was not called back from there shows.
pub(crate) const PATIENCE: Duration = Duration::from_secs(25);

/// A small photo.
pub(crate) const PHOTO: &str = "bench/photo_0.3mp.jpg";

/// Takes many seconds on a photo: for attempts that are to be found in the middle of it.
pub(crate) fn endless() -> Recipe {
    let blurs = ["blur:100"; 60].join(" | ");
    format!("resize:width=6000,enlarge=true | {blurs}").parse().unwrap()
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + self.0.load(Ordering::Relaxed))
    }
}

/// Broker and store, before there is a worker.
pub(crate) struct Bench {
    pub(crate) broker: Arc<Faulty>,
    pub(crate) registry: Arc<MemoryBroker>,
    pub(crate) blobs: BlobStore,
    pub(crate) options: WorkerOptions,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(BrokerOptions {
            backoff_base: Duration::from_millis(1),
            ..BrokerOptions::default()
        })
    }

    pub(crate) fn with(options: BrokerOptions) -> Self {
        let memory = Arc::new(MemoryBroker::new(options));
        Self {
            broker: Arc::new(Faulty::new(Arc::clone(&memory) as _)),
            registry: memory,
            blobs: BlobStore::memory(),
            options: WorkerOptions {
                id: "test-worker".parse().unwrap(),
                host: "test-host".to_owned(),
                queue: QueueName::images(),
                slots: 2,
                memory_budget_bytes: 1 << 30,
                limits: Limits::default(),
                drain_grace: PATIENCE,
                upkeep: true,
                reap_interval: Duration::from_millis(20),
                assets: AssetFolder::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/pngsuite")),
                janitor_interval: Duration::from_millis(20),
                broker_place: BrokerPlace::Apart,
                sweep_age: Duration::from_secs(24 * 60 * 60),
            },
        }
    }

    pub(crate) fn start(&self) -> Worker {
        let broker = Arc::clone(&self.broker) as Arc<dyn Broker>;
        let services = WorkerServices {
            heartbeat_broker: Arc::clone(&broker),
            broker,
            registry: Arc::clone(&self.registry) as _,
            blobs: self.blobs.clone(),
        };
        Worker::start(services, self.options.clone()).unwrap()
    }

    /// Stores `file` of the test data and submits it as `change` leaves the task.
    pub(crate) async fn submit(&self, file: &str, change: impl FnOnce(&mut NewTask)) -> TaskId {
        let bytes = testdata(file);
        let mut task = new_task(file, &bytes);
        change(&mut task);
        let Payload::Mill(mill) = &task.payload;
        let key = BlobKey::input(task.id, &mill.input.segment);
        self.blobs.put(&key, bytes).await.unwrap();
        self.submit_alone(task).await
    }

    /// Submits a task whose input is not stored.
    pub(crate) async fn submit_alone(&self, task: NewTask) -> TaskId {
        let submission = Submission {
            task,
            idempotency: None,
            staged_for: Duration::ZERO,
        };
        match self.broker.submit(submission).await.unwrap() {
            Submitted::Created(task) => task.id,
            other => panic!("not created: {other:?}"),
        }
    }

    /// The task's record as it is.
    pub(crate) async fn record(&self, task: TaskId) -> Task {
        self.broker.wait(task, Duration::ZERO).await.unwrap()
    }

    /// The task's record once it is final.
    pub(crate) async fn ended(&self, task: TaskId) -> Task {
        let record = self.broker.wait(task, PATIENCE).await.unwrap();
        assert!(record.state.is_final(), "hangs: {record:?}");
        record
    }

    /// The task's failure once it is final.
    pub(crate) async fn failure(&self, task: TaskId) -> Failure {
        let record = self.ended(task).await;
        assert_eq!(record.state, TaskState::Failed);
        record.failure.unwrap()
    }

    /// Waits until `kind` happened to the task.
    pub(crate) async fn happened(&self, task: TaskId, kind: EventKind) {
        let mut after: Option<EventCursor> = None;
        loop {
            let query = EventQuery {
                after: after.clone(),
                task: Some(task),
                limit: 100,
                wait: PATIENCE,
            };
            match self.broker.events(query).await.unwrap() {
                EventPage::Events(events) => {
                    assert!(!events.is_empty(), "{kind:?} does not happen to {task}");
                    if events.iter().any(|event| event.kind == kind) {
                        return;
                    }
                    after = events.last().map(|event| event.cursor.clone());
                }
                EventPage::Gap { resume } => after = Some(resume),
            }
        }
    }

    /// What the task delivered, checked against the store.
    pub(crate) async fn delivered(&self, task: TaskId) -> Vec<(OutputImage, Bytes)> {
        let record = self.ended(task).await;
        assert_eq!(record.state, TaskState::Completed, "{record:?}");
        let success = record.success.unwrap();
        assert_eq!(self.blobs.leases(task).await.unwrap(), [success.lease]);
        let mut delivered = Vec::new();
        for output in success.outputs {
            let key = BlobKey::output(task, success.lease, &output.segment);
            let bytes = self.blobs.get(&key).await.unwrap();
            assert_eq!(bytes.len() as u64, output.bytes);
            assert_eq!(ContentHash::of(&bytes), output.hash);
            let header = probe(&bytes).unwrap();
            assert_eq!(
                (header.format.into(), header.width, header.height),
                (output.format, output.width, output.height)
            );
            delivered.push((output, bytes));
        }
        delivered
    }

    /// Waits until no attempt's outputs lie in the store; for what the store alone can tell.
    pub(crate) async fn outputs_gone(&self, task: TaskId) {
        let gone = async {
            while !self.leases(task).await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.unwrap();
    }

    pub(crate) async fn leases(&self, task: TaskId) -> Vec<LeaseId> {
        self.blobs.leases(task).await.unwrap()
    }

    pub(crate) async fn has_input(&self, task: TaskId, file: &str) -> bool {
        match self
            .blobs
            .get(&BlobKey::input(task, &display_name(file).segment()))
            .await
        {
            Ok(_) => true,
            Err(BlobError::NotFound(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) fn testdata(file: &str) -> Bytes {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(file);
    std::fs::read(&path).unwrap().into()
}

/// The task a gateway would make of `bytes`.
pub(crate) fn new_task(file: &str, bytes: &[u8]) -> NewTask {
    let header = probe(bytes).unwrap();
    let name = display_name(file);
    NewTask {
        id: TaskId::generate(),
        queue: QueueName::images(),
        payload: Payload::Mill(Mill {
            input: InputImage {
                segment: name.segment(),
                name,
                bytes: bytes.len() as u64,
                hash: ContentHash::of(bytes),
                format: header.format,
                width: header.width,
                height: header.height,
                frames: header.frames,
            },
            recipe: Recipe::default(),
        }),
        priority: Priority::default(),
        not_before: None,
        max_attempts: 3,
        cost_bytes: 1 << 20,
        timeout_ms: 600_000,
        trace_parent: None,
    }
}

/// Changes the task's recipe.
pub(crate) fn recipe(task: &mut NewTask, recipe: Recipe) {
    let Payload::Mill(mill) = &mut task.payload;
    mill.recipe = recipe;
}

fn display_name(file: &str) -> DisplayName {
    DisplayName::from_client(file)
}
