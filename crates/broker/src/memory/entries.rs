//! The registry's entries.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use pixmill_types::Timestamp;

use crate::{Entry, Expected, PutOutcome};

/// Entries by namespace and key.
#[derive(Debug, Default)]
pub(super) struct Entries {
    by_name: BTreeMap<(String, String), Entry>,
    /// One counter for all keys, so that a version does not come back after its key was deleted.
    last_version: u64,
}

impl Entries {
    /// The entry, unless it has expired.
    pub(super) fn get(&self, name: &(String, String), now: Timestamp) -> Option<&Entry> {
        self.by_name.get(name).filter(|entry| is_live(entry, now))
    }

    /// Writes when `expected` holds.
    pub(super) fn put_if(
        &mut self,
        name: (String, String),
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
        now: Timestamp,
    ) -> PutOutcome {
        let found = self.get(&name, now);
        if !holds(expected, found) {
            return PutOutcome::Found(found.cloned());
        }
        self.last_version += 1;
        let entry = Entry {
            value,
            version: self.last_version,
            expires_at: ttl.map(|ttl| now.after(ttl)),
        };
        self.by_name.insert(name, entry);
        PutOutcome::Stored(self.last_version)
    }

    /// Entries of `namespace` whose keys follow `after`, in order.
    pub(super) fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Vec<(String, Entry)> {
        let name = |key: &str| (namespace.to_owned(), key.to_owned());
        let from = after.map_or_else(|| Bound::Included(name("")), |key| Bound::Excluded(name(key)));
        self.by_name
            .range((from, Bound::Unbounded))
            .take_while(|((found, _), _)| found == namespace)
            .filter(|(_, entry)| is_live(entry, now))
            .take(limit)
            .map(|((_, key), entry)| (key.clone(), entry.clone()))
            .collect()
    }

    /// Deletes when there is an entry and `expected` holds; returns whether it did.
    pub(super) fn delete(&mut self, name: &(String, String), expected: Expected, now: Timestamp) -> bool {
        let found = self.get(name, now);
        let is_due = found.is_some() && holds(expected, found);
        if is_due {
            self.by_name.remove(name);
        }
        is_due
    }

    /// Forgets up to `limit` expired entries; returns how many.
    pub(super) fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        let expired = self.by_name.extract_if(.., |_, entry| !is_live(entry, now));
        expired.take(limit).count()
    }
}

fn is_live(entry: &Entry, now: Timestamp) -> bool {
    entry.expires_at.is_none_or(|time| time > now)
}

fn holds(expected: Expected, found: Option<&Entry>) -> bool {
    match expected {
        Expected::Any => true,
        Expected::Absent => found.is_none(),
        Expected::Version(version) => found.is_some_and(|entry| entry.version == version),
    }
}
