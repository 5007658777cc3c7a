//! A gateway over a broker in memory and blobs in a folder, and requests as clients send them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use pixmill_blob::{BlobKey, BlobStore, BucketOptions, S3Credentials, S3Options, Service};
use pixmill_broker::{Broker, BrokerOptions, ClaimRequest, Completion, Lease, ListQuery, MemoryBroker};
use pixmill_gateway::{Gateway, GatewayOptions, Metrics, Services};
use pixmill_types::{ImageFormat, OutputImage, Payload, QueueName, RequestId, Segment, Task, TaskId};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::unreliable::Unreliable;

pub(crate) const BOUNDARY: &str = "----a-boundary";

/// A gateway, what it stands on, and the folder its files lie in.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) broker: Arc<Unreliable>,
    pub(crate) registry: Arc<MemoryBroker>,
    pub(crate) blobs: BlobStore,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(GatewayOptions::default(), BrokerOptions::default()).await
    }

    pub(crate) async fn with(options: GatewayOptions, broker_options: BrokerOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::local(folder.path()).await.unwrap();
        let memory = Arc::new(MemoryBroker::new(broker_options));
        let broker = Arc::new(Unreliable::new(memory.clone()));
        let services = Services {
            broker: broker.clone(),
            registry: memory.clone(),
            blobs: blobs.clone(),
            metrics: Metrics::detached().unwrap(),
        };
        Self {
            gateway: Gateway::new(services, options),
            broker,
            registry: memory,
            blobs,
            folder,
        }
    }

    /// Puts another gateway in front of the same tasks, over other blobs.
    pub(crate) fn regate(&mut self, options: GatewayOptions, blobs: BlobStore) {
        let services = Services {
            broker: self.broker.clone(),
            registry: self.registry.clone(),
            blobs,
            metrics: Metrics::detached().unwrap(),
        };
        self.gateway = Gateway::new(services, options);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.gateway.router().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Asks the routes for probes.
    pub(crate) async fn probe(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Answer::of(self.gateway.probe_router().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(Request::post(path).body(Body::empty()).unwrap()).await
    }

    /// Uploads a small real image and returns the id of its task.
    pub(crate) async fn submitted(&self) -> String {
        let answer = self.send(upload(Form::file("my_photo.png", &small_png()))).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        answer.json()["task_id"].as_str().unwrap().to_owned()
    }

    /// Takes the next task as a worker would.
    pub(crate) async fn claim(&self) -> Lease {
        let request = ClaimRequest {
            queue: QueueName::images(),
            worker: "test".parse().unwrap(),
            request: RequestId::from_bits(u64::from_be_bytes(
                TaskId::generate().as_bytes()[8..].try_into().unwrap(),
            )),
            max_tasks: 1,
            max_bytes: u64::MAX,
            idle: true,
            wait: Duration::ZERO,
        };
        self.broker.claim(request).await.unwrap().leases.remove(0)
    }

    /// Delivers `bytes` as the one output of a claimed task.
    pub(crate) async fn complete(&self, lease: &Lease, bytes: &'static [u8]) -> Task {
        let Payload::Mill(mill) = &lease.task.payload;
        let segment = Segment::parse(&format!("processed_{}", mill.input.segment)).unwrap();
        let key = BlobKey::output(lease.task.id, lease.id, &segment);
        let stored = self.blobs.put(&key, Bytes::from_static(bytes)).await.unwrap();
        let completion = Completion {
            outputs: vec![OutputImage {
                segment,
                bytes: stored.bytes,
                hash: stored.hash,
                format: ImageFormat::Png.into(),
                width: 32,
                height: 32,
            }],
            warnings: Vec::new(),
            follow_ups: Vec::new(),
        };
        self.broker.complete(lease.id, completion).await.unwrap()
    }

    /// Everything there is: files below the folder, and rows of the broker.
    pub(crate) async fn everything(&self) -> String {
        let mut text = String::new();
        for path in files(self.folder.path()) {
            let name = path.strip_prefix(self.folder.path()).unwrap();
            writeln!(text, "{}", name.display()).unwrap();
        }
        let page = self.broker.list(ListQuery {
            limit: 1_000,
            ..ListQuery::default()
        });
        for task in page.await.unwrap().tasks {
            writeln!(text, "{} {}", task.id, task.state).unwrap();
        }
        writeln!(text, "{:?}", self.broker.stats().await.unwrap().pending_deletions).unwrap();
        text
    }
}

/// Every file and folder below `root`, in order.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of the problem, once everything about its document has been checked.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16(), "{document}");
        assert_eq!(
            document["request_id"].as_str(),
            self.header("x-request-id"),
            "{document}"
        );
        let code = document["code"].as_str().unwrap();
        assert_eq!(document["type"], format!("urn:pixmill:problem:{code}"));
        let detail = document["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.ends_with('.'), "{document}");
        code.to_owned()
    }
}

/// A form as clients write it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn file(name: &str, bytes: &[u8]) -> Self {
        Self::default().and_file(name, bytes)
    }

    pub(crate) fn and_file(self, name: &str, bytes: &[u8]) -> Self {
        let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        self.part(&format!("form-data; name=\"file\"; filename=\"{name}\""), bytes)
    }

    pub(crate) fn and_field(self, name: &str, value: &str) -> Self {
        self.part(&format!("form-data; name=\"{name}\""), value.as_bytes())
    }

    pub(crate) fn part(mut self, disposition: &str, bytes: &[u8]) -> Self {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: image/png\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.0[..], format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    /// A request that posts it.
    pub(crate) fn post(&self, path: &str) -> Request<Body> {
        let bytes = self.bytes();
        Request::post(path)
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .header("content-length", bytes.len())
            .body(Body::from(bytes))
            .unwrap()
    }
}

pub(crate) fn upload(form: Form) -> Request<Body> {
    form.post("/upload")
}

pub(crate) fn image_request(path: &str, media_type: &str, bytes: Vec<u8>) -> Request<Body> {
    Request::post(path)
        .header("content-type", media_type)
        .header("content-length", bytes.len())
        .body(Body::from(bytes))
        .unwrap()
}

/// A bucket behind an endpoint.
pub(crate) fn bucket(endpoint: &str) -> BlobStore {
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    BlobStore::bucket(&BucketOptions {
        bucket: "pictures".to_owned(),
        prefix: "shop".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        link_endpoint: None,
        service: Service::S3(S3Options {
            region: "us-east-1".to_owned(),
            path_style: true,
            credentials: S3Credentials::from_environment(|name| keys.contains(&name).then(|| "test".to_owned())),
        }),
    })
    .unwrap()
}

/// A file of the test images.
pub(crate) fn testdata(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn small_png() -> Vec<u8> {
    testdata("pngsuite/basn2c08.png")
}
