//! Keeps the write-ahead log short, on a thread and a connection of its own, off the path of commits.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use super::connection::{self, Role};
use super::error::OpenError;

/// Frames in the log from which on it is moved into the database; a frame holds a page, 4 KiB.
const CHECKPOINT_FRAMES: u64 = 2_000;
/// Frames at which the writer is made to wait until the log can start anew.
const RESTART_FRAMES: u64 = 8_000;
/// After this long without commits the log is emptied.
const IDLE: Duration = Duration::from_secs(5);
/// More frames than this behind the newest are left in the log only where a reader needs them.
const BEHIND_FRAMES: u64 = RESTART_FRAMES / 2;
/// Frames from which on the writer waits even for a reader that is in the way: a gigabyte.
const MOST_FRAMES: u64 = 262_144;
/// The longest the writer waits for a checkpoint.
const MAX_STALL: Duration = Duration::from_millis(500);

/// Lets the checkpointer have the database to itself for a moment.
///
/// SQLite's own lock is not fair: a busy writer would take it again and again before the checkpointer wakes up.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// Waits while a checkpoint needs the writer to stand still.
    pub(super) fn pass(&self) {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            // Past the limit the writer goes on: then the checkpoint gives way.
            let _ = self.opened.wait_timeout_while(closed, MAX_STALL, |closed| *closed);
        }
    }

    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        self.opened.notify_all();
    }
}

/// What the writer and the checkpointer know of each other.
#[derive(Debug, Default)]
pub(super) struct Log {
    commits: AtomicU64,
    frames: AtomicU64,
    /// Passed by the writer before each transaction.
    pub(super) gate: Gate,
}

impl Log {
    /// Commits of this broker that wrote something.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

/// What the checkpointer is told.
#[derive(Debug)]
enum Nudge {
    /// The log has grown.
    Shorten,
    /// All other connections are closed, or never came to be.
    Stop,
}

/// The checkpointer's thread. Dropping this ends it, and waits for it: after all other connections are closed, since
/// the last one to close empties the log and removes it, and of two that close at once neither is the last.
#[derive(Debug)]
pub(super) struct Checkpointer {
    nudge: SyncSender<Nudge>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        // Only a thread that is gone already does not take it.
        let _ = self.nudge.send(Nudge::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointer panicked");
        }
    }
}

/// Starts the checkpointer for the database at `path`, to be told by the commits of `writer`.
///
/// # Errors
/// The connection or the thread cannot be made.
pub(super) fn start(path: &Path, writer: &mut Connection) -> Result<(Arc<Log>, Checkpointer), OpenError> {
    let database = |source| OpenError::database("open", path, source);
    let connection = connection::open(path, Role::Checkpointer).map_err(database)?;
    let log = Arc::new(Log::default());
    let (nudge, nudged) = sync_channel::<Nudge>(1);
    watch_commits(writer, Arc::clone(&log), nudge.clone()).map_err(database)?;
    let thread = thread::Builder::new()
        .name("pixmill-checkpoint".to_owned())
        .spawn({
            let log = Arc::clone(&log);
            move || work(&connection, &log, &nudged)
        })
        .map_err(|source| OpenError::Io {
            action: "start a thread for",
            path: path.to_owned(),
            source,
        })?;
    let checkpointer = Checkpointer {
        nudge,
        thread: Some(thread),
    };
    Ok((log, checkpointer))
}

/// Tells the checkpointer of commits for as long as the writer's connection is open.
fn watch_commits(writer: &mut Connection, log: Arc<Log>, nudge: SyncSender<Nudge>) -> rusqlite::Result<()> {
    writer.wal_hook(Some(move |_: &mut Wal, frames: i32| {
        let frames = u64::try_from(frames).unwrap_or(0);
        log.commits.fetch_add(1, Ordering::Relaxed);
        log.frames.store(frames, Ordering::Relaxed);
        if frames >= CHECKPOINT_FRAMES {
            match nudge.try_send(Nudge::Shorten) {
                // One nudge that waits is as good as two; and without a checkpointer the log only grows.
                Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        }
        Ok(())
    }))
}

fn work(connection: &Connection, log: &Log, nudged: &Receiver<Nudge>) {
    // Moves what a crash left in the log. And only a connection that has used the log can remove it on closing.
    checkpoint(connection, CheckpointMode::PASSIVE);
    let mut emptied_at = 0;
    let mut seen = 0;
    let mut restart_from = RESTART_FRAMES;
    loop {
        match nudged.recv_timeout(IDLE) {
            Ok(Nudge::Shorten) => restart_from = shorten(connection, log, restart_from),
            Err(RecvTimeoutError::Timeout) => {
                let commits = log.commits();
                let idle = commits == std::mem::replace(&mut seen, commits);
                if idle && commits != emptied_at && checkpoint(connection, CheckpointMode::TRUNCATE).is_some() {
                    log.frames.store(0, Ordering::Relaxed);
                    emptied_at = commits;
                }
            }
            Ok(Nudge::Stop) | Err(RecvTimeoutError::Disconnected) => {
                // Again, should the first have found the database busy.
                checkpoint(connection, CheckpointMode::PASSIVE);
                return;
            }
        }
    }
}

/// Moves what it can without anybody waiting. A log that has grown to `restart_from` frames all the same, since under load
/// there is always a newer one, is finished while the writer stands still; by then little is left to move. Returns the
/// frames from which on to do so again: where a reader is in the way, such as a backup, the log had better grow, up to
/// [`MOST_FRAMES`], than every commit wait for it in vain.
fn shorten(connection: &Connection, log: &Log, restart_from: u64) -> u64 {
    let Some(found) = checkpoint(connection, CheckpointMode::PASSIVE) else {
        return restart_from;
    };
    if found.in_log < RESTART_FRAMES {
        return RESTART_FRAMES;
    }
    let is_in_vain = found.in_log < restart_from || found.in_log - found.moved > BEHIND_FRAMES;
    if is_in_vain && found.in_log < MOST_FRAMES {
        return restart_from;
    }
    log.gate.set(true);
    let restarted = checkpoint(connection, CheckpointMode::RESTART);
    log.gate.set(false);
    match restarted {
        Some(_) => RESTART_FRAMES,
        None => found.in_log + RESTART_FRAMES,
    }
}

/// What a checkpoint found.
struct Found {
    /// Frames in the log.
    in_log: u64,
    /// How many of them are in the database too.
    moved: u64,
}

/// Runs a checkpoint; `None` when it could not finish. Another process may be at it, and a full disk shows where somebody
/// waits for an answer: here it is enough to try again later.
fn checkpoint(connection: &Connection, mode: CheckpointMode) -> Option<Found> {
    match connection.wal_checkpoint_v2(None::<&str>, mode) {
        Ok((in_log, moved)) => {
            tracing::trace!(in_log, moved, "the write-ahead log was checkpointed");
            Some(Found {
                in_log: u64::try_from(in_log).ok()?,
                moved: u64::try_from(moved).ok()?,
            })
        }
        Err(error) => {
            tracing::debug!(%error, "the write-ahead log could not be checkpointed");
            None
        }
    }
}
