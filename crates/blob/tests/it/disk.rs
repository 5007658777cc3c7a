//! What only a disk can get wrong: leftovers, modes, room, folders that come and go, files that are not ours.

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::StreamExt;
use pixmill_blob::{BlobError, BlobStore};
use pixmill_types::{InstallationId, TaskId};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::support::{CHUNK, assert_missing, input, listing, noise, output, tasks_older_than};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn files_lie_where_the_documentation_says_and_outsiders_cannot_read_them() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("deep/data");
    let store = BlobStore::local(&data).await.unwrap();
    let task = TaskId::generate();
    store.put(&input(task), noise(10)).await.unwrap();
    store.put(&output(task, 0xab), noise(10)).await.unwrap();

    let folder = format!("tasks/{}/{task}", task.shard());
    let expected = [
        format!("{folder}/"),
        format!("{folder}/00000000000000ab/"),
        format!("{folder}/00000000000000ab/processed_photo.jpg"),
        format!("{folder}/in/"),
        format!("{folder}/in/photo.jpg"),
    ];
    assert_eq!(listing(&data), expected);
    for path in expected.iter().map(|path| data.join(path)).chain([data.clone()]) {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{}: {mode:o}", path.display());
    }

    let reopened = BlobStore::local(&data).await.unwrap();
    assert_eq!(reopened.get(&input(task)).await.unwrap(), noise(10));
}

#[tokio::test]
async fn a_folder_that_was_replaced_takes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (data, aside) = (root.path().join("data"), root.path().join("aside"));
    let store = BlobStore::local(&data).await.unwrap();
    store.note_installation(InstallationId::generate()).await.unwrap();
    store.put(&input(TaskId::generate()), noise(10)).await.unwrap();
    // As when a volume is unmounted: what is below its mount point is empty.
    fs::rename(&data, &aside).unwrap();
    fs::create_dir(&data).unwrap();
    let refusal = store.put(&input(TaskId::generate()), noise(10)).await.unwrap_err();
    assert!(matches!(refusal, BlobError::Unavailable(_)), "{refusal}");
    store.check().await.unwrap_err();
    assert_eq!(listing(&data), [] as [String; 0]);
    fs::remove_dir(&data).unwrap();
    fs::rename(&aside, &data).unwrap();
    store.check().await.unwrap();
    store.put(&input(TaskId::generate()), noise(10)).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_leads_nowhere_is_refused_for_that_reason() {
    let root = tempfile::tempdir().unwrap();
    let link = root.path().join("data");
    std::os::unix::fs::symlink(root.path().join("gone"), &link).unwrap();
    let error = BlobStore::local(&link).await.unwrap_err();
    let mut reason: &dyn Error = &error;
    while let Some(cause) = reason.source() {
        reason = cause;
    }
    assert_eq!(reason.to_string(), "No such file or directory (os error 2)");
}

#[tokio::test]
async fn an_abort_removes_the_staging_file_and_the_folders() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    let task = TaskId::generate();
    let mut upload = store.upload(&input(task)).await.unwrap();
    upload.write(noise(2 * CHUNK)).await.unwrap();
    assert!(!listing(root.path()).is_empty());
    upload.abort().await.unwrap();
    assert_eq!(listing(root.path()), [""; 0]);
}

/// Ending a runtime waits for the removal that a drop set going, or carries it out.
#[test]
fn a_dropped_upload_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = BlobStore::local(root.path()).await.unwrap();
        let mut upload = store.upload(&input(TaskId::generate())).await.unwrap();
        upload.write(noise(2 * CHUNK)).await.unwrap();
        assert!(!listing(root.path()).is_empty());
        drop(upload);
    });
    drop(runtime);
    assert_eq!(listing(root.path()), [""; 0]);
}

#[test]
fn an_upload_whose_client_left_within_a_call_leaves_nothing() {
    for (length, finishing) in [(10, true), (2 * CHUNK, false), (2 * CHUNK, true)] {
        // The thread that writes may be done before the call is looked at for the first time: then nothing was cut off.
        let was_cut_off = (0..1_000).any(|_| {
            let root = tempfile::tempdir().unwrap();
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let cut_off = runtime.block_on(leave_within_a_call(root.path(), length, finishing));
            drop(runtime);
            if cut_off {
                assert_eq!(listing(root.path()), [""; 0], "{length} bytes, finishing: {finishing}");
            }
            cut_off
        });
        assert!(was_cut_off, "{length} bytes, finishing: {finishing}");
    }
}

