//! What only a bucket can get wrong: keys, prefixes, credentials, links, and being away.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use pixmill_blob::{BlobError, BlobStore, S3Credentials, S3Options};
use pixmill_types::TaskId;

use crate::s3_server::{BUCKET, KEY_ID, S3Server, SECRET};
use crate::support::{input, listing, noise, output, tasks_older_than};

/// A store in the bucket of `server`, with the right credentials.
pub(crate) fn options(server: &S3Server, prefix: &str) -> S3Options {
    S3Options {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: Some(format!("http://{}", server.address())),
        link_endpoint: None,
        region: "us-east-1".to_owned(),
        path_style: true,
        credentials: keys(KEY_ID, SECRET),
    }
}

fn keys(key_id: &str, secret: &str) -> S3Credentials {
    S3Credentials::Environment(vec![
        ("AWS_ACCESS_KEY_ID".to_owned(), key_id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), secret.to_owned()),
    ])
}

async fn fetch(link: &str) -> (u16, Bytes) {
    let uri: http::Uri = link.parse().unwrap();
    let stream = tokio::net::TcpStream::connect(uri.authority().unwrap().as_str())
        .await
        .unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let request = http::Request::get(uri.path_and_query().unwrap().as_str())
        .header("host", uri.authority().unwrap().as_str())
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    driver.abort();
    (status, body)
}

#[tokio::test]
async fn blobs_lie_below_the_prefix_and_what_is_not_ours_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let store = BlobStore::s3(&options(&server, "shop/pictures")).unwrap();
    let other = BlobStore::s3(&options(&server, "")).unwrap();
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
        options.credentials = S3Credentials::File {
            path: file.clone(),
            profile: profile.to_owned(),
        };
        BlobStore::s3(&options).unwrap()
    };
    let store = from_file("images");
    store.check().await.unwrap();
    store.put(&input(TaskId::generate()), noise(10)).await.unwrap();

    let mut wrong = options(&server, "");
    wrong.credentials = keys(KEY_ID, "guessed");
    for refused in [from_file("default"), BlobStore::s3(&wrong).unwrap()] {
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
    let checked = BlobStore::s3(&options).unwrap().check().await;
    assert!(matches!(checked, Err(BlobError::Unavailable(_))), "{checked:?}");
}

#[tokio::test]
async fn a_link_is_good_for_one_blob() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let store = BlobStore::s3(&options(&server, "below")).unwrap();
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
    assert_eq!(fetch(&link).await, (200, noise(100)));
    let forged = link.replace(&task.to_string(), &other.to_string());
    assert_eq!(fetch(&forged).await.0, 403, "{forged}");

    let mut options = options(&server, "below");
    options.link_endpoint = Some("https://pictures.example.com".to_owned());
    let elsewhere = BlobStore::s3(&options).unwrap();
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
    options.path_style = false;
    options.endpoint = Some("https://store.example.com:9000".to_owned());
    let store = BlobStore::s3(&options).unwrap();
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
    let store = BlobStore::s3(&options(&server, "")).unwrap();
    let task = TaskId::generate();
    let mut upload = store.upload(&input(task)).await.unwrap();
    upload.write(noise(9 << 20)).await.unwrap();
    drop(server);

    for failed in [
        store.check().await.err(),
        store.get(&input(task)).await.err(),
        store.put(&output(task, 1), noise(10)).await.err(),
        upload.finish().await.err(),
    ] {
        assert!(matches!(failed, Some(BlobError::Unavailable(_))), "{failed:?}");
    }
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
    let store = BlobStore::s3(&options(&server, "")).unwrap();
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
