//! A data folder of a server, seen from outside: its files and the rows of its database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// A folder for `--data`, removed at the end. Outlives servers, so that one can be killed and another started on it.
#[derive(Debug)]
pub(crate) struct DataFolder {
    // Held for its Drop.
    _parent: TempDir,
    path: PathBuf,
}

/// What lies in a data folder. Equal snapshots mean that nothing stray came into being.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Every file and folder, relative; folders end with `/`, files of the store with their size. The database's own
    /// files (`pixmill.db-wal` and so on) come and go with connections and are left out.
    pub(crate) entries: BTreeSet<String>,
    /// Rows of every table.
    pub(crate) rows: BTreeMap<String, u64>,
}

impl DataFolder {
    /// A folder that does not exist yet, in a new temporary one.
    pub(crate) fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        Self { _parent: parent, path }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database of a server with `--broker sqlite`.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("pixmill.db")
    }

    /// Everything below the folder.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            entries: self.entries(),
            rows: self.row_counts(),
        }
    }

    /// The files below `tasks/`, relative to the data folder, with `/` between the parts.
    pub(crate) fn task_files(&self) -> Vec<String> {
        let entries = self.entries();
        let is_file = |entry: &&String| entry.starts_with("tasks/") && !entry.ends_with('/');
        let path_of = |entry: &String| entry.split(' ').next().unwrap_or_default().to_owned();
        entries.iter().filter(is_file).map(path_of).collect()
    }

    /// The rows of every table.
    pub(crate) fn row_counts(&self) -> BTreeMap<String, u64> {
        let database = self.open_database();
        let mut statement = database
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .unwrap();
        let names: Vec<String> = statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let count = |name: String| {
            let query = format!("SELECT count(*) FROM \"{name}\"");
            let rows: i64 = database.query_row(&query, [], |row| row.get(0)).unwrap();
            (name, rows as u64)
        };
        names.into_iter().map(count).collect()
    }

    /// Opens the database for reading, beside the server that runs on it or after it is gone.
    pub(crate) fn open_database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(self.database(), flags).unwrap();
        database.busy_timeout(super::PATIENCE).unwrap();
        database
    }

    /// The files and folders of a [`Snapshot`] alone.
    pub(crate) fn entries(&self) -> BTreeSet<String> {
        let mut entries = BTreeSet::new();
        list(&self.path, &self.path, &mut entries);
        entries
    }
}

fn list(root: &Path, folder: &Path, entries: &mut BTreeSet<String>) {
    // A folder may vanish between its parent's listing and its own: then it is not there.
    let Ok(children) = std::fs::read_dir(folder) else {
        return;
    };
    for child in children.map_while(Result::ok) {
        let path = child.path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if name.starts_with("pixmill.db") || name == "installation" {
            continue;
        }
        let Ok(metadata) = child.metadata() else { continue };
        if metadata.is_dir() {
            entries.insert(format!("{name}/"));
            list(root, &path, entries);
        } else {
            entries.insert(format!("{name} {} bytes", metadata.len()));
        }
    }
}
