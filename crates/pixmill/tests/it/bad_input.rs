//! What the server must refuse, or take without harm: each with its problem document, and nothing left behind.

use std::io::Write;
use std::process::Command;

use http::Method;
use serde_json::Value;

use crate::harness::{
    Client, DataFolder, Form, Request, Server, ServerOptions, Snapshot, eventually, task_id, testdata, testdata_path,
};

/// The limit of the servers here, bytes.
const MAX_INPUT_BYTES: usize = 600 * 1024;

/// A server that takes uploads up to [`MAX_INPUT_BYTES`] and mills none, so that its data folder changes only by them.
fn intake_only(data: &DataFolder) -> Server {
    ServerOptions::new()
        .args(["--slots", "0", "--max-input-bytes", &MAX_INPUT_BYTES.to_string()])
        .start(data)
}

fn upload(file_name: &str, content: &[u8]) -> Request {
    Request::form("/upload", &Form::new().file("file", file_name, content))
}

/// Checks that each request is refused with its status and code, and that files and rows are then as before.
fn check_refused(cases: Vec<(&str, Request, u16, &str)>) -> Vec<Value> {
    let data = DataFolder::new();
    let server = intake_only(&data);
    // One accepted task, so that there are rows and files that could change.
    server.client().upload("before.png", &testdata("pngsuite/basn2c08.png"));
    let before = data.snapshot();
    let check = |(what, request, status, code): (&str, Request, u16, &str)| {
        eprintln!("{what}");
        let problem = server.client().send(request).expect_problem(status, code);
        assert!(
            problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{problem:#}"
        );
        assert_eq!(data.snapshot(), before, "{what} left something behind");
        problem
    };
    cases.into_iter().map(check).collect()
}

#[test]
fn bodies_that_hold_no_image_are_refused() {
    let photo = testdata("bench/photo_0.3mp.jpg");
    let form = Form::new().file("file", "a.jpg", &photo);
    check_refused(vec![
        (
            "no body",
            Request::new(Method::POST, "/upload"),
            415,
            "unsupported_media_type",
        ),
        (
            "an empty form",
            Request::form("/upload", &Form::new()),
            422,
            "file_missing",
        ),
        (
            "another field",
            Request::form("/upload", &Form::new().text("name", "x")),
            422,
            "file_missing",
        ),
        ("a file of no bytes", upload("empty.jpg", b""), 422, "file_empty"),
        (
            "text",
            upload("photo.jpg", b"not an image at all, just words"),
            422,
            "not_an_image",
        ),
        ("one byte", upload("photo.jpg", b"\xff"), 422, "image_truncated"),
        (
            "SVG",
            upload("picture.svg", &testdata("hostile/picture.svg")),
            422,
            "not_an_image",
        ),
        (
            "PDF",
            upload("document.pdf", &testdata("hostile/document.pdf")),
            422,
            "not_an_image",
        ),
        (
            "JPEG, header cut",
            upload("a.jpg", &testdata("hostile/header_cut.jpg")),
            422,
            "image_truncated",
        ),
        (
            "PNG, header cut",
            upload("a.png", &testdata("hostile/header_cut.png")),
            422,
            "image_truncated",
        ),
        (
            "WebP, header cut",
            upload("a.webp", &testdata("hostile/header_cut.webp")),
            422,
            "image_truncated",
        ),
        (
            "a form cut off",
            Request::new(Method::POST, "/upload")
                .header("content-type", form.content_type())
                .body(form.body()[..50_000].to_vec()),
            400,
            "malformed_multipart",
        ),
        (
            "a form without its boundary",
            Request::new(Method::POST, "/upload")
                .header("content-type", "multipart/form-data")
                .body(form.body()),
            400,
            "malformed_multipart",
        ),
        (
            "an image as the body, of no bytes",
            Request::new(Method::POST, "/v1/tasks").header("content-type", "image/jpeg"),
            422,
            "file_empty",
        ),
        (
            "a body of another kind",
            Request::new(Method::POST, "/v1/tasks")
                .header("content-type", "text/plain")
                .body("hello"),
            415,
            "unsupported_media_type",
        ),
    ]);
}

#[test]
fn images_over_a_limit_are_refused_with_the_limit_and_the_value() {
    let mut large = testdata("bench/photo_0.3mp.jpg");
    large.resize(MAX_INPUT_BYTES + 1, 0);
    let problems = check_refused(vec![
        (
            "a PNG bomb",
            upload("bomb.png", &testdata("hostile/bomb_65536.png")),
            422,
            "limit_exceeded",
        ),
        (
            "a JPEG bomb",
            upload("bomb.jpg", &testdata("hostile/bomb_65500.jpg")),
            422,
            "limit_exceeded",
        ),
        ("one byte too many", upload("large.jpg", &large), 413, "input_too_large"),
    ]);
    for (problem, limit_name) in problems.iter().zip([None, None, Some("max_input_bytes")]) {
        let (limit, actual) = (problem["limit"].as_u64().unwrap(), problem["actual"].as_u64().unwrap());
        assert!(actual > limit, "{problem:#}");
        assert!(
            limit_name.is_none_or(|name| problem["limit_name"] == name),
            "{problem:#}"
        );
    }
}

#[test]
fn recipes_that_cannot_be_are_refused() {
    let photo = testdata("bench/photo_0.3mp.jpg");
    let with = |recipe: &str| {
        Request::form(
            "/upload",
            &Form::new().text("recipe", recipe).file("file", "a.jpg", &photo),
        )
    };
    let problems = check_refused(vec![
        ("an unknown step", with("grayscale | sketch:2"), 422, "invalid_recipe"),
        ("a value out of range", with("blur:1000"), 422, "invalid_recipe"),
        ("an unknown parameter", with("blur:strength=2"), 422, "invalid_recipe"),
        ("an unknown format", with("grayscale => heic"), 422, "invalid_recipe"),
        ("no recipe at all", with("|"), 422, "invalid_recipe"),
    ]);
    assert!(
        problems[0]["detail"].as_str().unwrap().contains("grayscale"),
        "it says what is allowed: {:#}",
        problems[0]
    );
}

#[test]
fn ids_and_methods_that_do_not_exist_are_refused() {
    let unknown = "0193a5a0-0000-7000-8000-000000000000";
    let get = |path: &str| Request::new(Method::GET, path);
    let mut cases = vec![
        ("unknown path", get("/nowhere"), 404, "route_not_found"),
        ("wrong method", get("/upload"), 405, "method_not_allowed"),
        (
            "unknown task",
            get("/status/0193a5a0-0000-7000-8000-000000000000"),
            404,
            "task_not_found",
        ),
        ("no id", get("/status/photo.jpg"), 404, "task_not_found"),
        (
            "no id, very long",
            get("/v1/tasks/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            404,
            "task_not_found",
        ),
        (
            "a path as id",
            get("/v1/tasks/..%2f..%2fpixmill.db"),
            404,
            "task_not_found",
        ),
    ];
    let change = |method, path: &str| Request::new(method, format!("/v1/tasks/{unknown}{path}"));
    cases.push(("cancel", change(Method::POST, "/cancel"), 404, "task_not_found"));
    cases.push(("retry", change(Method::POST, "/retry"), 404, "task_not_found"));
    cases.push(("delete", change(Method::DELETE, ""), 404, "task_not_found"));
    cases.push(("output", change(Method::GET, "/outputs/x.jpg"), 404, "task_not_found"));
    check_refused(cases);
}

#[test]
fn an_image_cut_off_in_its_body_is_accepted_and_fails() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    for name in ["body_cut.jpg", "body_cut.png", "body_cut.webp"] {
        let task = client.upload(name, &testdata(&format!("hostile/{name}")));
        let record = client.wait_until_final(&task);
        assert_eq!(record["state"], "failed", "{name}: {record:#}");
        let status = client.get(&format!("/status/{task}")).expect(200).json();
        assert_eq!(status["status"], "FAILED");
        assert_eq!(status["error"]["code"], "image_truncated", "{name}: {status:#}");
        assert_eq!(status["attempt"], 1, "{name}: another attempt could not have helped");
    }
}

#[test]
fn content_decides_and_not_the_name() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    for (name, content, result, media_type) in [
        (
            "photo.png",
            "bench/photo_0.3mp.jpg",
            "processed_photo.jpg",
            "image/jpeg",
        ),
        (
            "picture.jpg",
            "hostile/png_named.jpg",
            "processed_picture.png",
            "image/png",
        ),
        (
            "no_extension",
            "webp/lossy.webp",
            "processed_no_extension.webp",
            "image/webp",
        ),
        (
            "after_end.jpg",
            "hostile/bytes_after_end.jpg",
            "processed_after_end.jpg",
            "image/jpeg",
        ),
    ] {
        let task = client.upload(name, &testdata(content));
        let record = client.wait_until_final(&task);
        assert_eq!(record["state"], "completed", "{name}: {record:#}");
        let output = client.get(&format!("/v1/tasks/{task}/outputs/{result}")).expect(200);
        assert_eq!(output.header("content-type"), media_type, "{name}");
    }
}

