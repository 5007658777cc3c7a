//! Idempotency keys: which task came of which, until they are forgotten.

use std::collections::{HashMap, VecDeque};

use pixmill_types::{IdempotencyKey, TaskId, Timestamp};

use crate::Idempotency;

/// What a key was used for.
#[derive(Debug, Clone)]
pub(super) struct Used {
    /// The request it was used with.
    pub(super) idempotency: Idempotency,
    /// What came of it.
    pub(super) task: TaskId,
    expires_at: Timestamp,
}

/// The keys in use.
#[derive(Debug, Default)]
pub(super) struct Keys {
    used: HashMap<IdempotencyKey, Used>,
    // All keys live equally long, so they expire in the order in which they came.
    expiring: VecDeque<(Timestamp, IdempotencyKey)>,
}

impl Keys {
    /// What `key` was used for, unless that is forgotten.
    pub(super) fn get(&self, key: &IdempotencyKey, now: Timestamp) -> Option<&Used> {
        self.used.get(key).filter(|used| used.expires_at > now)
    }

    /// Remembers until `expires_at` that `task` came of `idempotency`.
    pub(super) fn remember(&mut self, idempotency: Idempotency, task: TaskId, expires_at: Timestamp) {
        let key = idempotency.key.clone();
        self.expiring.push_back((expires_at, key.clone()));
        let used = Used {
            idempotency,
            task,
            expires_at,
        };
        self.used.insert(key, used);
    }

    /// Forgets up to `limit` expired keys; returns how many.
    pub(super) fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        for purged in 0..limit {
            let Some((_, key)) = self.expiring.pop_front_if(|(time, _)| *time <= now) else {
                return purged;
            };
            // A key that was forgotten and used again stays until its later time.
            if self.used.get(&key).is_some_and(|used| used.expires_at <= now) {
                self.used.remove(&key);
            }
        }
        limit
    }
}
