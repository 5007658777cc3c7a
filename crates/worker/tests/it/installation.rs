//! Broker and storage that belong together, and those that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pixmill_blob::{BlobKey, BlobStore};
use pixmill_broker::{
    Broker, BrokerError, BrokerOptions, Entry, Expected, MemoryBroker, PutOutcome, Registry, SqliteBroker,
};
use pixmill_types::{InstallationId, Segment, TaskId};
use pixmill_worker::{BrokerPlace, InstallationError, Worker, WorkerServices, check_installation};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::support::{Bench, Call, Fault, PATIENCE, PHOTO, testdata};

fn broker() -> MemoryBroker {
    MemoryBroker::new(BrokerOptions::default())
}

#[tokio::test]
async fn what_is_new_is_joined_once_and_for_all() {
    let (broker, blobs) = (broker(), BlobStore::memory());
    let many = (0..8).map(|_| check_installation(&broker, BrokerPlace::Apart, &blobs));
    for result in futures::future::join_all(many).await {
        result.unwrap();
    }
    let id = blobs.installation().await.unwrap().unwrap();
    check_installation(&broker, BrokerPlace::Apart, &blobs).await.unwrap();
    assert_eq!(blobs.installation().await.unwrap(), Some(id));
}

#[tokio::test]
async fn a_process_that_died_before_it_noted_all_is_no_obstacle() {
    let (broker, blobs) = (broker(), BlobStore::memory());
    let id = InstallationId::generate();
    let value = id.to_string().into_bytes();
    let put = broker.put_if("installation", "id", value, Expected::Absent, None);
    assert!(matches!(put.await.unwrap(), PutOutcome::Stored(_)));
    check_installation(&broker, BrokerPlace::Apart, &blobs).await.unwrap();
    assert_eq!(blobs.installation().await.unwrap(), Some(id));
}

#[tokio::test]
async fn another_broker_over_the_same_files_is_refused_until_the_note_goes() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = BlobStore::local(folder.path()).await.unwrap();
    check_installation(&broker(), BrokerPlace::Apart, &blobs).await.unwrap();
    let emptied = broker();
    for _ in 0..2 {
        let refused = check_installation(&emptied, BrokerPlace::Apart, &blobs)
            .await
            .unwrap_err();
        let noted = blobs.installation().await.unwrap().unwrap();
        assert!(
            matches!(refused, InstallationError::OtherBroker { storage, broker } if storage == noted && broker != noted),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("delete `installation`"), "{refused}");
    }
    std::fs::remove_file(folder.path().join("installation")).unwrap();
    check_installation(&emptied, BrokerPlace::Apart, &blobs).await.unwrap();
}

#[tokio::test]
async fn another_storage_is_refused_unless_the_note_came_along() {
    let (broker, first, second) = (broker(), BlobStore::memory(), BlobStore::memory());
    check_installation(&broker, BrokerPlace::Apart, &first).await.unwrap();
    let refused = check_installation(&broker, BrokerPlace::Apart, &second)
        .await
        .unwrap_err();
    let noted = first.installation().await.unwrap().unwrap();
    assert!(
        matches!(refused, InstallationError::OtherStorage { broker } if broker == noted),
        "{refused:?}"
    );
    second.note_installation(noted).await.unwrap();
    check_installation(&broker, BrokerPlace::Apart, &second).await.unwrap();
}

#[tokio::test]
async fn a_broker_beside_its_files_does_not_miss_the_note_and_one_that_forgets_needs_none() {
    let (broker, first, second) = (broker(), BlobStore::memory(), BlobStore::memory());
    check_installation(&broker, BrokerPlace::BesideFiles, &first)
        .await
        .unwrap();
    check_installation(&broker, BrokerPlace::BesideFiles, &second)
        .await
        .unwrap();
    assert_eq!(
        first.installation().await.unwrap(),
        second.installation().await.unwrap()
    );
    let third = BlobStore::memory();
    check_installation(&broker, BrokerPlace::Process, &third).await.unwrap();
    assert_eq!(third.installation().await.unwrap(), None);
    let refused = check_installation(
        &MemoryBroker::new(BrokerOptions::default()),
        BrokerPlace::BesideFiles,
        &first,
    )
    .await;
    assert!(
        matches!(refused, Err(InstallationError::OtherBroker { .. })),
        "{refused:?}"
    );
}

