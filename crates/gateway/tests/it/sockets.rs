//! The gateway behind a real socket: slow clients, clients that leave, uploads that are too large, and the end.

use std::net::SocketAddr;
use std::time::Duration;

use pixmill_broker::BrokerOptions;
use pixmill_gateway::GatewayOptions;
use pixmill_types::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::harness::{BOUNDARY, Form, World, small_png};

const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    world: World,
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(options: GatewayOptions) -> Self {
        let world = World::with(options, BrokerOptions::default()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(world.gateway.clone().serve(listener, shutdown.clone()));
        Self {
            world,
            address,
            shutdown,
            serving,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) -> World {
        self.shutdown.cancel();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap().unwrap();
        self.world
    }
}

/// Reads until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

fn head(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: \
         {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_client_that_sends_no_headers_is_dropped() {
    let server = Server::start(GatewayOptions {
        header_timeout: Duration::from_millis(50),
        ..GatewayOptions::default()
    })
    .await;
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    rest(&mut slow).await;
    server.stop().await;
}

#[tokio::test]
async fn a_request_is_for_one_host() {
    let server = Server::start(GatewayOptions::default()).await;
    for (head, status, code) in [
        ("HTTP/1.1\r\n", "400", "bad_request"),
        ("HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400", "bad_request"),
        ("HTTP/1.0\r\nHost: a\r\nHost: b\r\n", "400", "bad_request"),
        ("HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", "200", "ok"),
        ("HTTP/1.0\r\n", "200", "ok"),
    ] {
        let mut client = server.connect().await;
        client
            .write_all(format!("GET /healthz {head}\r\n").as_bytes())
            .await
            .unwrap();
        let answer = rest(&mut client).await;
        assert!(
            answer.split(' ').nth(1) == Some(status) && answer.contains(code),
            "{head}: {answer}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_pauses_too_long_is_told() {
    let server = Server::start(GatewayOptions {
        upload_idle_timeout: Duration::from_millis(50),
        ..GatewayOptions::default()
    })
    .await;
    let before = server.world.everything().await;
    let mut client = server.connect().await;
    let form = Form::file("a.png", &small_png()).bytes();
    client.write_all(head("/upload", form.len()).as_bytes()).await.unwrap();
    client.write_all(&form[..form.len() / 2]).await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"upload_timeout\""), "{answer}");
    let world = server.stop().await;
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_client_that_leaves_leaves_nothing() {
    let server = Server::start(GatewayOptions::default()).await;
    let before = server.world.everything().await;
    let form = Form::file("a.png", &[small_png(), vec![0; 1_000_000]].concat()).bytes();
    for sent in [100, 400, form.len() - 100, form.len() - 1] {
        let mut client = server.connect().await;
        client.write_all(head("/upload", form.len()).as_bytes()).await.unwrap();
        client.write_all(&form[..sent]).await.unwrap();
        drop(client);
    }
    let world = server.stop().await;
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn an_upload_that_is_too_large_is_told_why() {
    let limits = Limits {
        max_input_bytes: 1_000_000,
        ..Limits::default()
    };
    let server = Server::start(GatewayOptions {
        limits,
        ..GatewayOptions::default()
    })
    .await;
    let form = Form::file("a.png", &[small_png(), vec![0; 30_000_000]].concat()).bytes();
    // This client reads no answer before it has sent everything.
    let mut client = server.connect().await;
    client.write_all(head("/upload", form.len()).as_bytes()).await.unwrap();
    client.write_all(&form).await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.contains("\"limit\":1000000,\"actual\":"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_small_refused_upload() {
    let server = Server::start(GatewayOptions::default()).await;
    let mut client = server.connect().await;
    let bad = Form::file("a.png", &[b'x'; 300_000]).bytes();
    let good = Form::file("a.png", &small_png()).bytes();
    for form in [&bad, &good] {
        client.write_all(head("/upload", form.len()).as_bytes()).await.unwrap();
        client.write_all(form).await.unwrap();
    }
    client
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let answers = rest(&mut client).await;
    let statuses: Vec<_> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &answers[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["422", "202", "200"], "{answers}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_first_sends_nothing_in_vain() {
    let server = Server::start(GatewayOptions::default()).await;
    let mut client = server.connect().await;
    let head = head("/upload", 1_000_000_000).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped() {
    let server = Server::start(GatewayOptions {
        write_idle_timeout: Duration::from_millis(50),
        drain_grace: 10 * PATIENCE,
        ..GatewayOptions::default()
    })
    .await;
    let id = server.world.submitted().await;
    let lease = server.world.claim().await;
    // More than the sockets' buffers hold.
    server.world.complete(&lease, &[7; 64_000_000]).await;
    let mut client = server.connect().await;
    let request = format!("GET /v1/tasks/{id}/outputs/processed_my_photo.png HTTP/1.1\r\nHost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    client.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // The end waits for the response, and the response for nobody.
    server.stop().await;
}

#[tokio::test]
async fn a_connection_more_than_there_may_be_waits_for_its_turn() {
    let server = Server::start(GatewayOptions {
        max_connections: 1,
        ..GatewayOptions::default()
    })
    .await;
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut answer = [0; 12];
    let mut first = server.connect().await;
    first.write_all(ask).await.unwrap();
    first.read_exact(&mut answer).await.unwrap();
    let mut second = server.connect().await;
    second.write_all(ask).await.unwrap();
    // The first may ask again; were the second served, it would have been by then.
    first.write_all(ask).await.unwrap();
    let mut answers = Vec::new();
    while answers.windows(8).filter(|window| window == b"HTTP/1.1").count() < 1 {
        first.read_buf(&mut answers).await.unwrap();
    }
    let early = second.try_read(&mut answer);
    assert_eq!(early.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    timeout(PATIENCE, second.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop(second);
    server.stop().await;
}

#[tokio::test]
async fn the_end_waits_for_uploads_and_not_for_those_who_wait() {
    let server = Server::start(GatewayOptions::default()).await;
    let id = server.world.submitted().await;
    let mut waiting = server.connect().await;
    let request = format!("GET /v1/tasks/{id}?wait=60s HTTP/1.1\r\nHost: x\r\n\r\n");
    waiting.write_all(request.as_bytes()).await.unwrap();
    let mut uploading = server.connect().await;
    let form = Form::file("a.png", &small_png()).bytes();
    uploading
        .write_all(head("/upload", form.len()).as_bytes())
        .await
        .unwrap();
    uploading.write_all(&form[..100]).await.unwrap();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    // Once the idle connection has its answer, the two before it are being served.
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    server.shutdown.cancel();
    assert!(rest(&mut waiting).await.starts_with("HTTP/1.1 200 "));
    rest(&mut idle).await;
    uploading.write_all(&form[100..]).await.unwrap();
    assert!(rest(&mut uploading).await.starts_with("HTTP/1.1 202 "));
    server.stop().await;
}

#[tokio::test]
async fn the_end_comes_even_when_a_client_does_not() {
    let server = Server::start(GatewayOptions {
        drain_grace: Duration::from_millis(50),
        ..GatewayOptions::default()
    })
    .await;
    let before = server.world.everything().await;
    let mut uploading = server.connect().await;
    let form = Form::file("a.png", &[small_png(), vec![0; 1_000_000]].concat()).bytes();
    uploading
        .write_all(head("/upload", form.len()).as_bytes())
        .await
        .unwrap();
    uploading.write_all(&form[..500_000]).await.unwrap();
    let world = server.stop().await;
    assert_eq!(world.everything().await, before);
}
