//! Tells other processes that share the database what a commit changed, and hears it from them.
//!
//! Each process has a datagram socket in a folder beside the database. A lost datagram costs time, never a task: the
//! writer looks at the database's version now and then.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::changes::Changes;

/// A process that joined within this time may have to do without a datagram.
const LISTING_AGE: Duration = Duration::from_millis(200);
/// The largest datagram; [`Changes`] stays far below.
const MAX_DATAGRAM: usize = 64 * 1024;
/// The longest path an address of a socket holds everywhere, bytes.
const MAX_ADDRESS: usize = 100;
/// How long a listener may sleep through its end when the datagram that wakes it is lost.
const LISTEN_TIMEOUT: Duration = Duration::from_millis(500);

/// A folder of sockets, open, so that a long path to it does not matter.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    open: File,
}

impl Folder {
    fn address(&self, name: &OsString) -> PathBuf {
        let plain = self.path.join(name);
        if plain.as_os_str().as_bytes().len() <= MAX_ADDRESS || cfg!(not(target_os = "linux")) {
            return plain;
        }
        Path::new("/proc/self/fd")
            .join(self.open.as_raw_fd().to_string())
            .join(name)
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

/// Tells the other processes. Owned by the writer.
#[derive(Debug)]
pub(super) struct Announcer {
    folder: Folder,
    own: OsString,
    socket: UnixDatagram,
    peers: Vec<OsString>,
    listed_at: Option<Instant>,
}

impl Announcer {
    /// Tells every other process what changed. Whoever does not answer any more is struck off.
    pub(super) fn announce(&mut self, changes: &Changes) {
        if changes.is_empty() {
            return;
        }
        self.list();
        if !self.peers.is_empty() {
            self.tell(&changes.to_datagram());
        }
    }

    fn tell(&mut self, datagram: &[u8]) {
        let (folder, socket) = (&self.folder, &self.socket);
        self.peers.retain(|peer| {
            let address = folder.address(peer);
            match socket.send_to(datagram, &address) {
                Ok(_) => true,
                // Its process ended without tidying up. Names are never used twice, so this removes no living one.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    if let Err(error) = fs::remove_file(&address) {
                        tracing::debug!(%error, path = %address.display(), "a dead process's socket stays behind");
                    }
                    false
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                // Its buffer is full: it has something to read, and will look at everything in time.
                Err(_) => true,
            }
        });
    }

    fn list(&mut self) {
        if self.listed_at.is_some_and(|at| at.elapsed() < LISTING_AGE) {
            return;
        }
        self.listed_at = Some(Instant::now());
        match self.folder.names() {
            Ok(names) => self.peers = names.into_iter().filter(|name| *name != self.own).collect(),
            Err(error) => tracing::debug!(%error, "cannot list the processes that share the database"),
        }
    }
}

/// Hears the other processes, on a thread of its own.
#[derive(Debug)]
pub(super) struct Listener {
    path: PathBuf,
    address: PathBuf,
    // Keeps the address valid when it goes through the open folder.
    _folder: File,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Joins the processes that share the database: `heard` is called with what the others say, until the listener is
/// dropped.
///
/// # Errors
/// The socket or the thread cannot be made.
pub(super) fn join(folder: &Path, heard: impl Fn(Changes) + Send + 'static) -> io::Result<(Announcer, Listener)> {
    let open = || -> io::Result<Folder> {
        Ok(Folder {
            path: folder.to_owned(),
            open: File::open(folder)?,
        })
    };
    let (for_announcer, for_listener) = (open()?, open()?);
    let own = OsString::from(format!("{}-{:016x}.sock", std::process::id(), rand::random::<u64>()));
    let address = for_listener.address(&own);
    let ear = UnixDatagram::bind(&address)?;
    ear.set_read_timeout(Some(LISTEN_TIMEOUT))?;
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = thread::Builder::new()
        .name("pixmill-wake".to_owned())
        .spawn(move || listen(&ear, &stopped, heard))?;
    let listener = Listener {
        path: folder.join(&own),
        address,
        _folder: for_listener.open,
        stop,
        thread: Some(thread),
    };
    let mut announcer = Announcer {
        folder: for_announcer,
        own,
        socket,
        peers: Vec::new(),
        listed_at: None,
    };
    // Strikes off who died before this process came; to the living it says nothing worse than "look".
    announcer.list();
    announcer.tell(b"");
    announcer.listed_at = None;
    Ok((announcer, listener))
}

fn listen(ear: &UnixDatagram, stop: &AtomicBool, heard: impl Fn(Changes)) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    while !stop.load(Ordering::Acquire) {
        match ear.recv(&mut buffer) {
            Ok(length) => heard(Changes::from_datagram(&buffer[..length])),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                tracing::warn!(%error, "other processes are no longer heard, waking up takes longer");
                return;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the thread; should that fail, its timeout does.
        if let Ok(socket) = UnixDatagram::unbound() {
            let _ = socket.send_to(b"", &self.address);
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that hears other processes panicked");
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "the socket stays behind");
        }
    }
}
