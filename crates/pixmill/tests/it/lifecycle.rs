//! Starting, draining, stopping, dying, and starting again: what was acknowledged is done, once.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Client, DataFolder, Form, Request, Server, ServerOptions, eventually, task_id, testdata};

/// A recipe that keeps a worker busy for a second or more, in many steps.
fn long_recipe() -> String {
    format!("resize:width=4000,enlarge=true | {}", ["blur:100"; 30].join(" | "))
}

fn upload_long(client: Client) -> String {
    let form = Form::new()
        .text("recipe", &long_recipe())
        .file("file", "long.jpg", &testdata("bench/photo_2mp.jpg"));
    task_id(&client.send(Request::form("/upload", &form)).expect(202))
}

fn record(client: Client, task: &str) -> Value {
    client.get(&format!("/v1/tasks/{task}")).expect(200).json()
}

fn wait_until_running(client: Client, task: &str) {
    eventually("a worker to begin", || {
        (record(client, task)["state"] == "running").then_some(())
    });
}

/// The record as the data folder holds it while no worker runs.
fn record_at_rest(data: &DataFolder, task: &str) -> Value {
    let server = ServerOptions::new().args(["--slots", "0"]).start(data);
    record(server.client(), task)
}

#[test]
fn sigterm_lets_running_tasks_finish() {
    let data = DataFolder::new();
    let mut server = ServerOptions::new()
        .args(["--slots", "1", "--drain-grace", "60s"])
        .start(&data);
    let task = upload_long(server.client());
    let waiting = server
        .client()
        .upload("waiting.png", &testdata("pngsuite/basn2c08.png"));
    wait_until_running(server.client(), &task);
    server.signal(Signal::TERM);
    assert!(server.wait_for_exit().success(), "{}", server.output());
    assert_eq!(record_at_rest(&data, &task)["state"], "completed");
    let waiting = record_at_rest(&data, &waiting);
    assert_eq!(
        (&waiting["state"], &waiting["attempt"]),
        (&"queued".into(), &0.into()),
        "{waiting:#}"
    );
}

#[test]
fn a_second_sigterm_gives_running_tasks_back_at_once() {
    let data = DataFolder::new();
    let mut server = ServerOptions::new()
        .args(["--slots", "1", "--drain-grace", "10m"])
        .start(&data);
    let task = upload_long(server.client());
    wait_until_running(server.client(), &task);
    server.signal(Signal::TERM);
    server.wait_for_line("second signal");
    let asked = Instant::now();
    server.signal(Signal::TERM);
    server.wait_for_exit();
    assert!(
        asked.elapsed() < Duration::from_secs(30),
        "it took {:?}",
        asked.elapsed()
    );
    let released = record_at_rest(&data, &task);
    assert_eq!(
        (&released["state"], &released["attempt"]),
        (&"queued".into(), &0.into()),
        "{released:#}"
    );

    let server = Server::start(&data);
    let done = server.client().wait_until_final(&task);
    assert_eq!(
        (&done["state"], &done["attempt"]),
        (&"completed".into(), &1.into()),
        "{done:#}"
    );
}

#[test]
fn kill_9_and_a_restart_resume_at_once_rather_than_after_the_lease() {
    let data = DataFolder::new();
    let options = ServerOptions::new().args(["--lease", "1h", "--backoff-base", "10ms", "--backoff-cap", "10ms"]);
    let server = options.clone().start(&data);
    let task = upload_long(server.client());
    wait_until_running(server.client(), &task);
    server.kill();

    let server = options.start(&data);
    let done = server.client().wait_until_final(&task);
    assert_eq!(
        (&done["state"], &done["attempt"]),
        (&"completed".into(), &2.into()),
        "{done:#}"
    );
    let results: Vec<String> = data
        .task_files()
        .into_iter()
        .filter(|file| file.contains("/processed_"))
        .collect();
    assert_eq!(results.len(), 1, "{results:?}");
    server.stop();
}

#[test]
fn a_running_task_that_is_cancelled_stops_and_leaves_no_result() {
    let data = DataFolder::new();
    let server = ServerOptions::new().args(["--slots", "1"]).start(&data);
    let client = server.client();
    let task = upload_long(client);
    wait_until_running(client, &task);
    client.post(&format!("/v1/tasks/{task}/cancel")).expect(200);
    // The slot is free again: the next task runs to its end.
    let next = client.upload("next.png", &testdata("pngsuite/basn2c08.png"));
    assert_eq!(client.wait_until_final(&next)["state"], "completed");
    assert_eq!(
        client.get(&format!("/status/{task}")).expect(200).json()["status"],
        "CANCELLED"
    );
    let results: Vec<String> = data
        .task_files()
        .into_iter()
        .filter(|file| file.contains("/processed_long"))
        .collect();
    assert!(results.is_empty(), "{results:?}");
}

#[test]
fn two_servers_share_one_data_folder() {
    let data = DataFolder::new();
    let intake = ServerOptions::new().args(["--slots", "0"]).start(&data);
    let miller = ServerOptions::new().args(["--slots", "1"]).start(&data);
    let task = intake.client().upload("photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
    assert_eq!(intake.client().wait_until_final(&task)["state"], "completed");
    miller.stop();
    intake.stop();
}

#[test]
fn an_address_beyond_loopback_is_refused_with_the_reason() {
    let data = DataFolder::new();
    let (status, output) = ServerOptions::new().start_refused(&data, "0.0.0.0:0");
    assert!(!status.success());
    assert!(
        output.contains("allow_anonymous") || output.contains("--allow-anonymous"),
        "{output}"
    );
    assert!(!data.path().exists(), "it is refused before anything is written");
}

#[test]
fn a_data_folder_that_is_replaced_under_a_server_takes_nothing() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    let photo = testdata("bench/photo_0.3mp.jpg");
    let first = client.upload("photo.jpg", &photo);
    client.wait_until_final(&first);
    // As when a volume is unmounted: what is below its mount point is empty.
    let aside = data.path().with_extension("aside");
    fs::rename(data.path(), &aside).unwrap();
    fs::create_dir(data.path()).unwrap();
    let form = Form::new().file("file", "photo.jpg", &photo);
    client
        .send(Request::form("/upload", &form))
        .expect_problem(503, "storage_unavailable");
    client.get("/readyz").expect(503);
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);

    fs::remove_dir(data.path()).unwrap();
    fs::rename(&aside, data.path()).unwrap();
    let second = client.upload("photo.jpg", &photo);
    for task in [&first, &second] {
        assert_eq!(client.wait_until_final(task)["state"], "completed");
    }
    server.stop();
}