#[test]
fn names_of_files_do_no_harm() {
    let data = DataFolder::new();
    let server = intake_only(&data);
    let photo = testdata("pngsuite/basn2c08.png");
    let long = "n".repeat(10_000);
    for (name, shown) in [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system32.png", "system32.png"),
        ("/etc/cron.d/job", "job"),
        (&long, &long[..255]),
        ("📷 été.png", "📷 été.png"),
        ("a\u{202e}gnp.exe", "agnp.exe"),
        ("nul\0\u{7}\u{1b}[31m.png", "nul[31m.png"),
        ("-rf", "-rf"),
        (".", "image"),
        ("", "image"),
        ("CON", "CON"),
    ] {
        let accepted = server.client().send(upload(name, &photo)).expect(202).json();
        assert_eq!(accepted["filename"], shown, "{name:?}");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    for file in data.task_files() {
        let parts: Vec<&str> = file.split('/').collect();
        let ["tasks", shard, task, "in", name] = parts[..] else {
            panic!("{file}")
        };
        assert!(
            [shard, task, name]
                .iter()
                .all(|part| part.chars().all(is_plain) && !part.starts_with('.')),
            "{file}"
        );
    }
    assert_eq!(data.task_files().len(), 11);
}

#[test]
fn two_uploads_of_one_name_at_the_same_time_are_both_kept() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    let (photo, other) = (testdata("photos/kodak_14.png"), testdata("photos/kodak_23.png"));
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| client.upload("same.png", &photo));
        let second = scope.spawn(|| client.upload("same.png", &other));
        (first.join().unwrap(), second.join().unwrap())
    });
    let fetch = |task: &str| {
        assert_eq!(client.wait_until_final(task)["state"], "completed");
        client
            .get(&format!("/v1/tasks/{task}/outputs/processed_same.png"))
            .expect(200)
            .body
    };
    assert_ne!(fetch(&first), fetch(&second));
    for (task, content) in [(&first, &photo), (&second, &other)] {
        let files = data.task_files();
        let input = files
            .iter()
            .find(|file| file.ends_with(&format!("{task}/in/same.png")))
            .unwrap();
        assert_eq!(&std::fs::read(data.path().join(input)).unwrap(), content);
    }
}

