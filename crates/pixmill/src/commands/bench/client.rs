//! The load generator: one HTTP connection, as few instructions as possible, since they count against us.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::input::Photo;

const BOUNDARY: &str = "pixmill-bench-5f1c2a9d";

/// One kept-alive connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<PartsBody>,
    driver: JoinHandle<hyper::Result<()>>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            sender,
            driver: tokio::spawn(connection),
        })
    }

    /// Uploads a form to `/upload`; waits for the 202 and returns what came with it.
    pub(super) async fn upload(&mut self, form: PartsBody) -> anyhow::Result<Bytes> {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/upload")
            .header(header::HOST, "localhost")
            .header(
                header::CONTENT_TYPE,
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(form)?;
        let (status, body) = self.send(request).await?;
        ensure!(
            status == StatusCode::ACCEPTED,
            "an upload was answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }

    /// Fetches a JSON document.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<serde_json::Value> {
        let request = Request::builder()
            .uri(path)
            .header(header::HOST, "localhost")
            .body(PartsBody::default())?;
        let (status, body) = self.send(request).await?;
        ensure!(status == StatusCode::OK, "{path} was answered {status}");
        serde_json::from_slice(&body).with_context(|| format!("{path} is not JSON"))
    }

    /// Tasks that are finished, and failed.
    pub(super) async fn finished(&mut self) -> anyhow::Result<(u64, u64)> {
        let stats = self.get("/v1/stats").await?;
        let queues = stats["queues"].as_array().context("/v1/stats has no queues")?;
        let sum = |state: &str| queues.iter().filter_map(|queue| queue[state].as_u64()).sum::<u64>();
        Ok((sum("completed"), sum("failed")))
    }

    async fn send(&mut self, request: Request<PartsBody>) -> anyhow::Result<(StatusCode, Bytes)> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A multipart upload of one photo, whose bytes are shared by all its copies.
#[derive(Debug, Clone)]
pub(super) struct UploadForm {
    before: Bytes,
    after: Bytes,
}

impl UploadForm {
    pub(super) fn new(photo: &Photo) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.jpg\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        let (image_before, image_after) = photo.around_number();
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        Self {
            before: [head.as_bytes(), &image_before].concat().into(),
            after: [image_after, tail.as_bytes()].concat().into(),
        }
    }

    /// The body whose photo only `number` has.
    pub(super) fn numbered(&self, number: u64) -> PartsBody {
        let number = Bytes::copy_from_slice(&number.to_be_bytes());
        PartsBody([self.before.clone(), number, self.after.clone()].into())
    }
}

/// A request body of parts that are sent without being joined first.
#[derive(Debug, Default)]
pub(super) struct PartsBody(VecDeque<Bytes>);

impl Body for PartsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|part| part.len() as u64).sum())
    }
}
