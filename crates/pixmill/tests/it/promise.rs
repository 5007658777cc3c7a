//! What the README promises a newcomer: start it, upload a photo, get the milled file.

use serde_json::json;

use crate::harness::{DataFolder, Form, Gray, Request, Server, ServerOptions, task_id, testdata};

#[test]
fn an_uploaded_photo_lies_milled_in_the_data_folder() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();

    let form = Form::new().file("file", "my_photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let accepted = client.send(Request::form("/upload", &form)).expect(202);
    let task = task_id(&accepted);
    let promised = json!({
        "message": "Image uploaded successfully. Background processing initiated.",
        "task_id": task,
        "filename": "my_photo.jpg",
    });
    assert_eq!(accepted.json(), promised);

    let record = client.wait_until_final(&task);
    assert_eq!(record["state"], "completed", "{record:#}");
    let status = client.get(&format!("/status/{task}")).expect(200).json();
    assert_eq!(status["task_id"], json!(task));
    assert_eq!(status["status"], "COMPLETED");
    assert_eq!(status["result"]["status"], "success");
    assert_eq!(status["result"]["file"], "processed_my_photo.jpg");
    assert_eq!(status["result"]["message"], "Filters applied successfully.");

    let files = data.task_files();
    let output = files.iter().find(|file| file.ends_with("/processed_my_photo.jpg"));
    let output = output.unwrap_or_else(|| panic!("no result among {files:?}"));
    let on_disk = std::fs::read(data.path().join(output)).unwrap();
    let result = Gray::from_jpeg(&on_disk);
    let reference = Gray::from_png(&testdata("golden/default_photo.png"));
    assert_eq!((result.width, result.height), (640, 480));
    let psnr = result.psnr_at(256, 224, &reference);
    assert!(psnr >= 45.0, "{psnr:.1} dB against golden/default_photo.png");

    let download = client.get(&format!("/v1/tasks/{task}/outputs/processed_my_photo.jpg"));
    assert_eq!(download.header("content-type"), "image/jpeg");
    assert_eq!(download.expect(200).body, on_disk);
    server.stop();
}

#[test]
fn an_unknown_task_is_not_found_rather_than_still_processing() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    for id in [
        "0193a5a0-0000-7000-8000-000000000000",
        "not-an-id",
        "1",
        "..%2F..%2Fetc",
    ] {
        client
            .get(&format!("/status/{id}"))
            .expect_problem(404, "task_not_found");
        client
            .get(&format!("/v1/tasks/{id}"))
            .expect_problem(404, "task_not_found");
    }
}

#[test]
fn the_documentation_is_served_without_a_request_to_anybody_else() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    let home = client.get("/");
    assert!((300..400).contains(&home.status), "{home:?}");
    assert_eq!(home.header("location"), "/docs");

    let page = client.get("/docs").expect(200);
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    for attribute in ["src=\"", "href=\""] {
        for reference in html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(!reference.contains("//"), "{reference:?} leads elsewhere");
            // As a browser at /docs resolves it.
            let path = reference.trim_start_matches("./").trim_start_matches('/');
            client.get(&format!("/{path}")).expect(200);
        }
    }

    let openapi = client.get("/openapi.json").expect(200).json();
    for path in ["/upload", "/status/{task_id}", "/v1/tasks", "/healthz", "/metrics"] {
        assert!(openapi["paths"][path].is_object(), "{path} is not in the document");
    }
}

#[test]
fn the_start_tells_where_it_listens_and_what_to_try() {
    let data = DataFolder::new();
    let server = ServerOptions::new().env("PIXMILL_SLOTS", "3").start(&data);
    // The environment counts.
    server.wait_for_line(" 3 slots;");
    let hint = server.wait_for_line("curl");
    assert!(hint.contains(&server.url("/upload")), "{hint}");
    assert_eq!(server.client().get("/healthz").status, 200);
    assert_eq!(server.client().get("/readyz").status, 200);
}

#[test]
fn the_start_of_a_server_that_takes_no_tasks_says_so() {
    let data = DataFolder::new();
    let server = ServerOptions::new().args(["--accept-tasks=false"]).start(&data);
    server.wait_for_line("takes no new tasks (accept_tasks is false)");
    assert!(!server.output().contains("curl"), "{}", server.output());
}
