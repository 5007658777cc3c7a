//! No room: on the disk, in the queue. Nothing is acknowledged then, nothing is left behind, and it heals by itself.

use std::fs;

use http::Method;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use crate::harness::{DataFolder, Form, Request, Server, ServerOptions, eventually, task_id, testdata};

fn photo_request() -> Request {
    Request::form(
        "/upload",
        &Form::new().file("file", "photo.jpg", &testdata("bench/photo_2mp_444.jpg")),
    )
}

/// Limits the size of the files that the server may write, which any user may do to a process of theirs: writes beyond
/// it fail as they do on a disk or a quota that is full.
fn limit_file_size(server: &Server, bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    prlimit(Some(server.pid()), Resource::Fsize, limit).unwrap();
}

#[test]
fn a_full_disk_is_answered_507_keeps_nothing_and_heals() {
    let data = DataFolder::new();
    // Without the trap the kernel ends a process that writes beyond its limit.
    let ignoring_the_signal = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let server = ServerOptions::new().under(ignoring_the_signal).start(&data);
    let client = server.client();
    let earlier = client.upload("earlier.png", &testdata("pngsuite/basn2c08.png"));
    assert_eq!(client.wait_until_final(&earlier)["state"], "completed");
    let before = data.snapshot();

    // Half of the photo fits.
    limit_file_size(&server, Some(230_000));
    for _ in 0..3 {
        let response = client.send(photo_request());
        let problem = response.expect_problem(507, "storage_full");
        assert!(problem["task_id"].is_null(), "{problem:#}");
        assert_eq!(data.snapshot(), before);
    }
    assert_eq!(
        client.get(&format!("/status/{earlier}")).expect(200).json()["status"],
        "COMPLETED"
    );

    limit_file_size(&server, None);
    let task = task_id(&client.send(photo_request()).expect(202));
    assert_eq!(client.wait_until_final(&task)["state"], "completed");
    server.stop();
}

#[test]
fn a_result_that_finds_no_room_is_tried_again_later() {
    let data = DataFolder::new();
    let ignoring_the_signal = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let server = ServerOptions::new()
        .under(ignoring_the_signal)
        .args(["--slots", "1"])
        .start(&data);
    let client = server.client();
    // A small file whose result is large.
    let form = Form::new().text("recipe", "resize:900,enlarge=true => png").file(
        "file",
        "small.jpg",
        &testdata("bench/photo_0.3mp.jpg"),
    );
    limit_file_size(&server, Some(400_000));
    let task = task_id(&client.send(Request::form("/upload", &form)).expect(202));
    // More often than it may be attempted, and it is no fault of the task's.
    eventually("it is given back again and again", || {
        let metrics = String::from_utf8(client.get("/metrics").expect(200).body.to_vec()).unwrap();
        let given_back = metrics
            .lines()
            .find_map(|line| line.strip_prefix(r#"pixmill_worker_attempts_total{outcome="released"} "#));
        given_back
            .and_then(|count| count.parse::<u32>().ok())
            .filter(|count| *count >= 5)
    });
    limit_file_size(&server, None);
    let record = client.wait_until_final(&task);
    assert_eq!(
        (&record["state"], &record["attempt"]),
        (&"completed".into(), &1.into()),
        "{record:#}"
    );
    let results: Vec<String> = data
        .task_files()
        .into_iter()
        .filter(|file| file.contains("/processed_"))
        .collect();
    assert_eq!(
        results.len(),
        1,
        "an attempt that failed left its result behind: {results:?}"
    );
}

#[test]
fn a_full_queue_is_answered_503_and_keeps_nothing() {
    let data = DataFolder::new();
    let server = ServerOptions::new()
        .args(["--slots", "0", "--max-queued", "1"])
        .start(&data);
    let client = server.client();
    let waiting = task_id(&client.send(photo_request()).expect(202));
    let before = data.snapshot();
    for _ in 0..2 {
        let response = client.send(photo_request());
        let retry_after: u64 = response.header("retry-after").parse().unwrap();
        assert!(retry_after >= 1);
        let problem = response.expect_problem(503, "queue_full");
        assert_eq!(problem["limit"], 1, "{problem:#}");
        assert_eq!(data.snapshot(), before);
    }
    client.post(&format!("/v1/tasks/{waiting}/cancel")).expect(200);
    client.send(photo_request()).expect(202);
}

#[test]
fn the_memory_broker_leaves_no_database() {
    let data = DataFolder::new();
    let server = ServerOptions::new().args(["--broker", "memory"]).start(&data);
    let client = server.client();
    let task = task_id(&client.send(photo_request()).expect(202));
    assert_eq!(client.wait_until_final(&task)["state"], "completed");
    let deleted = Request::new(Method::DELETE, format!("/v1/tasks/{task}"));
    client.send(deleted).expect(204);
    assert!(data.task_files().is_empty(), "{:?}", data.task_files());
    let names: Vec<_> = fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().starts_with("pixmill.db")),
        "{names:?}"
    );
}
