//! The janitor's walks: one shard at a time, tolerant of everything that comes and goes meanwhile.
//!
//! Only names that parse as ours are looked at: whatever else lies in the data folder is left alone.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use pixmill_types::{LeaseId, TaskId};

use super::stage::STAGING_MARK;
use super::{Disk, remove_if_empty, unless_missing};
use crate::error::DiskError;
use crate::key::{lease_named, task_folder, task_in_shard};

/// The names of all shards.
pub(crate) fn every_shard() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|shard| format!("{shard:02x}"))
}

/// The tasks of `shard` whose files and folders have all been left alone for `age`.
pub(crate) fn tasks_in_shard(disk: &Disk, shard: &str, age: Duration) -> Vec<Result<TaskId, DiskError>> {
    let now = SystemTime::now();
    each_task(disk, shard, |task, folder| {
        let mut newest = None;
        visit(folder, &mut |_, metadata| {
            newest = newest.max(Some(metadata.modified()?));
            Ok(())
        })?;
        let old = newest.is_some_and(|newest| is_old(newest, now, age));
        Ok(old.then_some(task))
    })
}

/// Removes the staging files of `shard` that nobody has written to for `age`, and folders as old that are empty;
/// returns how many files went.
pub(crate) fn sweep_shard(disk: &Disk, shard: &str, age: Duration) -> Result<u64, DiskError> {
    let now = SystemTime::now();
    let mut swept = 0;
    let tasks = each_task(disk, shard, |_, folder| {
        let mut old_folders = Vec::new();
        visit(folder, &mut |path, metadata| {
            if !is_old(metadata.modified()?, now, age) {
                return Ok(());
            }
            if metadata.is_dir() {
                old_folders.push(path.to_owned());
            } else if is_staging(path) {
                unless_missing(fs::remove_file(path))?;
                swept += 1;
            }
            Ok(())
        })?;
        // The task's folder comes first in the visit, so it is removed last.
        old_folders.iter().rev().for_each(|folder| remove_if_empty(folder));
        Ok(None::<()>)
    });
    tasks.into_iter().find_map(Result::err).map_or(Ok(swept), Err)
}

/// The leases that have a folder in that of `task`.
pub(crate) fn leases_of(disk: &Disk, task: TaskId) -> Result<Vec<LeaseId>, DiskError> {
    let folder = disk.root.join(task_folder(task));
    let entries = entries(&folder).map_err(DiskError::at("list", &folder))?;
    Ok(entries
        .iter()
        .filter_map(|entry| entry.file_name().to_str().and_then(lease_named))
        .collect())
}

/// Calls `visitor` for every task's folder in `shard`; what it finds, or what went wrong with that folder.
fn each_task<T>(
    disk: &Disk,
    shard: &str,
    mut visitor: impl FnMut(TaskId, &Path) -> io::Result<Option<T>>,
) -> Vec<Result<T, DiskError>> {
    let folder = disk.tasks().join(shard);
    let entries = match entries(&folder) {
        Ok(entries) => entries,
        Err(error) => return vec![Err(DiskError::new("list", folder, error))],
    };
    let mut found = Vec::new();
    for entry in entries {
        let task = entry.file_name().to_str().and_then(|name| task_in_shard(shard, name));
        let Some(task) = task else { continue };
        match visitor(task, &entry.path()) {
            Ok(Some(value)) => found.push(Ok(value)),
            Ok(None) => {}
            Err(error) => found.push(Err(DiskError::new("look into", entry.path(), error))),
        }
    }
    found
}

/// Calls `visitor` for `folder` and everything below, a folder before what is in it; does not follow links.
fn visit(folder: &Path, visitor: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>) -> io::Result<()> {
    let Some(metadata) = metadata(folder)? else {
        return Ok(());
    };
    visitor(folder, &metadata)?;
    if !metadata.is_dir() {
        return Ok(());
    }
    for entry in entries(folder)? {
        visit(&entry.path(), visitor)?;
    }
    Ok(())
}

/// `None` when it is gone.
fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What lies in `folder`; nothing when it is gone.
fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A time in the future, after the clock was set back, counts as just now.
fn is_old(modified: SystemTime, now: SystemTime, age: Duration) -> bool {
    now.duration_since(modified).unwrap_or_default() >= age
}

fn is_staging(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.rsplit_once(STAGING_MARK))
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
