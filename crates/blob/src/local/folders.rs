//! The folders an upload makes: who must sync them, and who removes them again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{make_folder, remove_if_empty, sync_folder};
use crate::error::DiskError;

/// Folders whose own entry may not have reached the disk yet, with the number of uploads that will see to it.
///
/// An upload that finds a folder made a moment ago by another one must not rely on the other's sync: it may be
/// acknowledged first.
#[derive(Debug, Default)]
pub(super) struct Unsynced(Mutex<HashMap<PathBuf, usize>>);

impl Unsynced {
    fn folders(&self) -> MutexGuard<'_, HashMap<PathBuf, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces that `folder` may be made. Must come before making it, so that whoever finds it there finds the
    /// claim as well.
    fn claim(self: &Arc<Self>, folder: &Path) -> Claim {
        let mut folders = self.folders();
        let claims = folders.entry(folder.to_owned()).or_default();
        *claims += 1;
        Claim {
            shared: *claims > 1,
            folder: folder.to_owned(),
            unsynced: Arc::clone(self),
        }
    }
}

/// One upload's interest in a folder's entry, until it is synced or given up.
#[derive(Debug)]
struct Claim {
    unsynced: Arc<Unsynced>,
    folder: PathBuf,
    /// Another upload had claimed the folder before.
    shared: bool,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut folders = self.unsynced.folders();
        if let Some(claims) = folders.get_mut(&self.folder) {
            *claims -= 1;
            if *claims == 0 {
                folders.remove(&self.folder);
            }
        }
    }
}

/// A folder whose entry this upload must sync.
#[derive(Debug)]
struct Fresh {
    claim: Claim,
    /// This very upload made it, so it removes it again when it gives up.
    made: bool,
}

/// The folder a blob lies in, and what must be synced above it.
#[derive(Debug)]
pub(super) struct Folders {
    /// The folder of the blob itself.
    leaf: PathBuf,
    /// From the top down.
    fresh: Vec<Fresh>,
    /// Removes what was made on drop.
    abandoned: bool,
}

impl Folders {
    /// Makes `chain`, given from the top down, where it is missing. The parent of the first must exist.
    pub(super) fn make<const N: usize>(unsynced: &Arc<Unsynced>, chain: [&Path; N]) -> Result<Self, DiskError> {
        let leaf = chain.last().copied().unwrap_or(Path::new(""));
        let mut folders = Self {
            leaf: leaf.to_owned(),
            fresh: Vec::with_capacity(N),
            abandoned: true,
        };
        for folder in chain {
            let claim = unsynced.claim(folder);
            let made = make_folder(folder)?;
            if made || claim.shared {
                folders.fresh.push(Fresh { claim, made });
            }
        }
        Ok(folders)
    }

    /// Makes the entries of the leaf durable, and those of every folder above that got a new one.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        sync_folder(&self.leaf)?;
        for fresh in self.fresh.iter().rev() {
            if let Some(parent) = fresh.claim.folder.parent() {
                sync_folder(parent)?;
            }
        }
        Ok(())
    }

    /// Leaves the folders in place.
    pub(super) fn keep(mut self) {
        self.abandoned = false;
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        if self.abandoned {
            for fresh in self.fresh.iter().rev().filter(|fresh| fresh.made) {
                remove_if_empty(&fresh.claim.folder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parents that `folders` would sync, as names.
    fn to_sync(folders: &Folders) -> Vec<&Path> {
        folders
            .fresh
            .iter()
            .filter_map(|fresh| fresh.claim.folder.parent())
            .collect()
    }

    #[test]
    fn a_folder_is_synced_by_everyone_who_may_be_acknowledged_before_its_maker() {
        let root = tempfile::tempdir().unwrap();
        let (task, leaf) = (root.path().join("task"), root.path().join("task/in"));
        let unsynced = Arc::default();

        let maker = Folders::make(&unsynced, [&task, &leaf]).unwrap();
        let second = Folders::make(&unsynced, [&task, &leaf]).unwrap();
        assert_eq!(to_sync(&maker), [root.path(), &task]);
        assert_eq!(to_sync(&second), [root.path(), &task]);

        // The maker gives up: the folders stay as they are, the second still answers for them.
        let blob = leaf.join("blob");
        std::fs::write(&blob, "").unwrap();
        drop(maker);
        let third = Folders::make(&unsynced, [&task, &leaf]).unwrap();
        assert_eq!(to_sync(&third), [root.path(), &task]);
        second.keep();
        third.keep();

        let later = Folders::make(&unsynced, [&task, &leaf]).unwrap();
        assert!(to_sync(&later).is_empty(), "{later:?}");
        drop(later);
        assert!(blob.exists());
        assert!(unsynced.folders().is_empty());
    }

    #[test]
    fn giving_up_removes_only_what_was_made_and_is_empty() {
        let root = tempfile::tempdir().unwrap();
        let (task, leaf) = (root.path().join("task"), root.path().join("task/in"));
        std::fs::create_dir(&task).unwrap();
        let unsynced = Arc::default();
        drop(Folders::make(&unsynced, [&task, &leaf]).unwrap());
        assert!(task.exists());
        assert!(!leaf.exists());
    }
}
