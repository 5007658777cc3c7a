//! What every backend must do, one named test a case. A bug found on one becomes a case for all.

use bytes::Bytes;
use pixmill_blob::{BlobError, BlobStore};
use pixmill_types::{ContentHash, InstallationId, LeaseId, TaskId};
use tempfile::TempDir;

use crate::azure_server::AzureServer;
use crate::google_server::GoogleServer;
use crate::s3_server::S3Server;
use crate::support::{CHUNK, assert_missing, collect, input, noise, output, segment, tasks_older_than};
use crate::{azure, google, s3};

/// A store, and what it stands on.
struct Backend {
    store: BlobStore,
    _server: Box<dyn std::any::Any>,
    _folder: Option<TempDir>,
}

async fn local() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    Backend {
        store: BlobStore::local(folder.path()).await.unwrap(),
        _server: Box::new(()),
        _folder: Some(folder),
    }
}

async fn memory() -> Backend {
    Backend {
        store: BlobStore::memory(),
        _server: Box::new(()),
        _folder: None,
    }
}

/// Below a prefix, so that keys that forget it show.
async fn bucket() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::start(folder.path());
    Backend {
        store: BlobStore::bucket(&s3::options(&server, "some/prefix")).unwrap(),
        _server: Box::new(server),
        _folder: Some(folder),
    }
}

async fn google_bucket() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    let server = GoogleServer::start(folder.path());
    Backend {
        store: BlobStore::bucket(&google::options(&server, "some/prefix")).unwrap(),
        _server: Box::new(server),
        _folder: Some(folder),
    }
}

async fn azure_container() -> Backend {
    let server = AzureServer::start();
    Backend {
        store: BlobStore::bucket(&azure::options(&server, "some/prefix")).unwrap(),
        _server: Box::new(server),
        _folder: None,
    }
}

macro_rules! conformance {
    ($($case:ident),+ $(,)?) => {
        conformance!(@backend local: $($case),+);
        conformance!(@backend memory: $($case),+);
        conformance!(@backend bucket: $($case),+);
        conformance!(@backend google_bucket: $($case),+);
        conformance!(@backend azure_container: $($case),+);
    };
    (@backend $backend:ident: $($case:ident),+) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    let backend = super::$backend().await;
                    super::$case(&backend.store).await;
                }
            )+
        }
    };
}

conformance!(
    what_is_put_is_got,
    what_is_uploaded_in_pieces_is_got,
    the_last_of_two_puts_stays,
    an_upload_is_invisible_until_it_is_finished,
    an_aborted_upload_leaves_nothing,
    uploads_of_one_key_at_once_leave_one_of_them_whole,
    names_that_look_like_something_else_are_just_names,
    what_is_missing_is_not_found,
    ranges_are_read,
    a_range_outside_is_refused,
    a_delete_takes_one_blob_and_may_be_repeated,
    a_deleted_lease_takes_its_outputs_only,
    a_deleted_task_takes_all_its_blobs_only,
    the_leases_that_delivered_are_listed,
    old_tasks_are_listed_once,
    a_store_that_works_checks_out,
    the_note_of_the_installation_is_kept_whoever_writes_it_at_once,
);

async fn what_is_put_is_got(store: &BlobStore) {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 9 << 20] {
        let (key, bytes) = (input(TaskId::generate()), noise(length));
        let stored = store.put(&key, bytes.clone()).await.unwrap();
        assert_eq!(stored.bytes, length as u64);
        assert_eq!(stored.hash, ContentHash::of(&bytes));
        assert!(store.get(&key).await.unwrap() == bytes, "{length} bytes");
    }
}

async fn what_is_uploaded_in_pieces_is_got(store: &BlobStore) {
    let pieces_of = [
        (0, 1),
        (100, 1),
        (CHUNK, 7_777),
        (CHUNK + 1, CHUNK),
        (3 * CHUNK, CHUNK + 1),
        (17 << 20, 3 << 20),
    ];
    for (length, piece) in pieces_of {
        let (key, bytes) = (input(TaskId::generate()), noise(length));
        let mut upload = store.upload(&key).await.unwrap();
        for start in (0..length).step_by(piece) {
            upload
                .write(bytes.slice(start..length.min(start + piece)))
                .await
                .unwrap();
        }
        assert_eq!(upload.bytes(), length as u64);
        let stored = upload.finish().await.unwrap();
        assert_eq!(stored.bytes, length as u64);
        assert_eq!(stored.hash, ContentHash::of(&bytes));
        assert!(
            store.get(&key).await.unwrap() == bytes,
            "{length} bytes in pieces of {piece}"
        );
    }
}

