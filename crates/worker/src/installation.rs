//! Sees to it that broker and storage belong together.
//!
//! Files without a record are deleted. A broker that was emptied, or another one by mistake, has a record of none; a storage
//! that is not the others' has none of their uploads. So the first process of an installation notes the same id in both, and
//! whoever finds two that do not match neither starts nor sweeps.

use pixmill_blob::{BlobError, BlobStore};
use pixmill_broker::{BrokerError, Expected, PutOutcome, Registry};
use pixmill_types::{InstallationId, InvalidId};

const NAMESPACE: &str = "installation";
/// Holds the id.
const ID: &str = "id";
/// Is there once the storage has noted the id.
const NOTED: &str = "noted";

/// Where the broker keeps its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerPlace {
    /// In the process, which forgets them. Storage that is noted to be another's is left alone.
    Process,
    /// In the folder in which the files are: they cannot be apart, only one of them be lost.
    BesideFiles,
    /// Anywhere else.
    Apart,
}

/// Why broker and storage are not known to belong together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallationError {
    /// The files are those of tasks in another broker.
    #[error(
        "the files there belong to the tasks of installation {storage}, the broker is that of {broker}: its settings may be \
         wrong, or its tasks lost. To go on without the old tasks delete `installation` there; their files are then deleted \
         once they are older than `sweep_age`"
    )]
    OtherBroker {
        /// What the storage says.
        storage: InstallationId,
        /// What the broker says.
        broker: InstallationId,
    },
    /// The files of this broker's tasks lie in another storage.
    #[error(
        "the files of this broker's tasks (installation {broker}) lie elsewhere: every process needs the same folder or \
         bucket. If all files have moved there, bring `installation` along"
    )]
    OtherStorage {
        /// What the broker says.
        broker: InstallationId,
    },
    /// What the broker has is no id.
    #[error("the broker's id of the installation cannot be read")]
    Unreadable(#[source] InvalidId),
    /// The broker does not answer.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The storage does not answer.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Checks that the broker whose `registry` this is and the storage belong together, and joins them when both are new. A broker
/// that forgets its tasks goes with any.
///
/// # Errors
/// [`InstallationError`].
///
/// # Cancel safety
/// May be dropped and called again, also by many at once.
pub async fn check_installation(
    registry: &dyn Registry,
    place: BrokerPlace,
    blobs: &BlobStore,
) -> Result<(), InstallationError> {
    if place == BrokerPlace::Process {
        return Ok(());
    }
    let broker = broker_id(registry).await?;
    // In this order: whoever sees that it was noted must not have looked into the storage before.
    let was_noted = registry.get(NAMESPACE, NOTED).await?.is_some();
    match blobs.installation().await? {
        Some(storage) if storage != broker => return Err(InstallationError::OtherBroker { storage, broker }),
        Some(_) if was_noted => return Ok(()),
        Some(_) => {}
        None if was_noted && place == BrokerPlace::Apart => return Err(InstallationError::OtherStorage { broker }),
        None => {
            // Asked of whoever writes: a database that is no longer at its place leaves no note in what took it.
            let value = broker.to_string().into_bytes();
            registry.put_if(NAMESPACE, ID, value, Expected::Absent, None).await?;
            blobs.note_installation(broker).await?;
        }
    }
    registry
        .put_if(NAMESPACE, NOTED, Vec::new(), Expected::Any, None)
        .await?;
    Ok(())
}

/// The broker's id, made when it has none.
async fn broker_id(registry: &dyn Registry) -> Result<InstallationId, InstallationError> {
    let entry = match registry.get(NAMESPACE, ID).await? {
        Some(entry) => entry,
        None => {
            let id = InstallationId::generate();
            let value = id.to_string().into_bytes();
            match registry.put_if(NAMESPACE, ID, value, Expected::Absent, None).await? {
                PutOutcome::Found(Some(entry)) => entry,
                PutOutcome::Stored(_) | PutOutcome::Found(None) => return Ok(id),
            }
        }
    };
    let text = String::from_utf8_lossy(&entry.value);
    text.parse().map_err(InstallationError::Unreadable)
}
