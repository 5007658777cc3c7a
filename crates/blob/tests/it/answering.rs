//! A server that plays whatever a test has it play. Other test binaries include this file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

/// Plays a server for as long as the test runs: `answer` is given the lines of a request's head and makes the body, or
/// hangs up. Returns its address.
pub(crate) fn answering(answer: impl Fn(&[String]) -> Option<String> + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let lines = reader.by_ref().lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            if head.is_empty() {
                continue;
            }
            let length = head.iter().find_map(|line| {
                let line = line.to_ascii_lowercase();
                line.strip_prefix("content-length:")?.trim().parse().ok()
            });
            reader.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
            let Some(body) = answer(&head) else {
                continue;
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            reader.into_inner().write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}
