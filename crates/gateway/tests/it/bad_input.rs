//! What is refused, with which problem, and that nothing stays of it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use insta::assert_snapshot;
use pixmill_broker::BrokerOptions;
use pixmill_gateway::GatewayOptions;
use pixmill_types::{Limits, ReadyRecipe, Step};

use crate::harness::{BOUNDARY, Form, World, image_request, small_png, testdata, upload};
use crate::unreliable::Fault;

/// Sends the request, checks that nothing changed, and says what was answered.
async fn refused(world: &World, request: Request<Body>) -> String {
    let before = world.everything().await;
    let answer = world.send(request).await;
    let code = answer.problem();
    assert_eq!(world.everything().await, before, "{code} left something behind");
    let document = answer.json();
    let member = |name: &str| {
        document
            .get(name)
            .map(|value| format!("\n  {name}: {value}"))
            .unwrap_or_default()
    };
    format!(
        "{} {code}: {}{}{}{}{}",
        answer.status.as_u16(),
        document["detail"].as_str().unwrap(),
        member("parameter"),
        member("limit_name"),
        member("limit"),
        member("actual"),
    )
}

/// A table of requests and what they are answered.
async fn table(world: &World, requests: Vec<(&str, Request<Body>)>) -> String {
    let mut text = String::new();
    for (name, request) in requests {
        text += &format!("{name}\n  {}\n", refused(world, request).await);
    }
    text
}

