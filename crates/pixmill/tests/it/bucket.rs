//! Servers whose files lie in a bucket, on a real S3 server.

use http::Method;
use tempfile::TempDir;

use crate::harness::{
    Client, DataFolder, Form, Request, Response, Server, ServerOptions, eventually, task_id, testdata,
};
use crate::proxy::Proxy;
use crate::s3_server::{BUCKET, KEY_ID, S3Server, SECRET};

/// A bucket, the server it is on, and a folder for the database.
struct Cloud {
    root: TempDir,
    server: Option<S3Server>,
    data: DataFolder,
}

impl Cloud {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        Self {
            server: Some(S3Server::start(root.path())),
            root,
            data: DataFolder::new(),
        }
    }

    fn address(&self) -> std::net::SocketAddr {
        self.server.as_ref().unwrap().address()
    }

    fn settings(&self, options: ServerOptions) -> ServerOptions {
        self.settings_by_way_of(self.address(), options)
    }

    /// The same, where the bucket is reached at `address`.
    fn settings_by_way_of(&self, address: std::net::SocketAddr, options: ServerOptions) -> ServerOptions {
        let endpoint = format!("--s3-endpoint=http://{address}");
        options
            .args([&format!("--storage=s3://{BUCKET}/shop"), &endpoint])
            .env("AWS_ACCESS_KEY_ID", KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
    }

    fn start(&self, options: ServerOptions) -> Server {
        self.settings(options).start(&self.data)
    }

    /// The objects below the prefix; the server's own notes are left out.
    fn objects(&self) -> Vec<String> {
        let mut found = Vec::new();
        let top = self.root.path().join(BUCKET);
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            // One that has just been removed holds nothing.
            for entry in std::fs::read_dir(folder).into_iter().flatten().map_while(Result::ok) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name() != Some("installation".as_ref()) {
                    found.push(path.strip_prefix(&top).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

fn try_upload(client: Client) -> Response {
    let form = Form::new().file("file", "photo.png", &testdata("pngsuite/basn2c08.png"));
    client.send(Request::form("/upload", &form))
}

#[test]
fn what_is_uploaded_and_made_lies_in_the_bucket_and_nowhere_else() {
    let cloud = Cloud::new();
    let gateway = cloud.start(ServerOptions::gateway());
    let miller = cloud.start(ServerOptions::worker().args(["--slots=1"]));
    let client = gateway.client();
    let task = client.upload("photo.jpg", &testdata("bench/photo_12mp.jpg"));
    let done = client.wait_until_final(&task);
    assert_eq!(done["state"], "completed", "{done:#}");
    let output = &done["outputs"][0];
    let image = client.get(output["url"].as_str().unwrap()).expect(200);
    assert_eq!(image.body.len() as u64, output["bytes"].as_u64().unwrap());

    let shard = &task[task.len() - 2..];
    let expected = [
        format!("shop/{}", output["path"].as_str().unwrap()),
        format!("shop/tasks/{shard}/{task}/in/photo.jpg"),
    ];
    assert_eq!(cloud.objects(), expected);
    let local = cloud.data.entries().into_iter().filter(|entry| !entry.ends_with('/'));
    let strays: Vec<_> = local
        .filter(|entry| !entry.starts_with("peers/") && !entry.starts_with("workers/"))
        .collect();
    assert_eq!(strays, [""; 0], "beside the database");

    client
        .send(Request::new(Method::DELETE, format!("/v1/tasks/{task}")))
        .expect(204);
    assert_eq!(cloud.objects(), [""; 0]);
    miller.stop();
    gateway.stop();
}

#[test]
fn a_download_may_be_sent_to_the_bucket() {
    let cloud = Cloud::new();
    let server = cloud.start(ServerOptions::new().args(["--slots=1", "--s3-redirect=10m"]));
    let client = server.client();
    let task = client.upload("photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let done = client.wait_until_final(&task);
    let output = &done["outputs"][0];
    let redirect = client.get(output["url"].as_str().unwrap()).expect(302);
    let link: http::Uri = redirect.header("location").parse().unwrap();
    let bucket = Client::new(link.authority().unwrap().as_str().parse().unwrap());
    let image = bucket.get(link.path_and_query().unwrap().as_str()).expect(200);
    let hash = pixmill_types::ContentHash::of(&image.body).to_string();
    assert_eq!(output["blake3"], hash);
    server.stop();
}

#[test]
fn without_the_bucket_uploads_are_refused_and_it_heals() {
    let mut cloud = Cloud::new();
    let address = cloud.address();
    let server = cloud.start(ServerOptions::new().args(["--slots=1", "--backoff-cap=100ms", "--backoff-base=10ms"]));
    let client = server.client();
    let early = client.upload("photo.png", &testdata("pngsuite/basn2c08.png"));
    client.wait_until_final(&early);
    let before = cloud.data.row_counts()["tasks"];

    cloud.server = None;
    let refused = try_upload(client);
    let retry_after = refused.header("retry-after").to_owned();
    refused.expect_problem(503, "storage_unavailable");
    assert!(retry_after.parse::<u32>().is_ok(), "{retry_after}");
    assert_eq!(cloud.data.row_counts()["tasks"], before, "no task came into being");
    eventually("the server to say that it is not ready", || {
        let ready = client.get("/readyz");
        (ready.status == 503).then(|| ready.expect_problem(503, "storage_unavailable"))
    });
    let record = client.get(&format!("/v1/tasks/{early}")).expect(200).json();
    client
        .get(record["outputs"][0]["url"].as_str().unwrap())
        .expect_problem(503, "storage_unavailable");

    cloud.server = Some(S3Server::start_at(cloud.root.path(), address));
    eventually("the server to be ready again", || {
        (client.get("/readyz").status == 200).then_some(())
    });
    let task = client.upload("photo.png", &testdata("pngsuite/basn2c08.png"));
    assert_eq!(client.wait_until_final(&task)["state"], "completed");
    let said = server.output();
    assert!(
        !said.contains("object_store::"),
        "requests tried again are no news:\n{said}"
    );
    server.stop();
}

/// Whether the worker has given so many tasks back.
fn has_released(client: Client, count: u32) -> bool {
    let metrics = String::from_utf8(client.get("/metrics").expect(200).body.to_vec()).unwrap();
    let line = format!("pixmill_worker_attempts_total{{outcome=\"released\"}} {count}");
    metrics.lines().any(|found| found == line)
}

#[test]
fn a_bucket_that_takes_questions_and_is_silent_uses_up_no_attempt() {
    let cloud = Cloud::new();
    let wire = Proxy::to(cloud.address());
    let options = ServerOptions::new().args(["--slots=1", "--max-attempts=1", "--task-timeout=8s"]);
    let server = cloud.settings_by_way_of(wire.address(), options).start(&cloud.data);
    let client = server.client();
    // Holds the slot until the bucket is silent.
    let form = Form::new().text("recipe", &["blur:100"; 60].join(" | ")).file(
        "file",
        "long.jpg",
        &testdata("bench/photo_2mp.jpg"),
    );
    let long = task_id(&client.send(Request::form("/upload", &form)).expect(202));
    eventually("a worker to begin", || {
        let record = client.get(&format!("/v1/tasks/{long}")).expect(200).json();
        (record["state"] == "running").then_some(())
    });
    let task = client.upload("photo.png", &testdata("pngsuite/basn2c08.png"));
    wire.set_silent(true);
    client.post(&format!("/v1/tasks/{long}/cancel")).expect(200);
    eventually("the task to be given back", || has_released(client, 1).then_some(()));

    wire.set_silent(false);
    let done = client.wait_until_final(&task);
    assert_eq!(
        (&done["state"], &done["attempt"]),
        (&"completed".into(), &1.into()),
        "{done:#}"
    );
    server.stop();
}

#[test]
fn a_bucket_that_cannot_be_used_is_named_at_start() {
    let cloud = Cloud::new();
    let wrong = cloud
        .settings(ServerOptions::new())
        .env("AWS_SECRET_ACCESS_KEY", "guessed");
    let (status, output) = wrong.start_refused(&cloud.data, "127.0.0.1:0");
    assert!(!status.success());
    let place = format!("cannot use s3://{BUCKET}/shop at http://{}: ", cloud.address());
    assert!(
        output.contains(&place) && output.contains("SignatureDoesNotMatch"),
        "{output}"
    );
    assert!(!output.contains("guessed") && !output.contains('<'), "{output}");

    let keyless = cloud
        .settings(ServerOptions::new())
        .args(["--s3-credentials-file=/no/such/file"]);
    let (status, output) = keyless.start_refused(&cloud.data, "127.0.0.1:0");
    assert!(!status.success());
    let reason = "cannot read the credentials file /no/such/file: No such file or directory";
    assert!(output.contains(reason), "{output}");

    // What a machine outside a cloud has: nobody at the address where its own role would be told.
    let nobody = cloud
        .settings(ServerOptions::new())
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    let (status, output) = nobody.start_refused(&cloud.data, "127.0.0.1:0");
    assert!(!status.success());
    let reason = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3_credentials_file, would say who we are";
    assert!(output.contains(&place) && output.contains(reason), "{output}");
    assert!(!cloud.data.path().exists(), "it is refused before anything is written");
}

/// What a worker wrote before it died does not count, and does not stay.
#[cfg(feature = "failpoints")]
#[test]
fn a_worker_that_dies_after_it_wrote_leaves_one_result() {
    let cloud = Cloud::new();
    let patient = [
        "--lease=1h",
        "--reap-interval=100ms",
        "--backoff-base=10ms",
        "--backoff-cap=10ms",
    ];
    let gateway = cloud.start(ServerOptions::gateway().args(patient));
    let client = gateway.client();
    let worker = || ServerOptions::worker().args(patient).args(["--slots=1"]);
    let mut doomed = cloud.start(worker().env("FAILPOINTS", "worker.output_written=return"));
    let task = client.upload("photo.png", &testdata("pngsuite/basn2c08.png"));
    assert!(!doomed.wait_for_exit().success());
    assert_eq!(cloud.objects().len(), 2, "{:?}", cloud.objects());

    let miller = cloud.start(worker());
    let done = client.wait_until_final(&task);
    assert_eq!(
        (&done["state"], &done["attempt"]),
        (&"completed".into(), &2.into()),
        "{done:#}"
    );
    let shard = &task[task.len() - 2..];
    let expected = [
        format!("shop/{}", done["outputs"][0]["path"].as_str().unwrap()),
        format!("shop/tasks/{shard}/{task}/in/photo.png"),
    ];
    assert_eq!(cloud.objects(), expected);
    miller.stop();
    gateway.stop();
}

/// As in an image that holds nothing but the binary.
#[test]
fn a_container_without_certificates_reaches_a_bucket_that_needs_none() {
    let cloud = Cloud::new();
    let bare = |options: ServerOptions| {
        let options = cloud.settings(options.args(["--slots=1"]));
        let nowhere = cloud.root.path().join("nowhere");
        options.env("SSL_CERT_FILE", &nowhere).env("SSL_CERT_DIR", &nowhere)
    };
    let server = bare(ServerOptions::new()).start(&cloud.data);
    let task = server.client().upload("photo.png", &testdata("pngsuite/basn2c08.png"));
    assert_eq!(server.client().wait_until_final(&task)["state"], "completed");
    server.stop();
}
