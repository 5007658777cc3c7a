//! Deletion. Not synced: what a power cut brings back has no record any more and is swept by age.

use std::fs;
use std::io;
use std::path::Path;

use pixmill_types::{LeaseId, TaskId};

use super::{Disk, remove_if_empty, unless_missing};
use crate::BlobKey;
use crate::error::DiskError;
use crate::key::{lease_folder, task_folder};

/// How often a folder is emptied again when somebody writes into it meanwhile.
const ATTEMPTS: usize = 16;

impl Disk {
    /// Deletes one blob, and its folder and its task's folder when they become empty.
    pub(crate) fn delete(&self, key: &BlobKey) -> Result<(), DiskError> {
        let path = self.path(key);
        unless_missing(fs::remove_file(&path)).map_err(DiskError::at("delete", &path))?;
        // The blob's folder and the task's: the shard above stays.
        for folder in path.ancestors().skip(1).take(2) {
            remove_if_empty(folder);
        }
        Ok(())
    }

    /// Deletes what one attempt delivered.
    pub(crate) fn delete_lease(&self, task: TaskId, lease: LeaseId) -> Result<(), DiskError> {
        remove_tree(&self.root.join(lease_folder(task, lease)))?;
        remove_if_empty(&self.root.join(task_folder(task)));
        Ok(())
    }

    /// Deletes all that belongs to a task, staging files included.
    pub(crate) fn delete_task(&self, task: TaskId) -> Result<(), DiskError> {
        remove_tree(&self.root.join(task_folder(task)))
    }
}

fn remove_tree(folder: &Path) -> Result<(), DiskError> {
    let mut result = Ok(());
    for _ in 0..ATTEMPTS {
        result = unless_missing(fs::remove_dir_all(folder));
        match &result {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            _ => break,
        }
    }
    result.map_err(DiskError::at("delete", folder))
}
