//! Finished files: whole, in part, not again, or from elsewhere.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use pixmill_blob::BlobStore;
use pixmill_broker::BrokerOptions;
use pixmill_gateway::GatewayOptions;
use pixmill_types::ContentHash;

use crate::harness::{Answer, World, bucket};

const PIXELS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

async fn finished(world: &World) -> String {
    let id = world.submitted().await;
    let lease = world.claim().await;
    world.complete(&lease, PIXELS).await;
    format!("/v1/tasks/{id}/outputs/processed_my_photo.png")
}

async fn ask(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_file_is_served_with_all_that_is_known_of_it() {
    let world = World::new().await;
    let path = finished(&world).await;
    let get = ask(&world, Method::GET, &path, &[]).await;
    assert_eq!((get.status, &get.body[..]), (StatusCode::OK, PIXELS));
    let etag = format!("\"{}\"", ContentHash::of(PIXELS));
    for (name, value) in [
        ("etag", etag.as_str()),
        ("content-type", "image/png"),
        ("content-length", "36"),
        ("accept-ranges", "bytes"),
        ("content-disposition", "inline; filename=\"processed_my_photo.png\""),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, max-age=31536000, immutable"),
    ] {
        assert_eq!(get.header(name), Some(value), "{name}");
    }
    let modified = httpdate::parse_http_date(get.header("last-modified").unwrap()).unwrap();
    assert!(modified <= std::time::SystemTime::now());
    let head = ask(&world, Method::HEAD, &path, &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    let without_id = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id");
        headers
    };
    assert_eq!(without_id(&head), without_id(&get));
}

#[tokio::test]
async fn part_of_a_file() {
    let world = World::new().await;
    let path = finished(&world).await;
    for (range, expected, content_range) in [
        ("bytes=0-9", &PIXELS[..10], "bytes 0-9/36"),
        ("bytes=30-", &PIXELS[30..], "bytes 30-35/36"),
        ("bytes=-1", &PIXELS[35..], "bytes 35-35/36"),
        ("bytes=5-100", &PIXELS[5..], "bytes 5-35/36"),
    ] {
        let answer = ask(&world, Method::GET, &path, &[("range", range)]).await;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (StatusCode::PARTIAL_CONTENT, expected),
            "{range}"
        );
        assert_eq!(answer.header("content-range"), Some(content_range));
        assert_eq!(
            answer.header("content-length"),
            Some(expected.len().to_string().as_str())
        );
        assert!(answer.header("etag").is_some());
    }
    let whole = ask(&world, Method::GET, &path, &[("range", "bytes=0-1,4-5")]).await;
    assert_eq!((whole.status, &whole.body[..]), (StatusCode::OK, PIXELS));
    let beyond = ask(&world, Method::GET, &path, &[("range", "bytes=36-")]).await;
    assert_eq!(beyond.problem(), "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), Some("bytes */36"));
}

#[tokio::test]
async fn a_file_the_client_has_is_not_sent_again() {
    let world = World::new().await;
    let path = finished(&world).await;
    let first = ask(&world, Method::GET, &path, &[]).await;
    let (etag, modified) = (first.header("etag").unwrap(), first.header("last-modified").unwrap());
    for method in [Method::GET, Method::HEAD] {
        for headers in [
            [("if-none-match", etag), ("range", "bytes=0-1")],
            [("if-modified-since", modified), ("accept", "*/*")],
        ] {
            let answer = ask(&world, method.clone(), &path, &headers).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(answer.header("etag"), Some(etag));
            // Of GET hyper leaves it out.
            if method == Method::HEAD {
                assert_eq!(answer.header("content-length"), Some(&*PIXELS.len().to_string()));
            }
        }
    }
    let other = ask(&world, Method::GET, &path, &[("if-match", "\"other\"")]).await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (StatusCode::PRECONDITION_FAILED, "precondition_failed")
    );
    let resumed = ask(
        &world,
        Method::GET,
        &path,
        &[("range", "bytes=1-1"), ("if-range", etag)],
    )
    .await;
    assert_eq!(resumed.status, StatusCode::PARTIAL_CONTENT);
    let changed = ask(
        &world,
        Method::GET,
        &path,
        &[("range", "bytes=1-1"), ("if-range", "\"other\"")],
    )
    .await;
    assert_eq!(changed.status, StatusCode::OK);
}

#[tokio::test]
async fn files_that_are_not_there() {
    let world = World::new().await;
    let id = world.submitted().await;
    let early = world
        .get(&format!("/v1/tasks/{id}/outputs/processed_my_photo.png"))
        .await;
    assert_eq!(
        (early.status, early.problem().as_str()),
        (StatusCode::NOT_FOUND, "output_not_found")
    );
    assert_eq!(early.json()["detail"], "the task is queued, it has no outputs");
    let lease = world.claim().await;
    world.complete(&lease, PIXELS).await;
    for name in ["other.png", "..%2f..%2fin%2fmy_photo.png", "my_photo.png"] {
        let answer = world.get(&format!("/v1/tasks/{id}/outputs/{name}")).await;
        assert_eq!(answer.problem(), "output_not_found", "{name}");
        assert_eq!(answer.json()["allowed"], "processed_my_photo.png");
    }
    world.blobs.delete_task(id.parse().unwrap()).await.unwrap();
    let lost = world
        .get(&format!("/v1/tasks/{id}/outputs/processed_my_photo.png"))
        .await;
    assert_eq!(lost.problem(), "output_not_found");
}

/// A bucket that is never asked: a link is signed without it.
fn unasked_bucket() -> BlobStore {
    bucket("https://store.example.com")
}

#[tokio::test]
async fn a_file_in_a_bucket_is_fetched_there_when_the_server_is_set_so() {
    let mut world = World::new().await;
    let path = finished(&world).await;
    world.regate(GatewayOptions::default(), unasked_bucket());
    let first = ask(&world, Method::HEAD, &path, &[]).await;
    assert_eq!(first.status, StatusCode::OK, "the record tells all that HEAD asks for");
    let etag = first.header("etag").unwrap().to_owned();

    let options = GatewayOptions {
        redirect_downloads: Some(Duration::from_secs(600)),
        ..GatewayOptions::default()
    };
    world.regate(options, unasked_bucket());
    for headers in [&[][..], &[("range", "bytes=0-9")]] {
        let answer = ask(&world, Method::GET, &path, headers).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::FOUND, 0));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let link = answer.header("location").unwrap();
        assert!(
            link.starts_with("https://store.example.com/pictures/shop/tasks/"),
            "{link}"
        );
        for part in [
            "X-Amz-Signature=",
            "X-Amz-Expires=600",
            "response-content-type=image%2Fpng",
        ] {
            assert!(link.contains(part), "{part} is not in {link}");
        }
    }
    let known = ask(&world, Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    let beyond = ask(&world, Method::GET, &path, &[("range", "bytes=36-")]).await;
    assert_eq!(beyond.problem(), "range_not_satisfiable");
    let head = ask(&world, Method::HEAD, &path, &[]).await;
    assert_eq!(head.status, StatusCode::OK);
}

#[tokio::test]
async fn a_file_on_the_local_disk_is_sent_whatever_the_server_is_set_to() {
    let options = GatewayOptions {
        redirect_downloads: Some(Duration::from_secs(600)),
        ..GatewayOptions::default()
    };
    let world = World::with(options, BrokerOptions::default()).await;
    let path = finished(&world).await;
    let answer = ask(&world, Method::GET, &path, &[]).await;
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, PIXELS));
}
