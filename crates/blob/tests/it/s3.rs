//! What only a bucket can get wrong: keys, prefixes, credentials, links, and being away.

use std::fs;
use std::process::Command;
use std::time::Duration;

use pixmill_blob::{BlobError, BlobStore, BucketOptions, S3Credentials, S3Options, Service};
use pixmill_types::TaskId;

use crate::answering::answering;
use crate::s3_server::{BUCKET, KEY_ID, S3Server, SECRET};
use crate::support::{assert_refuses_all, fetch, input, listing, noise, output, tasks_older_than};

/// A store in the bucket of `server`, with the right credentials.
pub(crate) fn options(server: &S3Server, prefix: &str) -> BucketOptions {
    options_at(&format!("http://{}", server.address()), prefix)
}

fn options_at(endpoint: &str, prefix: &str) -> BucketOptions {
    BucketOptions {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        link_endpoint: None,
        service: Service::S3(S3Options {
            region: "us-east-1".to_owned(),
            path_style: true,
            credentials: keys(KEY_ID, SECRET),
        }),
    }
}

/// Changes what is said to S3 alone.
fn set(options: &mut BucketOptions, change: impl FnOnce(&mut S3Options)) {
    let Service::S3(own) = &mut options.service else {
        panic!("{options:?} are not of S3");
    };
    change(own);
}

fn keys(key_id: &str, secret: &str) -> S3Credentials {
    S3Credentials::from_environment(|name| match name {
        "AWS_ACCESS_KEY_ID" => Some(key_id.to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(secret.to_owned()),
        _ => None,
    })
}

#[tokio::test]
async fn blobs_lie_below_the_prefix_and_what_is_not_ours_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let store = BlobStore::bucket(&options(&server, "shop/pictures")).unwrap();
    let other = BlobStore::bucket(&options(&server, "")).unwrap();
    let task = TaskId::generate();
    store.put(&input(task), noise(10)).await.unwrap();
    let foreign = root.path().join(BUCKET).join("shop/pictures/tasks/readme.txt");
    fs::write(&foreign, "not ours").unwrap();
    assert!(
        root.path()
            .join(BUCKET)
            .join("shop/pictures")
            .join(input(task).as_str())
            .exists()
    );
    assert_eq!(tasks_older_than(&store, 0).await, [task]);
    assert_eq!(tasks_older_than(&other, 0).await, []);
    store.delete_task(task).await.unwrap();
    assert_eq!(tasks_older_than(&store, 0).await, []);
    assert!(foreign.exists());
}

