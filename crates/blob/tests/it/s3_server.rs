//! A real S3 server in this process, on a loopback port, over a folder: `s3s-fs`, which checks every signature.
//!
//! With a [`Gate`] before it, that decides who may pass in place of those signatures, it is Google's XML API as far as
//! `object_store` speaks that: the same requests and answers, signed in another way.
//!
//! It has a thread and a runtime of its own, so that blocking tests can use it, too. Other test binaries include this
//! file.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::sync::oneshot;

pub(crate) const BUCKET: &str = "pictures";
pub(crate) const KEY_ID: &str = "test-key";
pub(crate) const SECRET: &str = "test-secret";

/// Whether a request may pass. Takes away what only the gate understands.
pub(crate) type Gate = Arc<dyn Fn(&mut http::Request<Incoming>) -> bool + Send + Sync>;

/// The server while it runs; dropping it cuts all connections off.
pub(crate) struct S3Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3Server {
    /// Serves the buckets in `root`, of which there is one, on any free port.
    pub(crate) fn start(root: &Path) -> Self {
        Self::start_at(root, "127.0.0.1:0".parse().unwrap())
    }

    /// The same at an address, such as that of one that is gone.
    pub(crate) fn start_at(root: &Path, address: SocketAddr) -> Self {
        Self::run(root, address, None)
    }

    /// The same on any free port, for whom `gate` lets pass.
    pub(crate) fn start_behind(root: &Path, gate: Gate) -> Self {
        Self::run(root, "127.0.0.1:0".parse().unwrap(), Some(gate))
    }

    fn run(root: &Path, address: SocketAddr, gate: Option<Gate>) -> Self {
        std::fs::create_dir_all(root.join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
        let gate = gate.unwrap_or_else(|| {
            builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
            Arc::new(|_| true)
        });
        let service = builder.build();
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                ready.send(()).unwrap();
                tokio::select! {
                    () = serve(listener, service, gate) => {}
                    _ = stopped => {}
                }
            });
        });
        is_ready.recv().unwrap();
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: tokio::net::TcpListener, service: S3Service, gate: Gate) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (service, gate) = (service.clone(), Arc::clone(&gate));
        let gated = service_fn(move |mut request: http::Request<Incoming>| {
            let passes = gate(&mut request);
            let answer = passes.then(|| hyper::service::Service::call(&service, request));
            async move {
                match answer {
                    Some(answer) => answer.await,
                    None => Ok(denied()),
                }
            }
        });
        // Ends with the runtime.
        tokio::spawn(async move {
            // A client that goes away is none of the server's business.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), gated)
                .await;
        });
    }
}

fn denied() -> http::Response<s3s::Body> {
    let reason = "<Error><Code>AccessDenied</Code><Message>the gate is shut</Message></Error>";
    let mut response = http::Response::new(s3s::Body::from(reason.to_owned()));
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    response
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
