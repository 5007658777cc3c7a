//! A small durable key-value store for what is not a task: workers, API keys, quarantine, result cache, upload state.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use pixmill_types::Timestamp;

use crate::BrokerError;

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes, at most 64 KiB.
    pub value: Vec<u8>,
    /// Changes with every write of this key and never repeats for it, not even after a deletion.
    pub version: u64,
    /// When it vanishes; `None` stays.
    pub expires_at: Option<Timestamp>,
}

/// What a conditional write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything or nothing.
    Any,
    /// Nothing, or an entry that has expired.
    Absent,
    /// The entry of exactly this version.
    Version(u64),
}

/// What a conditional write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// Stored, under this version.
    Stored(u64),
    /// Left alone, since this was found instead.
    Found(Option<Entry>),
}

/// Values by namespace and key. Names are at most 64 bytes, keys at most 256 bytes.
///
/// # Cancel safety
/// Dropping a future leaves open whether its write happened, and never a half of it.
#[async_trait]
pub trait Registry: Send + Sync + fmt::Debug {
    /// Reads one entry; expired ones do not exist.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>, BrokerError>;

    /// Writes one entry when `expected` holds, in one atomic step.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`], [`BrokerError::StorageFull`].
    async fn put_if(
        &self,
        namespace: &str,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> Result<PutOutcome, BrokerError>;

    /// Up to `limit` entries whose keys follow `after`, in the order of their keys.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn list(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, BrokerError>;

    /// Deletes one entry when `expected` holds; returns whether it was there and is gone.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    async fn delete(&self, namespace: &str, key: &str, expected: Expected) -> Result<bool, BrokerError>;
}
