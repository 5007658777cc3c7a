//! Standard output: a reader that has had enough is no failure of ours.

use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

/// Prints `text` as it is.
///
/// # Errors
/// When standard output takes nothing for another reason than that its reader is gone.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to standard output"),
        Ok(()) | Err(_) => Ok(()),
    }
}
