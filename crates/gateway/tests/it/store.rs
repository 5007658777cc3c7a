//! A store that goes away in the middle of an upload.

use std::sync::Arc;

use axum::http::StatusCode;
use pixmill_gateway::GatewayOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::harness::{Form, World, bucket, small_png, upload};

/// An S3 server that refuses to store, and answers what else is asked when it is told to.
struct SlowStore {
    endpoint: String,
    /// The methods of requests that wait; nothing for a client that waits no longer.
    asked: UnboundedReceiver<Option<String>>,
    answer: Arc<Notify>,
}

impl SlowStore {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (asks, asked) = unbounded_channel();
        let answer = Arc::new(Notify::new());
        let told = answer.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, asks.clone(), told.clone()));
            }
        });
        Self {
            endpoint,
            asked,
            answer,
        }
    }
}

async fn serve(mut connection: TcpStream, asks: UnboundedSender<Option<String>>, told: Arc<Notify>) {
    const LIST: &str = "<ListBucketResult><Name>pictures</Name><IsTruncated>false</IsTruncated><Contents><Key>left</Key>\
                        <Size>1</Size><LastModified>2026-11-27T00:00:00.000Z</LastModified></Contents></ListBucketResult>";
    while let Some(head) = head(&mut connection).await {
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .map(str::to_owned)
        });
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        connection.read_exact(&mut body).await.unwrap();
        let method = head.split(' ').next().unwrap().to_owned();
        let answer = if method == "PUT" {
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_owned()
        } else {
            asks.send(Some(method)).unwrap();
            told.notified().await;
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{LIST}", LIST.len())
        };
        if connection.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
    }
    // The test may have seen enough.
    let _ = asks.send(None);
}

/// The next request up to its body; nothing when the client has gone.
async fn head(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

#[tokio::test]
async fn a_store_that_has_failed_is_not_waited_for_once_more_before_the_answer() {
    let mut store = SlowStore::start().await;
    let mut world = World::new().await;
    world.regate(GatewayOptions::default(), bucket(&store.endpoint));
    let answer = world.send(upload(Form::file("a.png", &small_png()))).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable")
    );
    // What may lie there is looked for behind the answer, and goes once the store says what it is.
    let next = async |store: &mut SlowStore| store.asked.recv().await.unwrap();
    assert_eq!(next(&mut store).await.as_deref(), Some("GET"));
    store.answer.notify_one();
    assert_eq!(next(&mut store).await.as_deref(), Some("POST"));
}
