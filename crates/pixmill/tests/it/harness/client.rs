//! A blocking HTTP/1.1 client over hyper: one connection a request, nothing retried, nothing followed.

use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::PATIENCE;

/// A request to be.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// A POST of a multipart form.
    pub(crate) fn form(path: impl Into<String>, form: &Form) -> Self {
        Self::new(Method::POST, path)
            .header("content-type", form.content_type())
            .body(form.body())
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body; its length goes with it.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Response {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header that must be there, as text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"));
        value.to_str().unwrap()
    }

    /// Itself, when it has this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Checks that this is a problem document (RFC 9457) of that status and stable code, and returns it.
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Value {
        let response = self.expect(status);
        assert_eq!(response.header("content-type"), "application/problem+json");
        let problem = response.json();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status, "{problem:#}");
        problem
    }
}

/// A client of one server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    address: SocketAddr,
}

impl Client {
    /// A client of the server at `address`.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// GET.
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(Request::new(Method::GET, path))
    }

    /// POST without a body.
    pub(crate) fn post(&self, path: &str) -> Response {
        self.send(Request::new(Method::POST, path))
    }

    /// Sends a request that must be answered.
    pub(crate) fn send(&self, request: Request) -> Response {
        let asked = format!("{} {}", request.method, request.path);
        self.try_send(request)
            .unwrap_or_else(|error| panic!("{asked}: {error:#}"))
    }

    /// Sends a request to a server that may go away meanwhile.
    ///
    /// # Errors
    /// The connection failed before the answer was complete.
    pub(crate) fn try_send(&self, request: Request) -> anyhow::Result<Response> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { tokio::time::timeout(PATIENCE, exchange(self.address, request)).await? })
    }

    /// A connection to write to by hand.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Uploads an image with the default recipe through `POST /upload`; returns the id of its task.
    pub(crate) fn upload(&self, file_name: &str, image: &[u8]) -> String {
        let form = Form::new().file("file", file_name, image);
        task_id(&self.send(Request::form("/upload", &form)).expect(202))
    }

    /// The task, once it is completed, failed or cancelled.
    pub(crate) fn wait_until_final(&self, task: &str) -> Value {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let record = self.get(&format!("/v1/tasks/{task}?wait=10s")).expect(200).json();
            if ["completed", "failed", "cancelled"]
                .iter()
                .any(|state| record["state"] == *state)
            {
                return record;
            }
            assert!(std::time::Instant::now() < deadline, "still not final: {record:#}");
        }
    }
}

/// The `task_id` of an accepted upload.
pub(crate) fn task_id(response: &Response) -> String {
    let json = response.json();
    json["task_id"]
        .as_str()
        .unwrap_or_else(|| panic!("no task_id in {json:#}"))
        .to_owned()
}

async fn exchange(address: SocketAddr, request: Request) -> anyhow::Result<Response> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut builder = http::Request::builder()
        .method(request.method)
        .uri(request.path)
        .header("host", address.to_string());
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    let answer = sender.send_request(builder.body(Full::new(request.body))?);
    let read = async {
        let (parts, body) = answer.await?.into_parts();
        anyhow::Ok(Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    };
    // The connection moves the bytes; its own error shows up in what is read.
    let mut connection = std::pin::pin!(connection);
    let mut read = std::pin::pin!(read);
    tokio::select! {
        biased;
        response = &mut read => response,
        _ = &mut connection => read.await,
    }
}

/// A multipart/form-data body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    body: Vec<u8>,
}

const BOUNDARY: &str = "----pixmill-test-boundary";

impl Form {
    /// A form without fields.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a file. `file_name` goes out as browsers send it: quotes and line ends escaped.
    pub(crate) fn file(self, name: &str, file_name: &str, content: &[u8]) -> Self {
        let escaped = file_name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let disposition = format!("form-data; name=\"{name}\"; filename=\"{escaped}\"");
        self.part(&disposition, Some("application/octet-stream"), content)
    }

    /// Adds a text field.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("form-data; name=\"{name}\""), None, value.as_bytes())
    }

    fn part(mut self, disposition: &str, media_type: Option<&str>, content: &[u8]) -> Self {
        let mut head = format!("--{BOUNDARY}\r\ncontent-disposition: {disposition}\r\n");
        if let Some(media_type) = media_type {
            head += &format!("content-type: {media_type}\r\n");
        }
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(b"\r\n");
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// The value of the Content-Type header.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The whole body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = self.body.clone();
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }
}