async fn the_last_of_two_puts_stays(store: &BlobStore) {
    let key = input(TaskId::generate());
    store.put(&key, noise(1000)).await.unwrap();
    store.put(&key, Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), "short");
}

async fn an_upload_is_invisible_until_it_is_finished(store: &BlobStore) {
    let key = input(TaskId::generate());
    let mut upload = store.upload(&key).await.unwrap();
    upload.write(noise(9 << 20)).await.unwrap();
    assert_missing(store, &key).await;
    upload.finish().await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().len(), 9 << 20);
}

async fn an_aborted_upload_leaves_nothing(store: &BlobStore) {
    for length in [0, 10, 9 << 20] {
        let key = input(TaskId::generate());
        let mut upload = store.upload(&key).await.unwrap();
        upload.write(noise(length)).await.unwrap();
        upload.abort().await.unwrap();
        assert_missing(store, &key).await;
        assert_eq!(tasks_older_than(store, 0).await, []);
    }
}

async fn uploads_of_one_key_at_once_leave_one_of_them_whole(store: &BlobStore) {
    let key = input(TaskId::generate());
    let mut uploads = Vec::new();
    for length in [CHUNK + 1, CHUNK + 2, CHUNK + 3] {
        let mut upload = store.upload(&key).await.unwrap();
        upload.write(noise(length)).await.unwrap();
        uploads.push(upload);
    }
    let finished = futures::future::join_all(uploads.into_iter().map(|upload| upload.finish())).await;
    let hashes: Vec<ContentHash> = finished.into_iter().map(|stored| stored.unwrap().hash).collect();
    let left = store.get(&key).await.unwrap();
    assert!(hashes.contains(&ContentHash::of(&left)), "{} bytes", left.len());
}

async fn names_that_look_like_something_else_are_just_names(store: &BlobStore) {
    let task = TaskId::generate();
    for name in ["in", "a..b", "0123456789abcdef", "photo.jpg.", "_"] {
        let key = pixmill_blob::BlobKey::input(task, &segment(name));
        store.put(&key, Bytes::from(name.to_owned())).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap(), name);
        assert_eq!(key.as_str(), format!("tasks/{}/{task}/in/{name}", task.shard()));
    }
}

/// Not on the server of the tests, which has files named after whole keys; S3 takes keys of 1,024 bytes.
#[tokio::test]
async fn the_longest_name_is_just_a_name() {
    for backend in [local().await, memory().await] {
        let name = "x".repeat(200);
        let key = pixmill_blob::BlobKey::input(TaskId::generate(), &segment(&name));
        backend.store.put(&key, noise(10)).await.unwrap();
        assert_eq!(backend.store.get(&key).await.unwrap(), noise(10));
    }
}

async fn what_is_missing_is_not_found(store: &BlobStore) {
    let task = TaskId::generate();
    assert_missing(store, &input(task)).await;
    for range in [None, Some(0..1), Some(0..0)] {
        let read = store.read(&input(task), range).await;
        assert!(matches!(read, Err(BlobError::NotFound(_))), "{read:?}");
    }
    store.put(&output(task, 1), noise(1)).await.unwrap();
    assert_missing(store, &output(task, 2)).await;
}

async fn ranges_are_read(store: &BlobStore) {
    let (key, bytes) = (input(TaskId::generate()), noise(3 * CHUNK));
    store.put(&key, bytes.clone()).await.unwrap();
    let total = bytes.len();
    let ranges = [
        0..0,
        0..1,
        5..CHUNK,
        CHUNK - 1..CHUNK + 1,
        1..total,
        total - 1..total,
        total..total,
    ];
    for range in ranges {
        let read = store
            .read(&key, Some(range.start as u64..range.end as u64))
            .await
            .unwrap();
        assert_eq!(read.total_bytes, total as u64);
        assert!(collect(read).await == bytes[range.clone()], "{range:?}");
    }
    let whole = store.read(&key, None).await.unwrap();
    assert_eq!(whole.total_bytes, total as u64);
    assert!(collect(whole).await == bytes);

    let empty = input(TaskId::generate());
    store.put(&empty, Bytes::new()).await.unwrap();
    assert_eq!(collect(store.read(&empty, None).await.unwrap()).await, b"");
}