/// Looks once at a call of an upload, then drops it; returns whether the call was still under way.
async fn leave_within_a_call(root: &Path, length: usize, finishing: bool) -> bool {
    let store = BlobStore::local(root).await.unwrap();
    let mut upload = store.upload(&input(TaskId::generate())).await.unwrap();
    if finishing {
        upload.write(noise(length)).await.unwrap();
        return futures::poll!(Box::pin(upload.finish())).is_pending();
    }
    let cut_off = futures::poll!(Box::pin(upload.write(noise(length)))).is_pending();
    if cut_off {
        let after = upload.finish().await;
        assert!(matches!(after, Err(BlobError::Unavailable(_))), "{after:?}");
    }
    cut_off
}

/// Uploads of one task come and go at once: one that gives up must not take the folders from under the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn uploads_that_give_up_do_not_disturb_their_neighbours() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    for _ in 0..12 {
        let task = TaskId::generate();
        let mut uploads = tokio::task::JoinSet::new();
        for number in 0..16 {
            let store = store.clone();
            // Two uploads a lease, one of which stays in every fourth lease.
            let (lease, stays) = (number / 2, number % 8 == 0);
            let name = crate::support::segment(&format!("output-{number}.jpg"));
            let key = pixmill_blob::BlobKey::output(task, pixmill_types::LeaseId::from_bits(lease), &name);
            uploads.spawn(async move {
                let mut upload = store.upload(&key).await.unwrap();
                upload.write(noise(CHUNK + 1)).await.unwrap();
                if stays {
                    upload.finish().await.unwrap();
                    assert_eq!(store.get(&key).await.unwrap().len(), CHUNK + 1);
                } else {
                    upload.abort().await.unwrap();
                }
            });
        }
        uploads.join_all().await;
        let files = listing(root.path())
            .into_iter()
            .filter(|path| !path.ends_with('/'))
            .count();
        assert_eq!(files, 2);
        store.delete_task(task).await.unwrap();
        assert_eq!(listing(root.path()), [""; 0]);
    }
}

#[tokio::test]
async fn folders_removed_by_hand_are_made_again() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    fs::remove_dir_all(root.path().join("tasks")).unwrap();
    assert_eq!(tasks_older_than(&store, 0).await, []);
    assert_eq!(store.sweep_staging(Duration::ZERO).await.unwrap(), 0);
    let key = input(TaskId::generate());
    store.put(&key, noise(10)).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), noise(10));
}

fn age(path: &Path, by: Duration) {
    File::open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
}

/// Makes everything in `root` two hours old.
fn age_all(root: &Path) {
    for path in listing(root).iter().rev() {
        age(&root.join(path), 2 * HOUR);
    }
}

#[tokio::test]
async fn a_task_is_old_when_its_newest_file_is() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    let (old, young, empty) = (TaskId::generate(), TaskId::generate(), TaskId::generate());
    for task in [old, young] {
        store.put(&input(task), noise(10)).await.unwrap();
    }
    fs::create_dir(root.path().join("tasks").join(empty.shard()).join(empty.to_string())).unwrap();
    age_all(root.path());
    let staging = root.path().join(format!("{}#1", input(young).as_str()));
    fs::write(&staging, "still coming in").unwrap();

    let mut expected = [old, empty];
    expected.sort_unstable();
    assert_eq!(tasks_older_than(&store, 3600).await, expected);
    assert_eq!(tasks_older_than(&store, 3 * 3600).await, []);
    store.delete_task(young).await.unwrap();
    assert!(!staging.exists());
}