#[test]
fn curl_reads_the_answer_to_a_file_too_large() {
    let data = DataFolder::new();
    let server = intake_only(&data);
    let before = data.snapshot();
    let scratch = tempfile::tempdir().unwrap();
    let large = scratch.path().join("large.jpg");
    // Much more than any buffer between the two holds.
    std::fs::write(&large, [testdata("bench/photo_0.3mp.jpg"), vec![0; 24 << 20]].concat()).unwrap();
    let asking_first: &[&str] = &[];
    for options in [
        asking_first,
        &["-H", "Expect:"],
        &["-H", "Expect:", "-H", "Transfer-Encoding: chunked"],
    ] {
        let answer = scratch.path().join("answer.json");
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "60",
                "--write-out",
                "%{http_code} %{content_type}",
            ])
            .arg("--output")
            .arg(&answer)
            .arg("--form")
            .arg(format!("file=@{}", large.display()))
            .args(options)
            .arg(server.url("/upload"))
            .output()
            .expect("curl is installed, see scripts/setup");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(errors, "", "curl {options:?}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "413 application/problem+json",
            "curl {options:?}"
        );
        let problem: Value = serde_json::from_slice(&std::fs::read(&answer).unwrap()).unwrap();
        assert_eq!(problem["code"], "input_too_large");
        assert_eq!(problem["limit"], MAX_INPUT_BYTES);
        assert_eq!(data.snapshot(), before, "curl {options:?}");
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_leaves_nothing_behind() {
    let data = DataFolder::new();
    let server = intake_only(&data);
    let before = data.snapshot();
    let photo = testdata("bench/photo_2mp_444.jpg");
    let mut connection = server.client().connect();
    let head = "POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\ncontent-length";
    write!(connection, "{head}: {}\r\n\r\n", photo.len()).unwrap();
    // More than is gathered in memory before it goes to disk.
    connection.write_all(&photo[..photo.len() - 50_000]).unwrap();
    eventually("an upload under way", || {
        (data.entries() != before.entries).then_some(())
    });
    drop(connection);
    settle(&data, &before);
    accepts(server.client());
}

/// Waits until files and rows are those of `expected`; fails with the difference when they never are.
fn settle(data: &DataFolder, expected: &Snapshot) {
    eventually("the data folder to be as before", || {
        (data.snapshot() == *expected).then_some(())
    });
}

fn accepts(client: Client) {
    let photo = std::fs::read(testdata_path("bench/photo_0.3mp.jpg")).unwrap();
    task_id(&client.send(upload("after.jpg", &photo)).expect(202));
}