async fn a_range_outside_is_refused(store: &BlobStore) {
    let key = input(TaskId::generate());
    store.put(&key, noise(10)).await.unwrap();
    #[expect(clippy::reversed_empty_ranges, reason = "a caller's mistake is what is tried")]
    for range in [0..11, 11..11, 10..12, 5..4] {
        let read = store.read(&key, Some(range)).await;
        assert!(matches!(read, Err(BlobError::Unavailable(_))), "{read:?}");
    }
}

async fn a_delete_takes_one_blob_and_may_be_repeated(store: &BlobStore) {
    let task = TaskId::generate();
    store.put(&input(task), noise(10)).await.unwrap();
    store.put(&output(task, 1), noise(10)).await.unwrap();
    for _ in 0..2 {
        store.delete(&input(task)).await.unwrap();
        assert_missing(store, &input(task)).await;
        assert_eq!(store.get(&output(task, 1)).await.unwrap(), noise(10));
    }
    store.delete(&output(task, 1)).await.unwrap();
    assert_eq!(tasks_older_than(store, 0).await, []);
}

async fn a_deleted_lease_takes_its_outputs_only(store: &BlobStore) {
    let task = TaskId::generate();
    for key in [input(task), output(task, 1), output(task, 2)] {
        store.put(&key, noise(10)).await.unwrap();
    }
    for _ in 0..2 {
        store.delete_lease(task, LeaseId::from_bits(1)).await.unwrap();
        assert_missing(store, &output(task, 1)).await;
        store.get(&input(task)).await.unwrap();
        store.get(&output(task, 2)).await.unwrap();
    }
}

async fn a_deleted_task_takes_all_its_blobs_only(store: &BlobStore) {
    let (task, other) = (TaskId::generate(), TaskId::generate());
    for key in [input(task), output(task, 1), output(task, 2), input(other)] {
        store.put(&key, noise(10)).await.unwrap();
    }
    for _ in 0..2 {
        store.delete_task(task).await.unwrap();
        assert_eq!(tasks_older_than(store, 0).await, [other]);
    }
    store.get(&input(other)).await.unwrap();
}

async fn the_leases_that_delivered_are_listed(store: &BlobStore) {
    let (task, other) = (TaskId::generate(), TaskId::generate());
    assert_eq!(store.leases(task).await.unwrap(), []);
    for key in [input(task), output(task, 1), output(task, 2), output(other, 3)] {
        store.put(&key, noise(10)).await.unwrap();
    }
    let mut leases = store.leases(task).await.unwrap();
    leases.sort_unstable();
    assert_eq!(leases, [1, 2].map(LeaseId::from_bits));
    store.delete_lease(task, leases[0]).await.unwrap();
    assert_eq!(store.leases(task).await.unwrap(), leases[1..]);
}

async fn old_tasks_are_listed_once(store: &BlobStore) {
    let mut tasks: Vec<TaskId> = (0..50).map(|_| TaskId::generate()).collect();
    for task in &tasks {
        for key in [input(*task), output(*task, 1), output(*task, 2)] {
            store.put(&key, noise(1)).await.unwrap();
        }
    }
    tasks.sort_unstable();
    assert_eq!(tasks_older_than(store, 0).await, tasks);
    assert_eq!(tasks_older_than(store, 3600).await, []);
}

async fn a_store_that_works_checks_out(store: &BlobStore) {
    store.check().await.unwrap();
}

async fn the_note_of_the_installation_is_kept_whoever_writes_it_at_once(store: &BlobStore) {
    assert_eq!(store.installation().await.unwrap(), None);
    let (id, other) = (InstallationId::generate(), InstallationId::generate());
    let many = (0..8).map(|_| store.note_installation(id));
    for written in futures::future::join_all(many).await {
        written.unwrap();
    }
    assert_eq!(store.installation().await.unwrap(), Some(id));
    store.note_installation(other).await.unwrap();
    assert_eq!(store.installation().await.unwrap(), Some(other));
    assert_eq!(tasks_older_than(store, 0).await, [], "it is no task's");
}
