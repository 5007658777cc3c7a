//! A pixmill of our own to measure: a child process over a fresh data folder.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::config::this_program;

/// A running server; ended when dropped.
///
/// Its folder stays until the whole run is over: while files are deleted, file systems that discard their blocks answer
/// `fsync` late, and for five minutes afterwards ext4 makes new ones slowly (`recently_deleted` in fs/ext4/ialloc.c).
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts this program with `settings` over a new folder below `scratch`.
    pub(super) fn start(scratch: &Path, settings: &[&str]) -> anyhow::Result<Self> {
        let data = TempDir::with_prefix_in("data-", scratch).context("cannot make a data folder")?;
        let program = this_program().context("cannot tell which program this is")?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--data"])
            .arg(data.keep())
            .args(settings)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .context("cannot read what the server says")?;
        let Some((_, address)) = line.trim().rsplit_once("http://") else {
            let _already_ended = child.kill();
            bail!("the server said {line:?} instead of where it listens");
        };
        let address = address.parse().with_context(|| format!("{address:?} is no address"))?;
        Ok(Self { child, address })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data will be thrown away: there is nothing to drain.
        let _already_ended = self.child.kill();
        let _already_reaped = self.child.wait();
    }
}
