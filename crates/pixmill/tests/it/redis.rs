//! `pixmill serve` over a real Redis that goes away and comes back.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::harness::{DataFolder, Form, Request, ServerOptions, eventually, pixmill, run, task_id, testdata};

/// A server that loses nothing; killed when it goes out of scope.
struct Redis {
    folder: TempDir,
    process: Option<Child>,
}

impl Redis {
    fn start() -> Self {
        let mut redis = Self {
            folder: tempfile::tempdir().unwrap(),
            process: None,
        };
        redis.restart();
        redis
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn address(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
            std::fs::remove_file(self.socket()).unwrap();
        }
    }

    fn restart(&mut self) {
        self.kill();
        let process = Command::new("redis-server")
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .arg("--unixsocket")
            .arg(self.socket())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server cannot be started: scripts/setup installs it");
        self.process = Some(process);
        eventually("redis-server listens", || UnixStream::connect(self.socket()).ok());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn small_upload() -> Request {
    let form = Form::new().file("file", "small.png", &testdata("pngsuite/basn2c08.png"));
    Request::form("/upload", &form)
}

#[test]
fn while_redis_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on() {
    let mut redis = Redis::start();
    let data = DataFolder::new();
    let server = ServerOptions::new().args(["--broker", &redis.address()]).start(&data);
    let client = server.client();
    let earlier = task_id(&client.send(small_upload()).expect(202));
    assert_eq!(client.wait_until_final(&earlier)["state"], "completed");
    client.get("/readyz").expect(200);

    redis.kill();
    for _ in 0..3 {
        let refused = client.send(small_upload());
        assert!(!refused.header("retry-after").is_empty());
        refused.expect(503);
    }
    // Its answer may be a second old.
    eventually("the gateway is no longer ready", || {
        let answer = client.get("/readyz");
        (answer.status == 503).then_some(())
    });
    client.get("/healthz").expect(200);

    redis.restart();
    let began = std::time::Instant::now();
    eventually("the gateway is ready again", || {
        let answer = client.get("/readyz");
        (answer.status == 200).then_some(())
    });
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    let later = task_id(&client.send(small_upload()).expect(202));
    assert_eq!(client.wait_until_final(&later)["state"], "completed");
    let status = client.get(&format!("/status/{earlier}")).expect(200).json();
    assert_eq!(status["status"], "COMPLETED");
    server.stop();
}

#[test]
fn a_redis_that_evicts_is_refused_with_the_reason() {
    let redis = Redis::start();
    let set = Command::new("redis-cli")
        .arg("-s")
        .arg(redis.socket())
        .args(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
        .stdout(Stdio::null())
        .status();
    assert!(set.unwrap().success());
    let data = DataFolder::new();
    let (status, output) = ServerOptions::new()
        .args(["--broker", &redis.address()])
        .start_refused(&data, "127.0.0.1:0");
    assert!(!status.success());
    assert!(output.contains("maxmemory-policy noeviction"), "{output}");
}

#[test]
fn a_broker_and_files_that_do_not_belong_together_are_refused_and_nothing_is_deleted() {
    let redis = Redis::start();
    let data = DataFolder::new();
    let with_redis = || ServerOptions::new().args(["--broker", &redis.address()]);
    let server = with_redis().start(&data);
    let task = task_id(&server.client().send(small_upload()).expect(202));
    assert_eq!(server.client().wait_until_final(&task)["state"], "completed");
    server.stop();
    let files = data.task_files();
    assert_eq!(files.len(), 2, "{files:?}");

    let forgotten = ServerOptions::new();
    let other_prefix = with_redis().args(["--redis-prefix", "other"]);
    for wrong in [forgotten, other_prefix] {
        let (status, output) = wrong.start_refused(&data, "127.0.0.1:0");
        assert!(!status.success());
        assert!(output.contains("belong to the tasks of installation"), "{output}");
    }
    let elsewhere = DataFolder::new();
    let (status, output) = with_redis().start_refused(&elsewhere, "127.0.0.1:0");
    assert!(!status.success());
    assert!(
        output.contains("every process needs the same folder or bucket"),
        "{output}"
    );
    assert_eq!(data.task_files(), files);

    let server = with_redis().start(&data);
    let status = server.client().get(&format!("/status/{task}")).expect(200).json();
    assert_eq!(status["status"], "COMPLETED");
    for command in ["backup", "restore"] {
        let (code, _, errors) = run(pixmill([command, "--data"])
            .arg(data.path())
            .env("PIXMILL_BROKER", redis.address())
            .arg(elsewhere.path().join("copy.db")));
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains("tasks are in Redis"), "{errors}");
    }
    server.stop();
}