fn with_type(content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/upload")
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn forms_that_are_none() {
    let world = World::new().await;
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let whole = Form::file("a.png", &small_png()).bytes();
    let half = whole[..whole.len() / 2].to_vec();
    let unnamed = Form::default().part("form-data", b"x").bytes();
    let long_header = Form::default().part(&format!("form-data; name=\"{}\"", "a".repeat(100_000)), b"x");
    let many = (0..70).fold(Form::default(), |form, _| form.and_field("x", ""));
    let text = table(
        &world,
        vec![
            ("nothing at all", Request::post("/upload").body(Body::empty()).unwrap()),
            ("no boundary", with_type("multipart/form-data", whole.clone())),
            (
                "absurd boundary",
                with_type(
                    &format!("multipart/form-data; boundary={}", "a".repeat(71)),
                    whole.clone(),
                ),
            ),
            (
                "other boundary",
                with_type("multipart/form-data; boundary=other", whole.clone()),
            ),
            ("empty body", with_type(&form_type, Body::empty())),
            ("half a form", with_type(&form_type, half)),
            ("json", with_type("application/json", "{}")),
            (
                "the image itself, where a form is wanted",
                with_type("image/png", small_png()),
            ),
            ("a part without a name", with_type(&form_type, unnamed)),
            ("a part with an endless header", upload(long_header)),
            ("many parts", upload(many)),
            ("no file", upload(Form::default().and_field("recipe", "grayscale"))),
            ("an empty file", upload(Form::file("a.png", b""))),
            (
                "two files",
                upload(Form::file("a.png", &small_png()).and_file("b.png", &small_png())),
            ),
        ],
    )
    .await;
    assert_snapshot!(text);
}

#[tokio::test]
async fn images_that_are_none() {
    let world = World::new().await;
    let names = [
        "document.pdf",
        "picture.svg",
        "header_cut.jpg",
        "header_cut.png",
        "header_cut.webp",
        "bomb_65536.png",
        "bomb_65500.jpg",
    ];
    let mut requests = Vec::new();
    for name in names {
        let bytes = testdata(&format!("hostile/{name}"));
        requests.push((name, upload(Form::file(name, &bytes))));
        requests.push((name, image_request("/v1/tasks", "application/octet-stream", bytes)));
    }
    requests.push(("text", upload(Form::file("a.png", b"hello, this is not an image"))));
    requests.push(("one byte", upload(Form::file("a.png", b"\xff"))));
    assert_snapshot!(table(&world, requests).await);
}

#[tokio::test]
async fn recipes_that_make_no_sense() {
    let world = World::new().await;
    let recipe = |text: &str| upload(Form::file("a.png", &small_png()).and_field("recipe", text));
    let first = |text: &str| {
        upload(
            Form::default()
                .and_field("recipe", text)
                .and_file("a.png", &small_png()),
        )
    };
    let text = table(
        &world,
        vec![
            ("unknown step", recipe("swirl")),
            ("unknown step, said first", first("swirl")),
            ("parameter out of range", recipe("blur:1000")),
            ("unknown parameter", recipe("blur:radius=2")),
            ("unknown format", recipe("grayscale => heic")),
            ("half a json", recipe("{\"steps\": [")),
            ("another json", recipe("{\"step\": []}")),
            ("half a toml", recipe("steps = [")),
            ("too large", recipe(&"x".repeat(70_000))),
            ("too long for the compact form", recipe(&"blur|".repeat(2_000))),
            (
                "too large an output",
                recipe("resize:width=65535,height=65535,fit=fill,enlarge=true"),
            ),
            (
                "not text",
                upload(Form::file("a.png", &small_png()).part("form-data; name=recipe", b"\xff\xfe")),
            ),
            (
                "two recipes",
                upload(
                    Form::file("a.png", &small_png())
                        .and_field("recipe", "blur")
                        .and_field("recipe", "blur"),
                ),
            ),
        ],
    )
    .await;
    // The list grows with every step.
    let known: Vec<_> = Step::REFERENCE.iter().map(|step| step.name).collect();
    let text = text.replace(&known.join(", "), "[every step]");
    assert_snapshot!(text.replace(&ReadyRecipe::names(), "[every recipe]"));
}

#[tokio::test]
async fn parameters_that_make_no_sense() {
    let world = World::new().await;
    let field = |name: &str, value: &str| {
        Form::file("a.png", &small_png())
            .and_field(name, value)
            .post("/v1/tasks")
    };
    let query = |text: &str| image_request(&format!("/v1/tasks?{text}"), "image/png", small_png());
    let key = |value: &str| {
        let mut request = query("");
        request.headers_mut().insert("idempotency-key", value.parse().unwrap());
        request
    };
    let text = table(
        &world,
        vec![
            ("priority 10", field("priority", "10")),
            ("priority high", query("priority=high")),
            ("start tomorrow", field("not_before", "tomorrow")),
            ("empty priority", query("priority=")),
            ("long recipe", query(&format!("recipe={}", "a".repeat(2_001)))),
            ("unknown field", field("recipee", "blur")),
            ("unknown parameter", query("recipee=blur")),
            ("parameter twice", query("priority=1&priority=2")),
            ("name after the file", field("filename", "b.png")),
            ("empty key", key("")),
            ("key with a space", key("a b")),
            ("key of 256 characters", key(&"k".repeat(256))),
            (
                "text as an image",
                image_request("/v1/tasks", "text/plain", b"hello".to_vec()),
            ),
            ("no image", image_request("/v1/tasks", "image/png", Vec::new())),
        ],
    )
    .await;
    assert_snapshot!(text);
    let far = world.send(query("not_before=9000-01-01T00:00:00Z")).await;
    assert_eq!(
        (far.status.as_u16(), far.problem().as_str()),
        (422, "not_before_too_far")
    );
    assert_eq!(far.json()["limit"], 30 * 24 * 60 * 60);
    assert!(far.json()["actual"].as_u64() > far.json()["limit"].as_u64());
}

#[tokio::test]
async fn files_over_the_limit() {
    let limits = Limits {
        max_input_bytes: 100_000,
        max_width: 700,
        ..Limits::default()
    };
    let options = GatewayOptions {
        limits,
        ..GatewayOptions::default()
    };
    let world = World::with(options, BrokerOptions::default()).await;
    let photo = testdata("photos/kodak_14.png");
    let small = testdata("pngsuite/basn6a16.png");
    let padded = [&small[..], &vec![0; 100_001 - small.len()]].concat();
    let streamed = |bytes: Vec<u8>| {
        let pieces: Vec<_> = bytes
            .chunks(8_192)
            .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
            .collect();
        Request::post("/v1/tasks")
            .body(Body::from_stream(stream::iter(pieces)))
            .unwrap()
    };
    let endless =
        Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 8_192]))).take(300));
    let endless_field = Form::default().part("form-data; name=recipe", &vec![b'a'; 200_000]);
    let text = table(
        &world,
        vec![
            (
                "declared, as the body",
                image_request("/v1/tasks", "image/png", padded.clone()),
            ),
            ("not declared, as the body", streamed(padded.clone())),
            ("in a form", upload(Form::file("a.png", &padded))),
            (
                "in a form that declares megabytes",
                upload(Form::file("a.png", &vec![0; 2_000_000])),
            ),
            ("endless zeros", Request::post("/v1/tasks").body(endless).unwrap()),
            ("endless field", upload(endless_field)),
            ("too wide", upload(Form::file("a.png", &photo[..50_000]))),
        ],
    )
    .await;
    assert_snapshot!(text);
    let at_the_limit = image_request("/v1/tasks", "image/png", padded[..100_000].to_vec());
    assert_eq!(world.send(at_the_limit).await.status, 202);
}

