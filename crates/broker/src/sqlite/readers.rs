//! Threads that read, each with a connection of its own. They never wait for the writer, nor it for them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection::{self, Role};
use super::error::{OpenError, Stopped};
use super::step::Outcome;
use crate::BrokerError;

/// Readers: enough that a slow listing does not hold up a short look.
const READERS: usize = 2;
/// Reads that may wait for a reader.
const MAX_WAITING: usize = 1_024;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The reading threads. Dropping it waits until they have ended.
#[derive(Debug)]
pub(super) struct Readers {
    inbox: Option<mpsc::Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads.
    ///
    /// # Errors
    /// A connection or a thread cannot be made.
    pub(super) fn start(path: &Path) -> Result<Self, OpenError> {
        let (inbox, reads) = mpsc::channel::<Read>(MAX_WAITING);
        let reads = Arc::new(Mutex::new(reads));
        let mut readers = Self {
            inbox: Some(inbox),
            threads: Vec::with_capacity(READERS),
        };
        for number in 0..READERS {
            let connection =
                connection::open(path, Role::Reader).map_err(|source| OpenError::database("open", path, source))?;
            let reads = Arc::clone(&reads);
            let thread = thread::Builder::new()
                .name(format!("pixmill-read-{number}"))
                .spawn(move || work(&connection, &reads))
                .map_err(|source| OpenError::Io {
                    action: "start a thread for",
                    path: path.to_owned(),
                    source,
                })?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Reads on one of the threads.
    ///
    /// # Errors
    /// What `read` returns, or [`BrokerError::Unavailable`].
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, BrokerError> {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |connection| {
            // The caller may have gone.
            let _ = reply.send(read(connection));
        });
        let inbox = self.inbox.as_ref().ok_or(Stopped)?;
        inbox.send(job).await.map_err(|_| Stopped)?;
        Ok(answer.await.map_err(|_| Stopped)??)
    }
}

fn work(connection: &Connection, reads: &Mutex<mpsc::Receiver<Read>>) {
    loop {
        // Held while it waits: one thread waits for the next read, the others for their turn to wait.
        let next = reads.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(read) = next else { return };
        read(connection);
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.inbox = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader panicked");
            }
        }
    }
}
