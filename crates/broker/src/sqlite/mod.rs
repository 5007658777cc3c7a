//! The broker of one machine: an SQLite file that survives crashes and that several processes may share.
//!
//! Everything that writes goes through one thread ([`writer`]), reads have threads of their own ([`readers`]), and a
//! third keeps the write-ahead log short ([`checkpoint`]). Beside the file lie `workers/`, whose locks tell which
//! workers are alive ([`worker_locks`]), and `peers/`, through whose sockets processes wake each other ([`peers`]).

mod backup;
#[cfg(test)]
mod bare;
mod call;
mod checkpoint;
mod connection;
mod errno;
mod error;
mod filesystem;
#[cfg(test)]
mod growth;
mod in_use;
mod operations;
mod peers;
mod place;
mod readers;
mod rows;
mod schema;
mod service;
#[cfg(test)]
mod shared_fate;
mod stage;
mod step;
mod watch;
mod worker_locks;
mod writer;

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use pixmill_types::DiskSync;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

pub use backup::BackupReport;
pub use error::OpenError;

use crate::hub::{self, Hub};
use crate::{BrokerError, BrokerOptions, changes};
use call::Operation;
use checkpoint::{Checkpointer, Log};
use connection::Role;
use error::Stopped;
use in_use::InUse;
use peers::{Announcer, Listener};
use place::Place;
use readers::Readers;
use step::{Outcome, Step};
use worker_locks::WorkerLocks;
use writer::{Foreign, Heard, MAX_WAITING, Message, Waiting, Writer};

/// As of the images: the owner reads and writes, the group reads. SQLite makes its files so, too, by
/// SQLITE_DEFAULT_FILE_PERMISSIONS in .cargo/config.toml.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// Leases one step of the reaper expires when the database is opened.
const REAPED_AT_ONCE: usize = 500;

/// A [`Broker`](crate::Broker) and [`Registry`](crate::Registry) in an SQLite file.
///
/// What it acknowledges is on the disk. Any number of processes of one machine may have the same file open.
///
/// Dropping it lets the requests under way finish, then joins its threads and closes the file: that blocks for about
/// as long as one commit.
#[derive(Debug)]
pub struct SqliteBroker {
    path: PathBuf,
    options: BrokerOptions,
    hub: Arc<Hub>,
    log: Arc<Log>,
    places: Arc<Semaphore>,
    inbox: Option<SyncSender<Message>>,
    listener: Option<Listener>,
    readers: Option<Readers>,
    writer: Option<JoinHandle<()>>,
    checkpointer: Option<Checkpointer>,
    _in_use: InUse,
}

impl SqliteBroker {
    /// Opens the database at `path`, and makes it, and its folder, when there is none. Leases of workers of this
    /// machine that are gone expire at once.
    ///
    /// Blocks on the disk: call it before the runtime starts, or where blocking is allowed.
    ///
    /// # Errors
    /// [`OpenError`], each with the reason and what to do about it.
    pub fn open(path: &Path, options: BrokerOptions) -> Result<Self, OpenError> {
        schema::check_library()?;
        let folder = folder_of(path);
        make_folder(folder)?;
        filesystem::check(folder, path)?;
        let in_use = InUse::shared(path)?;
        let mut connection = open_database(path, &options)?;
        let (log, checkpointer) = checkpoint::start(path, &mut connection)?;
        let readers = Readers::start(path)?;
        let workers = folder.join("workers");
        make_folder(&workers)?;

        let hub = Arc::new(Hub::default());
        let heard = Arc::new(Heard::default());
        // One place beyond all requests: for word from other processes.
        let (inbox, requests) = sync_channel(MAX_WAITING + 1);
        let foreign = Foreign::new(inbox.clone(), Arc::clone(&heard));
        let (announcer, listener) = join_peers(&folder.join("peers"), Arc::clone(&hub), foreign)?;
        let place = Place::of(path).map_err(|source| OpenError::Io {
            action: "find",
            path: path.to_owned(),
            source,
        })?;
        let mut writer = Writer {
            connection,
            place,
            options: options.clone(),
            locks: WorkerLocks::new(workers),
            inbox: requests,
            heard,
            hub: Arc::clone(&hub),
            announcer,
            log: Arc::clone(&log),
            waiting: Waiting::default(),
        };
        reap_the_gone(&mut writer);
        if let Err(error) = writer.locks.forget_the_gone() {
            tracing::debug!(%error, "lock files of dead workers stay behind");
        }
        let writer = thread::Builder::new()
            .name("pixmill-write".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| OpenError::Io {
                action: "start a thread for",
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            path: path.to_owned(),
            options,
            hub,
            log,
            places: Arc::new(Semaphore::new(MAX_WAITING)),
            inbox: Some(inbox),
            listener,
            readers: Some(readers),
            writer: Some(writer),
            checkpointer: Some(checkpointer),
            _in_use: in_use,
        })
    }