#[tokio::test]
async fn credentials_come_from_a_file_and_must_be_right() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let file = root.path().join("credentials");
    fs::write(
        &file,
        format!("[images]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"),
    )
    .unwrap();
    let from_file = |profile: &str| {
        let mut options = options(&server, "");
        set(&mut options, |own| {
            own.credentials = S3Credentials::File {
                path: file.clone(),
                profile: profile.to_owned(),
            };
        });
        BlobStore::bucket(&options).unwrap()
    };
    let store = from_file("images");
    store.check().await.unwrap();
    store.put(&input(TaskId::generate()), noise(10)).await.unwrap();

    let mut wrong = options(&server, "");
    set(&mut wrong, |own| own.credentials = keys(KEY_ID, "guessed"));
    for refused in [from_file("default"), BlobStore::bucket(&wrong).unwrap()] {
        let checked = refused.check().await;
        assert!(matches!(checked, Err(BlobError::Unavailable(_))), "{checked:?}");
        let stored = refused.put(&input(TaskId::generate()), noise(10)).await;
        assert!(matches!(stored, Err(BlobError::Unavailable(_))), "{stored:?}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_missing_does_not_check_out() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let mut options = options(&server, "");
    options.bucket = "no-such-bucket".to_owned();
    let checked = BlobStore::bucket(&options).unwrap().check().await;
    assert!(matches!(checked, Err(BlobError::Unavailable(_))), "{checked:?}");
}

#[tokio::test]
async fn a_link_is_good_for_one_blob() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let store = BlobStore::bucket(&options(&server, "below")).unwrap();
    let (task, other) = (TaskId::generate(), TaskId::generate());
    for task in [task, other] {
        store.put(&output(task, 1), noise(100)).await.unwrap();
    }
    let minute = Duration::from_secs(60);
    let link = store
        .link(&output(task, 1), "image/jpeg", "inline", minute)
        .await
        .unwrap()
        .unwrap();
    let (status, _, body) = fetch(&link).await;
    assert_eq!((status, body), (200, noise(100)));
    let forged = link.replace(&task.to_string(), &other.to_string());
    assert_eq!(fetch(&forged).await.0, 403, "{forged}");

    let mut options = options(&server, "below");
    options.link_endpoint = Some("https://pictures.example.com".to_owned());
    let elsewhere = BlobStore::bucket(&options).unwrap();
    let link = elsewhere
        .link(&output(task, 1), "image/jpeg", "inline", minute)
        .await
        .unwrap()
        .unwrap();
    assert!(
        link.starts_with(&format!("https://pictures.example.com/{BUCKET}/below/tasks/")),
        "{link}"
    );
    assert!(link.contains("response-content-type=image%2Fjpeg"), "{link}");

    let local = BlobStore::local(root.path()).await.unwrap();
    assert_eq!(
        local
            .link(&output(task, 1), "image/jpeg", "inline", minute)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_bucket_may_stand_in_the_name_of_the_host() {
    let root = tempfile::tempdir().unwrap();
    let mut options = options(&S3Server::start(root.path()), "");
    set(&mut options, |own| own.path_style = false);
    options.endpoint = Some("https://store.example.com:9000".to_owned());
    let store = BlobStore::bucket(&options).unwrap();
    let minute = Duration::from_secs(60);
    let link = store
        .link(&input(TaskId::generate()), "image/jpeg", "inline", minute)
        .await
        .unwrap()
        .unwrap();
    assert!(
        link.starts_with(&format!("https://{BUCKET}.store.example.com:9000/tasks/")),
        "{link}"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_nothing_is_left_when_it_returns() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let address = server.address();
    let store = BlobStore::bucket(&options(&server, "")).unwrap();
    let task = TaskId::generate();
    let mut upload = store.upload(&input(task)).await.unwrap();
    upload.write(noise(9 << 20)).await.unwrap();
    drop(server);

    assert_refuses_all(&store, task, upload).await;
    let _server = S3Server::start_at(root.path(), address);
    store.check().await.unwrap();
    assert_eq!(tasks_older_than(&store, 0).await, []);
    store.put(&input(task), noise(10)).await.unwrap();
}

/// Parts of an upload are no blobs, and are removed when it is given up, in whichever way.
#[tokio::test]
async fn an_upload_that_was_given_up_leaves_no_parts() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let store = BlobStore::bucket(&options(&server, "")).unwrap();
    let bare = listing(root.path());
    for dropped in [false, true] {
        let mut upload = store.upload(&input(TaskId::generate())).await.unwrap();
        upload.write(noise(9 << 20)).await.unwrap();
        assert_ne!(listing(root.path()), bare);
        if dropped {
            drop(upload);
        } else {
            upload.abort().await.unwrap();
        }
        let gone = async {
            while listing(root.path()) != bare {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
    }
}

const MEMORY_ENDPOINT: &str = "PIXMILL_TEST_MEMORY_ENDPOINT";
const UPLOAD_BYTES: usize = 160 << 20;

/// The peak of a process's memory is its own, and the server must not count: the test runs itself again.
#[test]
fn memory_does_not_grow_with_the_size_of_an_upload() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Ok(endpoint) = std::env::var(MEMORY_ENDPOINT) {
        runtime.block_on(upload_much(&endpoint));
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "s3::memory_does_not_grow_with_the_size_of_an_upload",
            "--nocapture",
        ])
        .env(MEMORY_ENDPOINT, format!("http://{}", server.address()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn upload_much(endpoint: &str) {
    let store = BlobStore::bucket(&options_at(endpoint, "large")).unwrap();
    let key = input(TaskId::generate());
    // What is there once for all uploads is there before the first byte is counted.
    store.put(&key, noise(16 << 20)).await.unwrap();
    let before = peak_memory();
    let piece = noise(1 << 20);
    let mut upload = store.upload(&key).await.unwrap();
    for _ in 0..UPLOAD_BYTES / piece.len() {
        upload.write(piece.clone()).await.unwrap();
    }
    let stored = upload.finish().await.unwrap();
    assert_eq!(stored.bytes, UPLOAD_BYTES as u64);
    let grown = peak_memory() - before;
    assert!(grown < UPLOAD_BYTES as u64 / 4, "{grown} bytes");
}

/// The most memory this process has had, bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: u64 = line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap();
    kibibytes * 1024
}

/// Plays the machine that knows the role of what runs on it, by the protocol of EC2 (IMDSv2); returns its address.
fn metadata_of_a_machine() -> String {
    answering(|head| {
        let has_token = head
            .iter()
            .any(|line| line.eq_ignore_ascii_case("x-aws-ec2-metadata-token: a-token"));
        let path = head[0].split(' ').nth(1).unwrap_or_default();
        let body = match (path, has_token) {
            ("/latest/api/token", _) => "a-token".to_owned(),
            ("/latest/meta-data/iam/security-credentials/", true) => "miller".to_owned(),
            ("/latest/meta-data/iam/security-credentials/miller", true) => format!(
                r#"{{"AccessKeyId":"{KEY_ID}","SecretAccessKey":"{SECRET}","Token":"for-now",
                    "Expiration":"2126-01-01T00:00:00Z"}}"#
            ),
            _ => panic!("asked for {}", head[0]),
        };
        Some(body)
    })
}

#[tokio::test]
async fn without_a_key_the_role_of_the_machine_counts() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let mut options = options(&server, "");
    let machine = metadata_of_a_machine();
    let credentials =
        S3Credentials::from_environment(|name| (name == "AWS_METADATA_ENDPOINT").then(|| machine.clone()));
    set(&mut options, |own| own.credentials = credentials);
    let store = BlobStore::bucket(&options).unwrap();
    store.check().await.unwrap();
    let key = input(TaskId::generate());
    store.put(&key, noise(10)).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), noise(10));
}
