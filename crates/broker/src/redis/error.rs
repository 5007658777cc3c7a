//! What can go wrong when a Redis is opened, and what the server's answers mean for a caller of the broker.

use std::path::PathBuf;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::BrokerError;

/// A cause of any kind.
pub(super) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a Redis cannot be the broker.
#[derive(Debug, thiserror::Error)]
pub enum RedisOpenError {
    /// The address cannot be understood.
    #[error("{address:?} is not the address of a Redis: {reason}")]
    Address {
        /// The address, without its password.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificates that were named cannot be read.
    #[error("cannot read the certificates in {}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nobody answers there, or not as a Redis does.
    #[error("cannot reach Redis at {address}{}", other_scheme(address, source.as_ref()))]
    Unreachable {
        /// The address, without its password.
        address: String,
        /// Why.
        #[source]
        source: Source,
    },
    /// The server does not let in who we say we are, or does not let them do what is needed.
    #[error("Redis at {address} refuses: {reason}")]
    Refused {
        /// The address, without its password.
        address: String,
        /// What is missing, and where it is set.
        reason: String,
    },
    /// The server is older than the commands that are needed.
    #[error("Redis at {address} is of version {found}, needed is {required} or later")]
    TooOld {
        /// The address, without its password.
        address: String,
        /// Its version.
        found: String,
        /// The oldest that will do.
        required: &'static str,
    },
    /// The server deletes keys when its memory is full.
    #[error(
        "Redis at {address} has the maxmemory-policy {policy}: when its memory is full it would delete tasks that were \
         acknowledged; set `maxmemory-policy noeviction`"
    )]
    Evicts {
        /// The address, without its password.
        address: String,
        /// Its policy.
        policy: String,
    },
    /// The tasks there lie in another number of partitions.
    #[error(
        "the tasks at {address} lie in {found} partitions, the setting says {wanted}; docs/operations.md says how it is \
         changed"
    )]
    Partitions {
        /// The address, without its password.
        address: String,
        /// As they are.
        found: u32,
        /// As the setting says.
        wanted: u32,
    },
}

impl RedisOpenError {
    /// What an error before the first task means: a refusal is told from an absence.
    pub(super) fn at_start(address: &str, error: RedisError) -> Self {
        let reason = match error.code() {
            Some("NOAUTH") => "it asks for a password and the address has none: write redis://:password@host, or \
                 redis://user:password@host for a user of its own"
                .to_owned(),
            Some("NOPERM") => format!(
                "its user may not do what is needed ({}): docs/operations.md lists the permissions",
                error.detail().unwrap_or_default()
            ),
            code if code == Some("WRONGPASS") || error.kind() == ErrorKind::AuthenticationFailed => {
                "it does not know the user and password of the address".to_owned()
            }
            _ => return Self::unreachable(address, Box::new(error)),
        };
        Self::Refused {
            address: address.to_owned(),
            reason,
        }
    }

    pub(super) fn unreachable(address: &str, source: Source) -> Self {
        Self::Unreachable {
            address: address.to_owned(),
            source,
        }
    }
}

/// What to look at when the error is the one that TLS on one side alone brings about.
fn other_scheme(address: &str, source: &(dyn std::error::Error + 'static)) -> &'static str {
    let error = source.downcast_ref::<RedisError>();
    let Some(error) = error.filter(|_| !address.starts_with("redis+unix")) else {
        return "";
    };
    if address.starts_with("rediss") && error.is_timeout() {
        " (a port without TLS stays silent when it is spoken to in TLS; its scheme is redis instead of rediss)"
    } else if !address.starts_with("rediss") && error.is_connection_dropped() {
        " (a port with TLS hangs up when it is spoken to without; its scheme is rediss instead of redis)"
    } else {
        ""
    }
}

/// What an error of the client means for whoever called the broker.
pub(super) fn broker_error(error: RedisError) -> BrokerError {
    let text = error.to_string();
    if error.code() == Some("CORRUPT") {
        return BrokerError::Corrupt(text);
    }
    let is_full = error.code() == Some("OOM") || (error.code() == Some("MISCONF") && text.contains("No space left"));
    if is_full || text.contains("OOM command not allowed") {
        return BrokerError::StorageFull(Box::new(error));
    }
    // What a server says to long commands before a password, which it was told to ask for meanwhile.
    if text.contains("unauthenticated") {
        return BrokerError::Unavailable(Box::new(error));
    }
    match error.kind() {
        ErrorKind::UnexpectedReturnType | ErrorKind::Parse | ErrorKind::Server(ServerErrorKind::ResponseError) => {
            BrokerError::Corrupt(text)
        }
        _ => BrokerError::Unavailable(Box::new(error)),
    }
}

/// Whether a connection that answered like this is of no more use.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
}