#[tokio::test]
async fn a_full_queue() {
    let broker = BrokerOptions {
        max_queued: 1,
        ..BrokerOptions::default()
    };
    let world = World::with(GatewayOptions::default(), broker).await;
    world.submitted().await;
    let answer = world.send(upload(Form::file("a.png", &small_png()))).await;
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_snapshot!(refused(&world, upload(Form::file("a.png", &small_png()))).await, @r#"
    503 queue_full: 1 tasks are waiting, the queue holds at most 1; try again later
      limit_name: "max_queued"
      limit: 1
      actual: 1
    "#);
}

#[tokio::test]
async fn a_full_disk_under_the_broker_heals_by_itself() {
    let world = World::new().await;
    world.broker.set(Some(Fault::Full));
    assert_snapshot!(refused(&world, upload(Form::file("a.png", &small_png()))).await, @"507 storage_full: there is no room left to store anything; nothing was kept of this request");
    assert_eq!(world.get("/readyz").await.problem(), "storage_full");
    world.broker.set(None);
    world.submitted().await;
}

#[tokio::test]
async fn an_upload_of_unknown_outcome_keeps_its_file() {
    let world = World::new().await;
    let empty = world.everything().await;
    world.broker.set(Some(Fault::Away));
    let answer = world.send(upload(Form::file("a.png", &small_png()))).await;
    assert_eq!(answer.problem(), "broker_unavailable");
    assert!(answer.header("retry-after").is_some());
    world.broker.set(None);
    assert_ne!(world.everything().await, empty, "the file may be that of a task");
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_again() {
    let world = World::new().await;
    world.broker.set(Some(Fault::ReplyLost));
    let id = world.submitted().await;
    assert_eq!(world.get(&format!("/v1/tasks/{id}")).await.json()["state"], "queued");
    assert_eq!(
        world.get("/v1/tasks").await.json()["tasks"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn more_uploads_than_there_may_be() {
    let options = GatewayOptions {
        max_uploads: 0,
        ..GatewayOptions::default()
    };
    let world = World::with(options, BrokerOptions::default()).await;
    assert_snapshot!(refused(&world, upload(Form::file("a.png", &small_png()))).await, @r#"
    503 busy: 0 uploads are under way, the most there may be; try again
      limit_name: "max_uploads"
      limit: 0
    "#);
}

#[tokio::test]
async fn a_gateway_that_takes_no_tasks_goes_on_telling_of_those_there_are() {
    let options = GatewayOptions {
        accept_tasks: false,
        ..GatewayOptions::default()
    };
    let world = World::with(options, BrokerOptions::default()).await;
    assert_snapshot!(refused(&world, upload(Form::file("a.png", &small_png()))).await, @"503 not_accepting: this gateway takes no new tasks (accept_tasks is false); it tells of those there are");
    let answer = world.send(image_request("/v1/tasks", "image/png", small_png())).await;
    assert_eq!(
        (answer.problem().as_str(), answer.header("retry-after")),
        ("not_accepting", Some("60"))
    );
    let task = pixmill_types::TaskId::generate();
    assert_eq!(
        world.post(&format!("/v1/tasks/{task}/retry")).await.problem(),
        "not_accepting"
    );
    assert_eq!(
        world.get(&format!("/v1/tasks/{task}")).await.problem(),
        "task_not_found"
    );
    for path in ["/readyz", "/v1/tasks", "/v1/stats"] {
        assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn ids_that_name_no_task() {
    let world = World::new().await;
    let unknown = pixmill_types::TaskId::generate().to_string();
    for id in [
        "x",
        "../../etc/passwd",
        "%2e%2e%2fetc",
        "%ff",
        &unknown.to_uppercase(),
        &unknown,
        "1",
    ] {
        for (method, path) in [
            ("GET", format!("/status/{id}")),
            ("GET", format!("/v1/tasks/{id}")),
            ("GET", format!("/v1/tasks/{id}?wait=1ms")),
            ("DELETE", format!("/v1/tasks/{id}")),
            ("POST", format!("/v1/tasks/{id}/cancel")),
            ("POST", format!("/v1/tasks/{id}/retry")),
            ("GET", format!("/v1/tasks/{id}/outputs/a.png")),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .body(Body::empty())
                .unwrap();
            let answer = world.send(request).await;
            let expected = if id.contains('/') {
                "route_not_found"
            } else {
                "task_not_found"
            };
            assert_eq!(answer.problem(), expected, "{method} {path}");
            assert_eq!(answer.status, 404);
        }
    }
}
