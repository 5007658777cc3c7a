//! `pixmill backup` and `restore`: the database as one consistent file. The blobs are plain files: copy them as such.

use std::process::ExitCode;

use anyhow::bail;
use pixmill_broker::SqliteBroker;

use crate::broker::DATABASE;
use crate::cli::{BackupArgs, RestoreArgs};
use crate::config::Config;
use crate::config::value::BrokerKind;
use crate::output;

pub(super) fn backup(arguments: &BackupArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.settings.0)?;
    match config.broker.broker {
        BrokerKind::Sqlite => {}
        BrokerKind::Memory => bail!("tasks are in memory only: there is nothing to back up"),
        BrokerKind::Redis(_) => bail!(
            "tasks are in Redis, and this copies the embedded database: it would save none of them. Copy what Redis keeps \
             on its disk, see docs/operations.md"
        ),
    }
    let database = config.storage.data.join(DATABASE);
    if !database.exists() {
        bail!("there is no database at {}", database.display());
    }
    let report = SqliteBroker::backup_file(&database, &arguments.file)?;
    output::print(&format!(
        "{} tasks, {} bytes: {} is backed up to {}\n",
        report.tasks,
        report.bytes,
        database.display(),
        arguments.file.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(arguments: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.settings.0)?;
    let database = config.storage.data.join(DATABASE);
    let report = SqliteBroker::restore(&arguments.file, &database)?;
    output::print(&format!(
        "{} tasks, {} bytes: {} is restored to {}\n",
        report.tasks,
        report.bytes,
        arguments.file.display(),
        database.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
