//! Log lines on standard error. Metrics are the gateway's.

use std::io::{self, IsTerminal as _, Stderr, Write};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::sections::Log;
use crate::config::value::LogFormat;

/// Standard error as long as somebody takes what is written there. Who reads the log may die, and a disk that holds it may be
/// full: lines are lost then, and nothing else is.
struct Lines(Stderr);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // There is nowhere to say that it failed.
        let _ = self.0.write_all(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Sends log lines to standard error as `log` says.
///
/// # Errors
/// When `log_level` is not a filter.
pub(crate) fn init(log: &Log) -> anyhow::Result<()> {
    let given = &log.log_level.0;
    let mut filter = EnvFilter::try_new(given).context("log_level")?;
    // It tells of every request that it tries again; that a store is away is told once, by what asks it.
    if filter.max_level_hint() == Some(LevelFilter::INFO) && !given.contains("object_store") {
        filter = filter.add_directive("object_store=warn".parse().context("log_level")?);
    }
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(|| Lines(io::stderr()));
    match log.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
    Ok(())
}
