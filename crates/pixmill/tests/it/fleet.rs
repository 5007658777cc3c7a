//! Gateway and workers in processes of their own over one data folder.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Client, DataFolder, Form, Request, ServerOptions, eventually, pixmill, run, task_id, testdata};

/// Leases that outlast every test: what a killed worker held is found by the lock it no longer holds.
const PATIENT: [&str; 4] = [
    "--lease=1h",
    "--reap-interval=100ms",
    "--backoff-base=10ms",
    "--backoff-cap=10ms",
];

fn gateway() -> ServerOptions {
    ServerOptions::gateway().args(PATIENT)
}

fn worker() -> ServerOptions {
    worker_with(1)
}

fn worker_with(slots: usize) -> ServerOptions {
    ServerOptions::worker().args(PATIENT).args([format!("--slots={slots}")])
}

/// Uploads an image that keeps a worker busy for a second or more.
fn upload_long(client: Client) -> String {
    let form = Form::new().text("recipe", &["blur:100"; 4].join(" | ")).file(
        "file",
        "long.jpg",
        &testdata("bench/photo_2mp.jpg"),
    );
    task_id(&client.send(Request::form("/upload", &form)).expect(202))
}

fn record(client: Client, task: &str) -> Value {
    client.get(&format!("/v1/tasks/{task}")).expect(200).json()
}

fn running(client: Client, tasks: &[String]) -> Vec<(String, u64)> {
    let records = tasks.iter().map(|task| record(client, task));
    records
        .filter(|record| record["state"] == "running")
        .map(|record| {
            let id = record["id"].as_str().unwrap().to_owned();
            (id, record["attempt"].as_u64().unwrap())
        })
        .collect()
}

