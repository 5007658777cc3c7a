//! What only a bucket of Google's can get wrong: credentials and links.

use std::fs;
use std::time::Duration;

use pixmill_blob::{BlobError, BlobStore, BucketOptions, GoogleOptions, Service};
use pixmill_types::TaskId;

use crate::google_server::{GoogleServer, ServiceAccountKey};
use crate::s3_server::BUCKET;
use crate::support::{fetch, input, noise, output};

/// A store in the bucket of `server`, with the right credentials.
pub(crate) fn options(server: &GoogleServer, prefix: &str) -> BucketOptions {
    with(server, prefix, "GOOGLE_SERVICE_ACCOUNT_KEY", &server.key())
}

fn with(server: &GoogleServer, prefix: &str, variable: &str, value: &str) -> BucketOptions {
    BucketOptions {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: Some(format!("http://{}", server.address())),
        link_endpoint: None,
        service: Service::Google(GoogleOptions::from_environment(|name| {
            (name == variable).then(|| value.to_owned())
        })),
    }
}

#[tokio::test]
async fn the_key_of_a_service_account_comes_from_a_variable_or_a_file_and_must_be_right() {
    let root = tempfile::tempdir().unwrap();
    let server = GoogleServer::start(root.path());
    let file = root.path().join("key.json");
    fs::write(&file, server.key()).unwrap();
    let file = file.display().to_string();
    for (variable, value) in [
        ("GOOGLE_SERVICE_ACCOUNT_KEY", server.key()),
        ("GOOGLE_SERVICE_ACCOUNT", file.clone()),
        ("GOOGLE_APPLICATION_CREDENTIALS", file),
    ] {
        let store = BlobStore::bucket(&with(&server, "", variable, &value)).unwrap();
        store.check().await.unwrap();
        store.check_links().await.unwrap();
        store.put(&input(TaskId::generate()), noise(10)).await.unwrap();
    }
    let guessed = ServiceAccountKey::generate().document();
    let refused = BlobStore::bucket(&with(&server, "", "GOOGLE_SERVICE_ACCOUNT_KEY", &guessed)).unwrap();
    let checked = refused.check().await;
    assert!(matches!(checked, Err(BlobError::Unavailable(_))), "{checked:?}");
    let missing = with(&server, "", "GOOGLE_SERVICE_ACCOUNT", "/no/such/file");
    assert!(matches!(BlobStore::bucket(&missing), Err(BlobError::Unavailable(_))));
}

#[tokio::test]
async fn a_bucket_that_is_missing_does_not_check_out() {
    let root = tempfile::tempdir().unwrap();
    let server = GoogleServer::start(root.path());
    let mut options = options(&server, "");
    options.bucket = "no-such-bucket".to_owned();
    let checked = BlobStore::bucket(&options).unwrap().check().await;
    assert!(matches!(checked, Err(BlobError::Unavailable(_))), "{checked:?}");
}

#[tokio::test]
async fn a_link_is_good_for_one_blob_and_says_how_it_is_served() {
    let root = tempfile::tempdir().unwrap();
    let server = GoogleServer::start(root.path());
    let mut options = options(&server, "below");
    let store = BlobStore::bucket(&options).unwrap();
    let (task, other) = (TaskId::generate(), TaskId::generate());
    for task in [task, other] {
        store.put(&output(task, 1), noise(100)).await.unwrap();
    }
    let minute = Duration::from_secs(60);
    let disposition = "attachment; filename=processed_photo.jpg";
    let signed = store.link(&output(task, 1), "image/jpeg", disposition, minute).await;
    let link = signed.unwrap().unwrap();
    let (status, _, body) = fetch(&link).await;
    assert_eq!((status, body), (200, noise(100)), "{link}");
    for forged in [
        link.replace(&task.to_string(), &other.to_string()),
        link.replace("image%2Fjpeg", "text%2Fhtml"),
    ] {
        assert_ne!(forged, link);
        assert_eq!(fetch(&forged).await.0, 403, "{forged}");
    }

    options.link_endpoint = Some("https://pictures.example.com".to_owned());
    let elsewhere = BlobStore::bucket(&options).unwrap();
    let signed = elsewhere.link(&output(task, 1), "image/jpeg", "inline", minute).await;
    let link = signed.unwrap().unwrap();
    let below = format!("https://pictures.example.com/{BUCKET}/below/tasks/");
    assert!(link.starts_with(&below), "{link}");
}
