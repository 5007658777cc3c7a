//! Starts the real binary and looks at it from outside: over HTTP, at its data folder, at its database.
//!
//! ```ignore
//! let data = DataFolder::new();
//! let server = Server::start(&data);                       // port 0, kills the process when it goes out of scope
//! let task = server.client().upload("photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
//! let done = server.client().wait_until_final(&task);      // long-polls, never sleeps
//! assert_eq!(done["state"], "completed");
//! ```
//!
//! What a test may need beyond that:
//! - [`ServerOptions`]: settings, environment (`FAILPOINTS`), a program to run under (`strace -D …`, `prlimit …`);
//! - [`Server::kill`], [`Server::signal`], [`Server::wait_for_exit`], [`Server::wait_for_line`];
//! - [`DataFolder::snapshot`]: every file and folder below `data/` and the rows of every table, to compare before and after;
//! - [`Client::send`] for any request, [`Form`] for multipart bodies, [`Client::connect`] for a raw socket.
//!
//! Every wait is bounded by [`PATIENCE`] and panics with the server's own output when it runs out.

mod client;
mod command;
mod data;
mod picture;
mod server;

pub(crate) use client::{Client, Form, Request, Response, task_id};
pub(crate) use command::{pixmill, run};
pub(crate) use data::{DataFolder, Snapshot};
pub(crate) use picture::Gray;
pub(crate) use server::{Server, ServerOptions};

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest any wait of a test takes before the test fails. Generous: only a defect reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The path of a file below the repository's `testdata/`.
pub(crate) fn testdata_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// A file below the repository's `testdata/`.
pub(crate) fn testdata(name: &str) -> Vec<u8> {
    let path = testdata_path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Looks until `probe` finds something. For what another process does and no event of ours announces: files, rows,
/// exits. Panics with `what` when [`PATIENCE`] runs out.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "gave up waiting: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
