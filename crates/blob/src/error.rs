//! What can go wrong, and which of the callers' three reactions an error of the disk or the store calls for.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use pixmill_types::Causes;

use crate::BlobKey;

/// What can go wrong at the blob store, split by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("there is no blob {0}")]
    NotFound(String),
    /// The storage has no room: nothing was stored, it may heal.
    #[error("the blob store is full")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// The store cannot be reached, or refuses.
    #[error("the blob store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl BlobError {
    pub(crate) fn unavailable(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(reason.into())
    }

    /// An error of reading `key` from an object store.
    pub(crate) fn reading(key: &BlobKey, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound(key.as_str().to_owned()),
            other => Self::from(other),
        }
    }
}

/// A call to the local disk that failed, with what it was about.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub(crate) struct DiskError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl DiskError {
    pub(crate) fn new(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self {
            action,
            path: path.into(),
            source,
        }
    }

    /// For `map_err`: says what was done to which path when it failed.
    pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::new(action, path, source)
    }

    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl From<DiskError> for BlobError {
    fn from(error: DiskError) -> Self {
        if is_full(&error.source) {
            Self::Full(Box::new(error))
        } else {
            Self::Unavailable(Box::new(error))
        }
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if current.downcast_ref::<io::Error>().is_some_and(is_full) {
                return Self::Full(Box::new(error));
            }
            cause = current.source();
        }
        Self::unavailable(without_markup(&Causes(&error).to_string()))
    }
}

/// Of an answer in XML, as S3, Google and Azure send, its code and, where there is one, the first line of its message.
fn without_markup(said: &str) -> String {
    let within = |text: &str, tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        let (inner, _) = rest.split_once(&format!("</{tag}>"))?;
        inner.lines().next().map(|line| line.trim().to_owned())
    };
    let shorter = || {
        let (before, answer) = said.split_once("<Error>")?;
        let (answer, after) = answer.split_once("</Error>")?;
        let code = within(answer, "Code")?;
        let message = within(answer, "Message").map_or(String::new(), |message| format!(": {message}"));
        let before = before.rsplit_once("<?xml").map_or(before, |(before, _)| before);
        Some(format!("{before}{code}{message}{after}"))
    };
    shorter().unwrap_or_else(|| said.to_owned())
}

/// No space, no quota, or past the size a file may have: more room would heal it.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_in_xml_code_and_message_are_told() {
        let amazon = "403 Forbidden: <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>\
                      <Message>Access Denied.</Message><HostId>abc</HostId></Error>, after 2 retries";
        let told = "403 Forbidden: AccessDenied: Access Denied., after 2 retries";
        assert_eq!(without_markup(amazon), told);
        let azure = "<?xml version=\"1.0\"?><Error>\n<Code>Full</Code><Message>No room.\nTime:12</Message></Error>";
        assert_eq!(without_markup(azure), "Full: No room.");
        assert_eq!(
            without_markup("404: <Error><Code>NoSuchKey</Code></Error>"),
            "404: NoSuchKey"
        );
        for plain in [
            "connection refused",
            "<Error><Code>Torn</Code>",
            "<html>Bad gateway</html>",
        ] {
            assert_eq!(without_markup(plain), plain);
        }
    }

    #[test]
    fn errors_that_room_would_heal_are_full() {
        let full = [
            rustix::io::Errno::NOSPC,
            rustix::io::Errno::DQUOT,
            rustix::io::Errno::FBIG,
        ];
        for errno in full {
            let disk = DiskError::new("write", "/data", errno.into());
            assert!(matches!(BlobError::from(disk), BlobError::Full(_)), "{errno}");
            let wrapped = object_store::Error::Generic {
                store: "test",
                source: Box::new(io::Error::from(errno)),
            };
            assert!(matches!(BlobError::from(wrapped), BlobError::Full(_)), "{errno}");
        }
        for errno in [
            rustix::io::Errno::IO,
            rustix::io::Errno::ROFS,
            rustix::io::Errno::ACCESS,
        ] {
            let disk = DiskError::new("write", "/data", errno.into());
            assert!(matches!(BlobError::from(disk), BlobError::Unavailable(_)), "{errno}");
        }
    }
}
