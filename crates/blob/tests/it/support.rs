//! Keys, bytes, listings and what strangers see, for the tests.

use std::path::Path;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use pixmill_blob::{BlobError, BlobKey, BlobRead, BlobStore, Upload};
use pixmill_types::{LeaseId, Segment, TaskId};

/// Size of a chunk that is staged in one go, as far as the tests care: sizes around it are tried.
pub(crate) const CHUNK: usize = 256 * 1024;

pub(crate) fn segment(name: &str) -> Segment {
    Segment::parse(name).unwrap()
}

pub(crate) fn input(task: TaskId) -> BlobKey {
    BlobKey::input(task, &segment("photo.jpg"))
}

pub(crate) fn output(task: TaskId, lease: u64) -> BlobKey {
    BlobKey::output(task, LeaseId::from_bits(lease), &segment("processed_photo.jpg"))
}

/// Bytes that repeat nowhere, so that a piece in the wrong place shows.
pub(crate) fn noise(length: usize) -> Bytes {
    let words = (0_u64..).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17).to_le_bytes());
    words.take(length).collect()
}

pub(crate) async fn collect(read: BlobRead) -> Vec<u8> {
    let pieces: Vec<Bytes> = read.stream.try_collect().await.unwrap();
    pieces.concat()
}

pub(crate) async fn tasks_older_than(store: &BlobStore, seconds: u64) -> Vec<TaskId> {
    let found = store.tasks_older_than(std::time::Duration::from_secs(seconds));
    let mut tasks: Vec<TaskId> = found.map(Result::unwrap).collect().await;
    tasks.sort_unstable();
    tasks
}

pub(crate) async fn assert_missing(store: &BlobStore, key: &BlobKey) {
    let got = store.get(key).await;
    assert!(
        matches!(&got, Err(BlobError::NotFound(name)) if name == key.as_str()),
        "{got:?}"
    );
}

/// Of a server that is away, whatever is asked of it.
pub(crate) async fn assert_refuses_all(store: &BlobStore, task: TaskId, upload: Upload) {
    for failed in [
        store.check().await.err(),
        store.get(&input(task)).await.err(),
        store.put(&output(task, 1), noise(10)).await.err(),
        upload.finish().await.err(),
    ] {
        assert!(matches!(failed, Some(BlobError::Unavailable(_))), "{failed:?}");
    }
}

/// Everything below `root` except the shards themselves, sorted, folders with a slash at the end.
pub(crate) fn listing(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    list_into(root, root, &mut found);
    found.retain(|path| path != "tasks/" && !(path.len() == "tasks/00/".len() && path.ends_with('/')));
    found.sort();
    found
}

fn list_into(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if path.is_dir() {
            found.push(format!("{name}/"));
            list_into(root, &path, found);
        } else {
            found.push(name);
        }
    }
}

/// Fetches a link without any credentials: the status, the media type and the body.
pub(crate) async fn fetch(link: &str) -> (u16, String, Bytes) {
    let uri: http::Uri = link.parse().unwrap();
    let authority = uri.authority().unwrap().as_str();
    let stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let request = http::Request::get(uri.path_and_query().unwrap().as_str())
        .header("host", authority)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let media_type = response.headers().get("content-type");
    let media_type = media_type
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    driver.abort();
    (status, media_type, body)
}
