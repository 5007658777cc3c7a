//! Recipes that name assets: refused when one is not there, as far as the gateway knows where to look.

use std::path::Path;

use axum::http::StatusCode;
use pixmill_blob::AssetFolder;
use pixmill_broker::BrokerOptions;
use pixmill_gateway::GatewayOptions;

use crate::harness::{Answer, Form, World, image_request, small_png, testdata, upload};

/// A gateway that knows a folder with two assets.
async fn knowing(folder: &Path) -> World {
    std::fs::write(folder.join("logo.png"), small_png()).unwrap();
    std::fs::write(folder.join("font.ttf"), b"no font, which a worker alone can tell").unwrap();
    let options = GatewayOptions {
        assets: Some(AssetFolder::new(folder.to_owned())),
        ..GatewayOptions::default()
    };
    World::with(options, BrokerOptions::default()).await
}

fn assert_refused(answer: &Answer, detail: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "asset_unusable")
    );
    let document = answer.json();
    assert_eq!(
        (document["detail"].as_str(), document["parameter"].as_str()),
        (Some(detail), Some("recipe"))
    );
}

#[tokio::test]
async fn a_recipe_that_names_what_is_not_there_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = knowing(folder.path()).await;
    let empty = world.everything().await;
    let photo = testdata("bench/photo_0.3mp.jpg");
    let named = |recipe: &str| Form::default().and_field("recipe", recipe).and_file("a.jpg", &photo);
    let missing = "the asset none.png cannot be used: there is no asset of that name, the folder that the setting assets names \
                   has font.ttf, logo.png";
    // Known before the file comes, behind it, and as a query.
    let before = upload(named("watermark:none.png"));
    let behind = upload(Form::file("a.jpg", &photo).and_field("recipe", "grayscale => watermark:none.png | png"));
    let query = image_request("/v1/tasks?recipe=watermark:none.png", "image/jpeg", photo.clone());
    let document = upload(named(
        "[[outputs]]\nsteps = [{ op = \"text\", text = \"a\", font = \"none.png\" }]",
    ));
    for request in [before, behind, query, document] {
        assert_refused(&world.send(request).await, missing);
    }
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let answer = world.send(upload(named("watermark:logo.png | watermark:folder"))).await;
    assert_refused(&answer, "the asset folder cannot be used: it is no file");
    assert_eq!(world.everything().await, empty);

    for recipe in ["watermark:logo.png", "text:a,font=font.ttf", "text:a", "grayscale"] {
        let answer = world.send(upload(named(recipe))).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{recipe}: {answer:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_knows_no_folder_leaves_it_to_the_worker() {
    let world = World::new().await;
    let form = Form::file("a.png", &small_png()).and_field("recipe", "watermark:none.png");
    assert_eq!(world.send(upload(form)).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_before_although_its_asset_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let world = knowing(folder.path()).await;
    let ask = async |key: &str, recipe: &str| {
        let form = Form::default()
            .and_field("recipe", recipe)
            .and_file("a.png", &small_png());
        let mut request = upload(form);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        world.send(request).await
    };
    let first = ask("one", "watermark:logo.png").await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    std::fs::remove_file(folder.path().join("logo.png")).unwrap();
    let before = world.everything().await;

    let again = ask("one", "watermark:logo.png").await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (StatusCode::ACCEPTED, Some("true"))
    );
    assert_eq!(again.json()["task_id"], first.json()["task_id"]);
    // Another request is another request.
    let missing = "the asset logo.png cannot be used: there is no asset of that name, the folder that the setting assets names \
                   has font.ttf";
    assert_refused(&ask("two", "watermark:logo.png").await, missing);
    let other = ask("one", "watermark:logo.png,opacity=0.5").await;
    assert_eq!(other.problem(), "idempotency_key_reused");
    assert_eq!(world.everything().await, before);
}