fn workers(client: Client) -> Vec<Value> {
    client.get("/v1/workers").expect(200).json()["workers"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn each_worker_killed_in_the_middle_of_a_task_loses_nothing() {
    let data = DataFolder::new();
    let intake = gateway().start(&data);
    let client = intake.client();
    let (first, second) = (worker().start(&data), worker().start(&data));
    let tasks: Vec<String> = (0..4).map(|_| upload_long(client)).collect();

    eventually("both workers to mill", || {
        (running(client, &tasks).len() == 2).then_some(())
    });
    first.kill();
    // Nobody else is free: what it held waits, and goes on with the worker that joins.
    let third = worker().start(&data);
    eventually("both workers to mill again", || {
        (running(client, &tasks).len() == 2).then_some(())
    });
    second.kill();
    let fourth = worker().start(&data);

    let mut attempts = 0;
    for task in &tasks {
        let done = client.wait_until_final(task);
        assert_eq!(done["state"], "completed", "{done:#}");
        attempts += done["attempt"].as_u64().unwrap();
    }
    // Each kill cut one attempt short, or none when it came between two of them.
    assert!((4..=6).contains(&attempts), "{attempts} attempts");
    let results = data
        .task_files()
        .into_iter()
        .filter(|file| file.contains("/processed_"));
    assert_eq!(results.count(), 4);
    third.stop();
    fourth.stop();
    intake.stop();
}

#[test]
fn a_gateway_killed_and_started_again_finds_its_tasks_done() {
    let data = DataFolder::new();
    let intake = gateway().start(&data);
    let address = intake.address().to_string();
    let miller = worker().start(&data);
    let task = upload_long(intake.client());
    eventually("the worker to begin", || {
        (record(intake.client(), &task)["state"] != "queued").then_some(())
    });
    intake.kill();

    let intake = gateway().start_at(&data, &address);
    let done = intake.client().wait_until_final(&task);
    assert_eq!(
        (&done["state"], &done["attempt"]),
        (&"completed".into(), &1.into()),
        "{done:#}"
    );
    miller.stop();
    intake.stop();
}

#[test]
fn workers_are_listed_while_they_live() {
    let data = DataFolder::new();
    let intake = gateway().start(&data);
    let client = intake.client();
    assert_eq!(workers(client), [Value::Null; 0]);
    let miller = worker_with(3).start(&data);
    let listed = eventually("the worker to say that it lives", || workers(client).pop());
    assert_eq!(listed["slots"], 3, "{listed:#}");
    assert_eq!(listed["queue"], "images", "{listed:#}");
    assert_eq!(
        listed["pid"],
        u64::from(miller.pid().as_raw_nonzero().get().unsigned_abs()),
        "{listed:#}"
    );
    assert_eq!(listed["version"], env!("CARGO_PKG_VERSION"), "{listed:#}");
    let metrics = String::from_utf8(client.get("/metrics").expect(200).body.to_vec()).unwrap();
    for line in [
        "pixmill_workers{queue=\"images\"} 1",
        "pixmill_workers_slots{queue=\"images\"} 3",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in\n{metrics}"
        );
    }
    miller.stop();
    assert_eq!(workers(client), [Value::Null; 0], "it said that it ends");
}

#[test]
fn a_worker_answers_probes_and_nothing_else() {
    let data = DataFolder::new();
    let miller = worker().start(&data);
    let client = miller.client();
    assert_eq!(client.get("/healthz").expect(200).json()["status"], "ok");
    assert_eq!(client.get("/readyz").expect(200).json()["status"], "ready");
    let metrics = String::from_utf8(client.get("/metrics").expect(200).body.to_vec()).unwrap();
    assert!(metrics.contains("\npixmill_worker_slots 1\n"), "{metrics}");
    assert!(!metrics.contains("pixmill_queue_ready_tasks"), "{metrics}");
    for path in ["/v1/tasks", "/status/x", "/docs", "/openapi.json"] {
        client.get(path).expect_problem(404, "route_not_found");
    }
    miller.stop();
}

#[test]
fn a_worker_that_drains_says_so_to_its_probes() {
    let data = DataFolder::new();
    let intake = gateway().start(&data);
    let mut miller = worker().args(["--drain-grace=10m"]).start(&data);
    let task = upload_long(intake.client());
    eventually("the worker to begin", || {
        (record(intake.client(), &task)["state"] == "running").then_some(())
    });
    miller.signal(Signal::TERM);
    miller.wait_for_line("a second signal stops at once");
    eventually("the worker to tell that it drains", || {
        let ready = miller.client().try_send(Request::new(http::Method::GET, "/readyz"));
        // It may be done by now.
        ready.map_or(Some(()), |ready| (ready.status == 503).then_some(()))
    });
    assert!(miller.wait_for_exit().success(), "{}", miller.output());
    assert_eq!(record(intake.client(), &task)["state"], "completed");
    intake.stop();
}

#[test]
fn health_tells_in_a_line_and_an_exit_code() {
    let data = DataFolder::new();
    let miller = worker().start(&data);
    let intake = gateway().start(&data);
    for (flag, server) in [("--metrics-listen", &miller), ("--listen", &intake)] {
        let address = server.address().to_string();
        let (code, told, errors) = run(pixmill(["health", flag, &address]).stdin(Stdio::null()));
        assert_eq!((code, told), (Some(0), format!("{address} is ready\n")), "{errors}");
    }
    // As the settings of a process have it that listens on all addresses: this one only asks.
    let everywhere = format!("0.0.0.0:{}", intake.address().port());
    let (code, told, errors) = run(&mut pixmill(["health", "--listen", &everywhere]));
    assert_eq!(
        (code, told),
        (Some(0), format!("{} is ready\n", intake.address())),
        "{errors}"
    );
    // Every few seconds, by the container: the process itself has told of it.
    let mut with_a_stray = pixmill(["health", "--listen", &everywhere]);
    let (code, _, errors) = run(with_a_stray.env("PIXMILL_SLOT", "3"));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let address = miller.address().to_string();
    miller.stop();
    let (code, told, errors) = run(&mut pixmill(["health", "--metrics-listen", &address]));
    assert_eq!(
        (code, told.as_str(), errors.lines().count()),
        (Some(1), "", 1),
        "{errors}"
    );
    assert!(
        errors.contains(&address) && errors.contains("does not answer"),
        "{errors}"
    );
    intake.stop();
}

#[test]
fn a_worker_may_have_the_settings_of_a_gateway_and_does_not_listen_for_clients() {
    let data = DataFolder::new();
    // Which a gateway would refuse without `allow_anonymous`.
    let miller = worker().env("PIXMILL_LISTEN", "0.0.0.0:8000").start(&data);
    miller.client().get("/readyz").expect(200);
    miller.stop();
}

#[test]
fn a_broker_in_memory_cannot_be_shared() {
    let data = DataFolder::new();
    for part in [ServerOptions::gateway(), ServerOptions::worker()] {
        let (status, output) = part.args(["--broker=memory"]).start_refused(&data, "127.0.0.1:0");
        assert!(!status.success());
        assert!(
            output.contains("broker is memory") && output.contains("pixmill serve"),
            "{output}"
        );
    }
    assert!(!data.path().exists(), "it is refused before anything is written");
}

/// Without slots nothing is milled, and what others left is looked after all the same.
#[test]
fn a_process_without_slots_deletes_what_has_expired() {
    let data = DataFolder::new();
    let options = ["--retention=1s", "--janitor-interval=100ms", "--slots=0"];
    let server = ServerOptions::new().args(options).start(&data);
    let client = server.client();
    let task = client.upload("photo.png", &testdata("pngsuite/basn2c08.png"));
    client.post(&format!("/v1/tasks/{task}/cancel")).expect(200);
    eventually("the record and the files to expire", || {
        let gone = client.get(&format!("/v1/tasks/{task}")).status == 404;
        (gone && data.task_files().is_empty()).then_some(())
    });
    server.stop();
}

#[test]
fn a_gateway_that_drains_finishes_what_it_receives() {
    let data = DataFolder::new();
    let mut intake = gateway().start(&data);
    let image = testdata("pngsuite/basn2c08.png");
    let form = Form::new().file("file", "photo.png", &image);
    let (body, content_type) = (form.body(), form.content_type());
    let (first, rest) = body.split_at(body.len() / 2);
    let mut connection = intake.client().connect();
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: pixmill\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(first).unwrap();
    eventually("the upload to be under way", || {
        let metrics = intake.client().get("/metrics").expect(200).body;
        // The upload, and the question itself.
        let both = "\npixmill_http_requests_in_flight 2\n";
        String::from_utf8_lossy(&metrics).contains(both).then_some(())
    });
    intake.signal(Signal::TERM);
    intake.wait_for_line("a second signal stops at once");
    connection.write_all(rest).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert!(intake.wait_for_exit().success(), "{}", intake.output());
    assert_eq!(data.row_counts()["tasks"], 1);
}

/// Whoever reads the log may be gone, or the disk that holds it may be full.
#[test]
fn a_log_that_takes_no_lines_keeps_nobody_from_working() {
    let data = DataFolder::new();
    let server = ServerOptions::new()
        .under(["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"])
        .args(["--log-level", "debug"])
        .start(&data);
    let task = server.client().upload("a.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let record = eventually("the task is done", || {
        let record = record(server.client(), &task);
        (record["state"] == "completed").then_some(record)
    });
    assert_eq!(record["attempt"], 1);
    server.stop();
}