/// A registry that tells when the installation was asked for.
#[derive(Debug)]
struct Watched {
    inner: MemoryBroker,
    asked: AtomicUsize,
    asked_again: Notify,
}

#[async_trait]
impl Registry for Watched {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>, BrokerError> {
        if (namespace, key) == ("installation", "id") {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.asked_again.notify_one();
        }
        Registry::get(&self.inner, namespace, key).await
    }

    async fn put_if(
        &self,
        namespace: &str,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> Result<PutOutcome, BrokerError> {
        self.inner.put_if(namespace, key, value, expected, ttl).await
    }

    async fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError> {
        Registry::list(&self.inner, namespace, after, limit).await
    }

    async fn delete(&self, namespace: &str, key: &str, expected: Expected) -> Result<bool, BrokerError> {
        Registry::delete(&self.inner, namespace, key, expected).await
    }
}

impl Watched {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: broker(),
            asked: AtomicUsize::new(0),
            asked_again: Notify::new(),
        })
    }

    /// Waits until it was asked so many times.
    async fn asked(&self, times: usize) {
        while self.asked.load(Ordering::Relaxed) < times {
            timeout(PATIENCE, self.asked_again.notified()).await.unwrap();
        }
    }

    async fn empty(&self) {
        for key in ["id", "noted"] {
            let deleted = Registry::delete(&self.inner, "installation", key, Expected::Any).await;
            assert!(deleted.unwrap(), "{key}");
        }
    }
}

/// Of a task that the broker has never heard of, and that is old enough.
async fn input_to_sweep(bench: &mut Bench) -> TaskId {
    bench.options.sweep_age = Duration::ZERO;
    let task = TaskId::generate();
    let key = BlobKey::input(task, &Segment::parse("photo_0.3mp.jpg").unwrap());
    bench.blobs.put(&key, testdata(PHOTO)).await.unwrap();
    task
}

fn start(bench: &Bench, registry: &Arc<Watched>) -> Worker {
    let services = WorkerServices {
        heartbeat_broker: Arc::clone(&bench.broker) as Arc<dyn Broker>,
        broker: Arc::clone(&bench.broker) as _,
        registry: Arc::clone(registry) as _,
        blobs: bench.blobs.clone(),
    };
    Worker::start(services, bench.options.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_emptied_costs_no_file() {
    let mut bench = Bench::new();
    let task = input_to_sweep(&mut bench).await;
    bench.blobs.note_installation(InstallationId::generate()).await.unwrap();
    let registry = Watched::new();
    let worker = start(&bench, &registry);
    // The second round begins when the first is over.
    registry.asked(2).await;
    assert!(bench.has_input(task, PHOTO).await);
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_emptied_during_a_sweep_costs_no_file() {
    let mut bench = Bench::new();
    let task = input_to_sweep(&mut bench).await;
    let registry = Watched::new();
    let joined = check_installation(&*registry, bench.options.broker_place, &bench.blobs);
    joined.await.unwrap();
    bench.broker.then(Call::Known, [Fault::ReplyHeld]);
    let worker = start(&bench, &registry);
    bench.broker.called(Call::Known, 1).await;
    registry.empty().await;
    let asked_so_far = registry.asked.load(Ordering::Relaxed);
    bench.broker.let_go();
    // At the latest the second of these is in a round of its own.
    registry.asked(asked_so_far + 2).await;
    assert!(bench.has_input(task, PHOTO).await);
    worker.drain().await;
}

#[tokio::test]
async fn a_folder_that_took_the_place_of_another_is_not_noted() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let broker = SqliteBroker::open(&data.join("pixmill.db"), BrokerOptions::default()).unwrap();
    let blobs = BlobStore::local(&data).await.unwrap();
    check_installation(&broker, BrokerPlace::BesideFiles, &blobs)
        .await
        .unwrap();
    std::fs::rename(&data, root.path().join("aside")).unwrap();
    std::fs::create_dir(&data).unwrap();
    let refused = check_installation(&broker, BrokerPlace::BesideFiles, &blobs)
        .await
        .unwrap_err();
    assert!(matches!(refused, InstallationError::Broker(_)), "{refused:?}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
}
