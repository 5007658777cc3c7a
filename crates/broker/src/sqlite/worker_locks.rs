//! File locks that tell whether a worker's process is alive: the kernel lets go of them however a process ends.
//!
//! A worker's process holds its file shared; a reaper that gets it exclusively knows that nobody holds it. A lock of
//! this process counts as held, since every open of the file is a holder of its own.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pixmill_types::WorkerId;

use super::FILE_MODE;
use super::place::identity_of;

/// Ends the name of a lock file, after the worker's.
const SUFFIX: &str = ".lock";

/// How often opening is tried again when the file was deleted in between. Each turn needs another reaper to win a
/// race of microseconds.
const MAX_RACES: usize = 100;

/// The locks of the workers that claim through one broker.
#[derive(Debug)]
pub(super) struct WorkerLocks {
    folder: PathBuf,
    held: HashMap<WorkerId, File>,
}

impl WorkerLocks {
    /// Locks in `folder`, which exists.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            held: HashMap::new(),
        }
    }

    /// Makes sure that `worker` is seen to be alive until this value is dropped.
    pub(super) fn hold(&mut self, worker: &WorkerId) -> io::Result<()> {
        if !self.held.contains_key(worker) {
            let file = lock_shared(&self.path(worker))?;
            self.held.insert(worker.clone(), file);
        }
        Ok(())
    }

    /// Whether no process holds the lock of `worker`. Then its file is deleted, too.
    pub(super) fn is_gone(&self, worker: &WorkerId) -> io::Result<bool> {
        let path = self.path(worker);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {
                // Whoever opened the file before it is deleted finds, once it has the lock, that the path leads
                // elsewhere, and starts again.
                remove_if_same(&path, &file)?;
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Deletes the lock files of workers that are gone. One that held no lease when it died has nobody else who would
    /// ask for it.
    pub(super) fn forget_the_gone(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let worker = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(worker) = worker.and_then(|worker| worker.parse().ok()) {
                self.is_gone(&worker)?;
            }
        }
        Ok(())
    }

    fn path(&self, worker: &WorkerId) -> PathBuf {
        self.folder.join(format!("{worker}{SUFFIX}"))
    }
}

impl Drop for WorkerLocks {
    fn drop(&mut self) {
        for (worker, file) in self.held.drain() {
            let path = self.folder.join(format!("{worker}{SUFFIX}"));
            // Tidies up after a clean end. A file that stays behind is deleted by the next reaper that meets it.
            let alone = file.unlock().is_ok() && file.try_lock().is_ok();
            if alone && let Err(error) = remove_if_same(&path, &file) {
                tracing::debug!(error = %error, path = %path.display(), "a worker's lock file stays behind");
            }
        }
    }
}

fn lock_shared(path: &Path) -> io::Result<File> {
    for _ in 0..MAX_RACES {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(path)?;
        // Waits only for a reaper that looks at this very moment.
        file.lock_shared()?;
        if is_same(path, &file)? {
            return Ok(file);
        }
    }
    Err(io::Error::other("the lock file was deleted again and again"))
}

fn remove_if_same(path: &Path, locked: &File) -> io::Result<()> {
    if is_same(path, locked)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn is_same(path: &Path, file: &File) -> io::Result<bool> {
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok(identity_of(&found) == identity_of(&opened)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_gone_when_nobody_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let locks = || WorkerLocks::new(folder.path().to_owned());
        let worker: WorkerId = "host-1-a".parse().unwrap();
        let reaper = locks();
        assert!(reaper.is_gone(&worker).unwrap(), "it never was there");

        let (mut first, mut second) = (locks(), locks());
        first.hold(&worker).unwrap();
        second.hold(&worker).unwrap();
        assert!(!reaper.is_gone(&worker).unwrap());
        assert!(!first.is_gone(&worker).unwrap(), "a lock of one's own counts");
        drop(first);
        assert!(!reaper.is_gone(&worker).unwrap(), "one of two holders is left");
        drop(second);
        assert!(reaper.is_gone(&worker).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_file_left_by_a_crash_is_deleted_by_who_finds_it_free() {
        let folder = tempfile::tempdir().unwrap();
        let worker: WorkerId = "host-1-a".parse().unwrap();
        fs::write(folder.path().join("host-1-a.lock"), b"").unwrap();
        let mut locks = WorkerLocks::new(folder.path().to_owned());
        assert!(locks.is_gone(&worker).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        locks.hold(&worker).unwrap();
        assert!(!locks.is_gone(&worker).unwrap());
    }
    #[test]
    fn lock_files_of_the_dead_are_forgotten_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host-1-dead.lock", "host-2-dead.lock", "notes.txt", "not a worker.lock"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        let locks = || WorkerLocks::new(folder.path().to_owned());
        let mut living = locks();
        living.hold(&"host-3-alive".parse().unwrap()).unwrap();
        locks().forget_the_gone().unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["host-3-alive.lock", "not a worker.lock", "notes.txt"]);
    }
}
