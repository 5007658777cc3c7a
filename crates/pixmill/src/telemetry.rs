//! Log lines on standard error. Metrics are the gateway's.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::sections::Log;
use crate::config::value::LogFormat;

/// Sends log lines to standard error as `log` says.
///
/// # Errors
/// When `log_level` is not a filter.
pub(crate) fn init(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.log_level).with_context(|| {
        format!(
            "log_level is {:?}, expected error, warn, info, debug or trace, also by module",
            log.log_level
        )
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
