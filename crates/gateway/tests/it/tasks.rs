//! `/v1/tasks`: submit, read, wait, list, repeat, call off, send round again, delete.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pixmill_broker::Broker as _;
use pixmill_types::{Failure, FailureCode};
use serde_json::Value;

use crate::harness::{Form, World, image_request, small_png, testdata};

#[tokio::test]
async fn an_image_as_the_body_becomes_a_task() {
    let world = World::new().await;
    let query = "recipe=orient%20%7C%20blur%3A3&priority=8&not_before=2001-01-01T00%3A00%3A00Z&filename=my_photo.png";
    let mut request = image_request(&format!("/v1/tasks?{query}"), "image/png", small_png());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.headers_mut().insert("traceparent", trace.parse().unwrap());
    let answer = world.send(request).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(world.get(&location).await.json(), answer.json());
    let task = world
        .broker
        .get(answer.json()["id"].as_str().unwrap().parse().unwrap())
        .await
        .unwrap();
    assert_eq!(task.trace_parent.as_deref(), Some(trace));
    assert!(task.cost_bytes > task.max_attempts.into());
    let text = serde_json::to_string_pretty(&answer.json()).unwrap();
    let text = text.replace(answer.json()["id"].as_str().unwrap(), "[id]");
    insta::assert_snapshot!(text.replace(answer.json()["created_at"].as_str().unwrap(), "[time]"));
}