#[tokio::test]
async fn staging_files_nobody_writes_to_are_swept() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    let (crashed, done) = (TaskId::generate(), TaskId::generate());
    store.put(&input(done), noise(10)).await.unwrap();
    let folder = root.path().join(input(crashed).as_str());
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    for number in [1, 12] {
        fs::write(format!("{}#{number}", folder.display()), "cut off").unwrap();
    }
    fs::write(root.path().join(format!("{}#1", input(done).as_str())), "cut off").unwrap();
    age_all(root.path());
    let mut live = store.upload(&output(done, 1)).await.unwrap();
    live.write(noise(2 * CHUNK)).await.unwrap();

    assert_eq!(store.sweep_staging(3 * HOUR).await.unwrap(), 0);
    assert_eq!(store.sweep_staging(HOUR).await.unwrap(), 3);
    assert_eq!(tasks_older_than(&store, 0).await, [done], "empty folders go as well");
    live.finish().await.unwrap();
    store.get(&input(done)).await.unwrap();
    store.get(&output(done, 1)).await.unwrap();
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    let task = TaskId::generate();
    let shard = root.path().join("tasks").join(task.shard());
    let other_shard = if task.shard() == "00" { "01" } else { "00" };
    let upper_case = task.to_string().to_uppercase();
    let foreign = [
        root.path().join("pixmill.db"),
        root.path().join("tasks/readme#1"),
        root.path().join("tasks/zz/anything#1"),
        shard.join("readme#1"),
        shard.join("0190163d-8694-439b-aea5-966c26f8ad91/in/not-version-7#1"),
        shard.join(upper_case).join("in/photo.jpg#1"),
        // Ours by its name, but not where we put it.
        root.path()
            .join("tasks")
            .join(other_shard)
            .join(task.to_string())
            .join("in/photo.jpg#1"),
    ];
    for path in &foreign {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "not ours").unwrap();
    }
    assert_eq!(tasks_older_than(&store, 0).await, []);
    assert_eq!(store.sweep_staging(Duration::ZERO).await.unwrap(), 0);
    store.delete_task(task).await.unwrap();
    for path in &foreign {
        assert!(path.exists(), "{}", path.display());
    }
}

/// The walk goes on while what it walks over is being deleted, and while new tasks come in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_bears_concurrent_deletes() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::local(root.path()).await.unwrap();
    let mut tasks: Vec<TaskId> = (0..300).map(|_| TaskId::generate()).collect();
    for task in &tasks {
        store.put(&input(*task), Bytes::from_static(b"x")).await.unwrap();
    }
    let kept = tasks.split_off(150);
    let deleting = {
        let store = store.clone();
        tokio::spawn(async move {
            for task in tasks {
                store.delete_task(task).await.unwrap();
            }
        })
    };
    while !deleting.is_finished() {
        let found = tasks_older_than(&store, 0).await;
        for task in &kept {
            assert!(found.contains(task), "{task} was not found");
        }
        store.sweep_staging(HOUR).await.unwrap();
    }
    deleting.await.unwrap();
    let mut found = store.tasks_older_than(Duration::ZERO);
    let first = found.next().await.unwrap().unwrap();
    assert!(kept.contains(&first));
}

const FULL_ROOT: &str = "PIXMILL_TEST_FULL_ROOT";

/// A limit on the size of files stands for the full disk: the kernel cuts a write short, then refuses it. The limit
/// holds for a whole process, so the test runs itself again in one of its own, where the signal that comes with it is
/// ignored.
#[test]
fn a_full_disk_stores_nothing_and_heals() {
    if let Ok(root) = std::env::var(FULL_ROOT) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(fill_and_heal(Path::new(&root)));
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "disk::a_full_disk_stores_nothing_and_heals", "--nocapture"])
        .env(FULL_ROOT, root.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(listing(root.path()).len(), 6, "two blobs and their folders");
}

async fn fill_and_heal(root: &Path) {
    let limit = |current| {
        let limit = Rlimit { current, maximum: None };
        setrlimit(Resource::Fsize, limit).unwrap();
    };
    let store = BlobStore::local(root).await.unwrap();
    limit(Some(100_000));
    let task = TaskId::generate();
    for length in [100_001, 4 * CHUNK] {
        let put = store.put(&input(task), noise(length)).await;
        assert!(matches!(put, Err(BlobError::Full(_))), "{put:?}");

        let mut upload = store.upload(&input(task)).await.unwrap();
        let written = upload.write(noise(length)).await;
        assert_eq!(written.is_err(), length > CHUNK, "{written:?}");
        let finished = upload.finish().await;
        let full = written.err().or(finished.err());
        assert!(matches!(full, Some(BlobError::Full(_))), "{full:?}");

        assert_missing(&store, &input(task)).await;
        assert_eq!(listing(root), [""; 0]);
    }
    store.put(&input(task), noise(100_000)).await.unwrap();
    limit(None);
    store.put(&input(TaskId::generate()), noise(4 * CHUNK)).await.unwrap();
}
