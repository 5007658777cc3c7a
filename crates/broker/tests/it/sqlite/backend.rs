//! SQLite brokers for the conformance suite: opened again, crashed, and shared.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use pixmill_broker::{BrokerOptions, SqliteBroker};
use tempfile::TempDir;

use super::alternating::Alternating;
use crate::conformance::{Backend, Opened};

/// Workers of the suite.
const WORKERS: [&str; 2] = ["host-1-aa", "host-2-bb"];

/// Where a database is, with the locks of the suite's workers held, as their own processes would hold them while a
/// broker goes away and comes back.
struct Home {
    folder: TempDir,
    _workers: Vec<File>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workers = folder.path().join("workers");
        fs::create_dir(&workers).unwrap();
        let hold = |worker: &str| {
            let file = File::create(workers.join(format!("{worker}.lock"))).unwrap();
            file.lock_shared().unwrap();
            file
        };
        Self {
            _workers: WORKERS.iter().map(|worker| hold(worker)).collect(),
            folder,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("pixmill.db")
    }
}

fn opened(broker: SqliteBroker) -> Opened {
    let broker = Arc::new(broker);
    Opened {
        broker: broker.clone(),
        registry: broker,
    }
}

/// A database that is closed and opened again by the same process.
pub(crate) struct ReopeningBackend {
    home: Home,
}

impl ReopeningBackend {
    pub(crate) fn new() -> Self {
        Self { home: Home::new() }
    }
}

#[async_trait]
impl Backend for ReopeningBackend {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        opened(SqliteBroker::open(&self.home.database(), options).unwrap())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A database of which, each time, only that is left which a killed process leaves: the file and its log as they are
/// on the disk at that moment, never closed.
pub(crate) struct CrashingBackend {
    home: Home,
    running: Option<Arc<SqliteBroker>>,
}

impl CrashingBackend {
    pub(crate) fn new() -> Self {
        Self {
            home: Home::new(),
            running: None,
        }
    }
}

#[async_trait]
impl Backend for CrashingBackend {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        if let Some(running) = self.running.take() {
            let next = Home::new();
            copy_crash_image(&self.home.database(), &next.database());
            drop(running);
            self.home = next;
        }
        let broker = Arc::new(SqliteBroker::open(&self.home.database(), options).unwrap());
        // Keeps the database open when the case lets go of it: it is crashed, not closed.
        self.running = Some(broker.clone());
        Opened {
            broker: broker.clone(),
            registry: broker,
        }
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn copy_crash_image(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    let log = |database: &Path| database.with_extension("db-wal");
    fs::copy(log(from), log(to)).unwrap();
}

/// A database that two brokers have open: every other call goes to the other one.
pub(crate) struct SharedBackend {
    home: Home,
}

impl SharedBackend {
    pub(crate) fn new() -> Self {
        Self { home: Home::new() }
    }
}

#[async_trait]
impl Backend for SharedBackend {
    async fn open(&mut self, options: BrokerOptions) -> Opened {
        let open = || SqliteBroker::open(&self.home.database(), options.clone()).unwrap();
        let broker = Arc::new(Alternating::new([open(), open()]));
        Opened {
            broker: broker.clone(),
            registry: broker,
        }
    }

    fn is_durable(&self) -> bool {
        true
    }
}