#[tokio::test]
async fn an_image_needs_no_media_type() {
    let world = World::new().await;
    for request in [
        Request::post("/v1/tasks")
            .body(Body::from(testdata("webp/lossy.webp")))
            .unwrap(),
        image_request("/v1/tasks", "application/octet-stream", small_png()),
        image_request("/v1/tasks", "image/x-whatever; a=b", small_png()),
    ] {
        let answer = world.send(request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        assert_eq!(answer.json()["input"]["name"], "image");
    }
}

#[tokio::test]
async fn a_form_wins_over_the_query() {
    let world = World::new().await;
    let form = Form::default()
        .and_field("filename", "b.png")
        .and_field("recipe", "{\"steps\": [\"grayscale\"]}")
        .and_file("a.png", &small_png());
    let task = world
        .send(form.post("/v1/tasks?recipe=blur&filename=c.png&priority=1"))
        .await
        .json();
    assert_eq!(
        (&task["recipe"], &task["input"]["name"], &task["priority"]),
        (&"grayscale".into(), &"b.png".into(), &1.into())
    );
}

#[tokio::test]
async fn a_delayed_task_waits() {
    let world = World::new().await;
    let later = jiff::Timestamp::now() + Duration::from_secs(3_600);
    let path = format!("/v1/tasks?not_before={later:.0}");
    let task = world.send(image_request(&path, "image/png", small_png())).await.json();
    assert_eq!(task["not_before"], format!("{later:.0}").replace('Z', ".000Z"));
    assert_eq!(world.get("/v1/stats").await.json()["queues"][0]["delayed"], 1);
}

fn with_key(key: &str, path: &str, image: &[u8], recipe: &str) -> Request<Body> {
    let mut request = Form::file("a.png", image).and_field("recipe", recipe).post(path);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test]
async fn a_repeated_request_is_the_same_request() {
    let world = World::new().await;
    let first = world.send(with_key("k", "/v1/tasks", &small_png(), "blur:2")).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let before = world.everything().await;
    // The same recipe, written otherwise.
    let again = world
        .send(with_key("k", "/v1/tasks", &small_png(), "blur:sigma=2.0"))
        .await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.json(), first.json());
    let upload = world.send(with_key("k", "/upload", &small_png(), "blur")).await;
    assert_eq!(upload.header("idempotent-replayed"), Some("true"));
    assert_eq!(upload.json()["task_id"], first.json()["id"]);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_key_is_for_one_image_and_one_recipe() {
    let world = World::new().await;
    world.send(with_key("k", "/v1/tasks", &small_png(), "blur:2")).await;
    let before = world.everything().await;
    for request in [
        with_key("k", "/v1/tasks", &small_png(), "blur:3"),
        with_key("k", "/v1/tasks", &testdata("pngsuite/basn0g08.png"), "blur:2"),
    ] {
        let answer = world.send(request).await;
        assert_eq!(answer.problem(), "idempotency_key_reused");
        assert_eq!(answer.status, 422);
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn waiting_ends_when_the_task_does() {
    let world = World::new().await;
    let id = world.submitted().await;
    let lease = world.claim().await;
    let path = format!("/v1/tasks/{id}?wait=30s");
    let (answer, _) = tokio::join!(world.get(&path), world.complete(&lease, b"pixels"));
    assert_eq!(answer.json()["state"], "completed");
}

#[tokio::test]
async fn waiting_ends_in_time() {
    let world = World::new().await;
    let id = world.submitted().await;
    assert_eq!(
        world.get(&format!("/v1/tasks/{id}?wait=5ms")).await.json()["state"],
        "queued"
    );
    for wrong in ["10h", "-1", "soon", ""] {
        let answer = world.get(&format!("/v1/tasks/{id}?wait={wrong}")).await;
        assert_eq!(answer.problem(), "invalid_query", "{wrong}");
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn a_listing_has_pages() {
    let world = World::new().await;
    let mut submitted = Vec::new();
    for _ in 0..5 {
        submitted.push(world.submitted().await);
    }
    world.post(&format!("/v1/tasks/{}/cancel", submitted[2])).await;
    let mut listed = Vec::new();
    let mut path = "/v1/tasks?limit=2".to_owned();
    let mut pages = 0;
    loop {
        let page = world.get(&path).await.json();
        listed.extend(
            page["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| task["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/tasks?limit=2&cursor={}", percent(next));
    }
    submitted.reverse();
    assert_eq!((listed, pages), (submitted.clone(), 3));
    let cancelled = world.get("/v1/tasks?state=cancelled").await.json();
    assert_eq!(cancelled["tasks"][0]["id"], submitted[2]);
    assert_eq!(cancelled["tasks"].as_array().unwrap().len(), 1);
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[tokio::test]
async fn listings_that_make_no_sense() {
    let world = World::new().await;
    for (query, code) in [
        ("state=lost", "invalid_query"),
        ("limit=0", "invalid_query"),
        ("limit=501", "invalid_query"),
        ("limit=many", "invalid_query"),
        ("page=2", "invalid_query"),
        ("state=queued&state=failed", "invalid_query"),
        ("cursor=nonsense", "invalid_cursor"),
        (&format!("cursor={}", "a".repeat(2_000)), "invalid_cursor"),
    ] {
        let answer = world.get(&format!("/v1/tasks?{query}")).await;
        assert_eq!(answer.problem(), code, "{query}");
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn a_task_is_called_off_once() {
    let world = World::new().await;
    let id = world.submitted().await;
    let cancel = format!("/v1/tasks/{id}/cancel");
    for _ in 0..2 {
        let answer = world.post(&cancel).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["state"], "cancelled");
        assert_eq!(answer.json()["links"].get("cancel"), None);
    }
    let answer = world.post(&format!("/v1/tasks/{id}/retry")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.problem(), "conflict");
    assert_eq!(answer.json()["allowed"], "a task that is failed");
}

#[tokio::test]
async fn a_completed_task_cannot_be_called_off() {
    let world = World::new().await;
    let id = world.submitted().await;
    let lease = world.claim().await;
    world.complete(&lease, b"pixels").await;
    let answer = world.post(&format!("/v1/tasks/{id}/cancel")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["allowed"], "a task that is queued or running");
}

#[tokio::test]
async fn a_failed_task_goes_round_again() {
    let world = World::new().await;
    let id = world.submitted().await;
    let lease = world.claim().await;
    let failure = Failure::new(FailureCode::ImageCorrupt, "the data contradicts the header");
    world.broker.fail(lease.id, failure, Vec::new()).await.unwrap();
    let failed = world.get(&format!("/v1/tasks/{id}")).await.json();
    assert_eq!(failed["failure"]["code"], "image_corrupt");
    assert_eq!(failed["links"]["retry"], format!("/v1/tasks/{id}/retry"));
    let answer = world.post(&format!("/v1/tasks/{id}/retry")).await;
    assert_eq!(
        (answer.status, &answer.json()["state"]),
        (StatusCode::OK, &Value::from("queued"))
    );
    assert_eq!(answer.json()["attempt"], 0);
}

#[tokio::test]
async fn a_deleted_task_leaves_nothing() {
    let world = World::new().await;
    let empty = world.everything().await;
    let id = world.submitted().await;
    let lease = world.claim().await;
    world.complete(&lease, b"pixels").await;
    let delete = || Request::delete(format!("/v1/tasks/{id}")).body(Body::empty()).unwrap();
    let answer = world.send(delete()).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(world.everything().await, empty);
    assert_eq!(world.send(delete()).await.problem(), "task_not_found");
}
