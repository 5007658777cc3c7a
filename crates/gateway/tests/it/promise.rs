//! `/upload` and `/status`, to the letter.

use axum::http::StatusCode;
use pixmill_types::{Failure, FailureCode};

use crate::harness::{Form, World, small_png, upload};

#[tokio::test]
async fn an_upload_is_acknowledged_in_exactly_these_words() {
    let world = World::new().await;
    let answer = world.send(upload(Form::file("my_photo.jpg", &small_png()))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let id = answer.json()["task_id"].as_str().unwrap().to_owned();
    let expected = format!(
        "{{\"message\":\"Image uploaded successfully. Background processing initiated.\",\"task_id\":\"{id}\",\"filename\":\
         \"my_photo.jpg\"}}"
    );
    assert_eq!(answer.text(), expected);
}

#[tokio::test]
async fn a_status_goes_from_processing_to_completed() {
    let world = World::new().await;
    let id = world.submitted().await;
    let path = format!("/status/{id}");
    let processing = format!("{{\"task_id\":\"{id}\",\"status\":\"PROCESSING\",");
    assert!(world.get(&path).await.text().starts_with(&processing));
    let lease = world.claim().await;
    assert!(world.get(&path).await.text().starts_with(&processing));
    world.complete(&lease, b"pixels").await;
    let answer = world.get(&path).await;
    let promised = format!(
        "{{\"task_id\":\"{id}\",\"status\":\"COMPLETED\",\"result\":{{\"status\":\"success\",\"file\":\
         \"processed_my_photo.png\",\"message\":\"Filters applied successfully.\"}},"
    );
    assert!(answer.text().starts_with(&promised), "{}", answer.text());
    let status = answer.json();
    assert_eq!(world.get(status["url"].as_str().unwrap()).await.body, "pixels");
    let on_disk = world.folder.path().join(status["path"].as_str().unwrap());
    assert_eq!(std::fs::read(on_disk).unwrap(), b"pixels");
    insta::assert_json_snapshot!(status, {
        ".task_id" => "[id]", ".path" => "[path]", ".url" => "[url]", ".task_url" => "[url]",
        ".created_at" => "[time]", ".finished_at" => "[time]",
    });
}

#[tokio::test]
async fn a_status_says_why_a_task_failed() {
    let world = World::new().await;
    let id = world.submitted().await;
    let lease = world.claim().await;
    let failure = Failure::new(FailureCode::ImageTruncated, "the file ends before the image does");
    pixmill_broker::Broker::fail(&*world.broker, lease.id, failure, Vec::new())
        .await
        .unwrap();
    let answer = world.get(&format!("/status/{id}")).await;
    let promised = format!(
        "{{\"task_id\":\"{id}\",\"status\":\"FAILED\",\"error\":{{\"code\":\"image_truncated\",\"message\":\"the file ends \
         before the image does\"}},"
    );
    assert!(answer.text().starts_with(&promised), "{}", answer.text());
}

#[tokio::test]
async fn a_status_says_that_a_task_was_cancelled() {
    let world = World::new().await;
    let id = world.submitted().await;
    world.post(&format!("/v1/tasks/{id}/cancel")).await;
    let answer = world.get(&format!("/status/{id}")).await;
    let promised = format!("{{\"task_id\":\"{id}\",\"status\":\"CANCELLED\",");
    assert!(answer.text().starts_with(&promised), "{}", answer.text());
}

#[tokio::test]
async fn the_recipe_may_come_before_or_after_the_file() {
    let world = World::new().await;
    let before = Form::default()
        .and_field("recipe", "grayscale")
        .and_file("a.png", &small_png());
    let after = Form::file("a.png", &small_png()).and_field("recipe", "grayscale");
    for form in [before, after] {
        let answer = world.send(upload(form)).await;
        let id = answer.json()["task_id"].as_str().unwrap().to_owned();
        assert_eq!(
            world.get(&format!("/v1/tasks/{id}")).await.json()["recipe"],
            "grayscale"
        );
    }
}

#[tokio::test]
async fn the_recipe_may_come_in_the_query_and_a_field_wins_over_it() {
    let world = World::new().await;
    let recipe_of = async |form: Form| {
        let answer = world.send(form.post("/upload?recipe=invert&priority=99&other=1")).await;
        let id = answer.json()["task_id"].as_str().unwrap().to_owned();
        world.get(&format!("/v1/tasks/{id}")).await.json()["recipe"].clone()
    };
    assert_eq!(recipe_of(Form::file("a.png", &small_png())).await, "invert:1");
    let form = Form::file("a.png", &small_png()).and_field("recipe", "grayscale");
    assert_eq!(recipe_of(form).await, "grayscale");
    let refused = world
        .send(Form::file("a.png", &small_png()).post("/upload?recipe=sketch"))
        .await;
    assert_eq!(refused.problem(), "invalid_recipe");
    let twice = world
        .send(Form::file("a.png", &small_png()).post("/upload?recipe=a&recipe=b"))
        .await;
    assert_eq!(twice.problem(), "invalid_query");
}

#[tokio::test]
async fn fields_that_nobody_asked_for_do_no_harm() {
    let world = World::new().await;
    let form = Form::default()
        .and_field("submit", "Upload")
        .and_file("a.png", &small_png())
        .and_field("csrf", "x")
        .and_field("priority", "urgent");
    assert_eq!(world.send(upload(form)).await.status, StatusCode::ACCEPTED);
}