    /// How many transactions of this broker have written something since it was opened. Fewer than requests, since
    /// those that come at the same time share one.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.log.commits()
    }

    /// Copies the database, as it is at one moment, to a new file `target`, while it is in use.
    ///
    /// Blocks, as [`SqliteBroker::backup_file`] does.
    ///
    /// # Errors
    /// As [`SqliteBroker::backup_file`].
    pub fn backup(&self, target: &Path) -> Result<BackupReport, OpenError> {
        backup::backup(&self.path, target)
    }

    /// Copies the database `source`, as it is at one moment, to a new file `target`, while any number of processes
    /// work on it. The copy appears whole or not at all, checked and on the disk.
    ///
    /// Blocks on the disk for as long as the copying takes; nobody who uses the database has to wait for it.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Io`] with `AlreadyExists` when there is a file `target`.
    pub fn backup_file(source: &Path, target: &Path) -> Result<BackupReport, OpenError> {
        backup::backup(source, target)
    }

    /// Replaces the database `target` by the backup `source`, after it was checked; `source` stays as it is.
    ///
    /// Cursors of the event log that were handed out before lead to a gap, never to wrong events. Tasks that were
    /// under way when the backup was made run again.
    ///
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when a broker has `target` open, [`OpenError::Damaged`], [`OpenError::Foreign`] and
    /// [`OpenError::Newer`] when `source` is no good; then `target` is as it was.
    pub fn restore(source: &Path, target: &Path) -> Result<BackupReport, OpenError> {
        backup::restore(source, target)
    }

    fn readers(&self) -> Result<&Readers, BrokerError> {
        Ok(self.readers.as_ref().ok_or(Stopped)?)
    }

    /// Runs an operation in the writer's next transaction; returns when it is durable.
    async fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        run: impl FnOnce(&mut Step<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, BrokerError> {
        let (operation, answer) = Operation::new(name, run);
        self.send(answer, |place| Message::Call(Box::new(operation), place))
            .await
    }

    async fn send<T>(
        &self,
        answer: oneshot::Receiver<Result<T, BrokerError>>,
        message: impl FnOnce(tokio::sync::OwnedSemaphorePermit) -> Message,
    ) -> Result<T, BrokerError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Stopped)?;
        let inbox = self.inbox.as_ref().ok_or(Stopped)?;
        // A place in the channel is free: whoever is in it holds one of as many permits.
        inbox.try_send(message(place)).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)?
    }
}

impl Drop for SqliteBroker {
    fn drop(&mut self) {
        // The listener can reach the writer, so it goes first; the checkpointer's connection, which closes last,
        // empties the log and removes it.
        self.listener = None;
        self.readers = None;
        self.inbox = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the database writer panicked");
        }
        self.checkpointer = None;
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder, and those above it, so that they are there after a power cut.
fn make_folder(folder: &Path) -> Result<(), OpenError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folder(above)?;
    let made = match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        // Another process was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        other => other,
    };
    made.and_then(|()| File::open(above)?.sync_all())
        .map_err(|source| OpenError::Io {
            action: "make the folder",
            path: folder.to_owned(),
            source,
        })
}

fn open_database(path: &Path, options: &BrokerOptions) -> Result<Connection, OpenError> {
    let database = |action| move |source| OpenError::database(action, path, source);
    let mut connection = connection::open(path, Role::Writer).map_err(|source| schema::unreadable(path, source))?;
    if options.sync == DiskSync::Never {
        // Checkpoints still sync, so that a power cut takes the last commits and leaves the database whole.
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(database("set up"))?;
    }
    // Before anything is written: the file may be somebody else's.
    schema::identify(&connection, path)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(database("set up"))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: format!("it cannot have a write-ahead log here, its journal mode stays {mode:?}"),
        });
    }
    schema::migrate(&mut connection, path)?;
    schema::apply_ageing(&mut connection, options).map_err(database("set up"))?;
    Ok(connection)
}

fn join_peers(
    folder: &Path,
    hub: Arc<Hub>,
    foreign: Foreign,
) -> Result<(Option<Announcer>, Option<Listener>), OpenError> {
    make_folder(folder)?;
    let heard = move |changes: changes::Changes| {
        hub.publish(&changes);
        if changes.everything || !changes.queues.is_empty() {
            foreign.tell(changes);
        }
    };
    match peers::join(folder, heard) {
        Ok((announcer, listener)) => Ok((Some(announcer), Some(listener))),
        Err(error) => {
            // The writer still looks at the database now and then.
            tracing::warn!(%error, folder = %folder.display(), "other processes cannot wake this one at once");
            Ok((None, None))
        }
    }
}

fn reap_the_gone(writer: &mut Writer) {
    loop {
        match writer.now("reap", |step| operations::reap::reap(step, REAPED_AT_ONCE)) {
            Ok(reaped) => {
                reaped.log();
                if reaped.attempts() < REAPED_AT_ONCE {
                    return;
                }
            }
            Err(error) => {
                // The reaper tries again soon, and says so to whoever asked it.
                tracing::warn!(%error, "leases of dead workers could not be ended on opening");
                return;
            }
        }
    }
}
