//! `pixmill backup` and `restore`: the database as one consistent file. The blobs are plain files: copy them as such.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use pixmill_broker::SqliteBroker;
use pixmill_types::Causes;

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
    match config.broker.broker {
        BrokerKind::Sqlite => {}
        BrokerKind::Memory => bail!("tasks are in memory only: nobody would read what is restored"),
        BrokerKind::Redis(_) => bail!(
            "tasks are in Redis, and this puts the embedded database back, which nobody would read. Put back what Redis keeps \
             on its disk, see docs/operations.md"
        ),
    }
    let database = config.storage.data.join(DATABASE);
    let kept = keep(&database)?;
    let report = match SqliteBroker::restore(&arguments.file, &database) {
        Ok(report) => report,
        Err(error) => {
            if let Some(kept) = kept {
                fs::remove_file(kept)?;
            }
            return Err(error.into());
        }
    };
    let kept = kept.map_or_else(String::new, |kept| {
        format!(", what was there is kept as {}", kept.display())
    });
    output::print(&format!(
        "{} tasks, {} bytes: {} is restored to {}{kept}\n",
        report.tasks,
        report.bytes,
        arguments.file.display(),
        database.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Copies the database that is about to be replaced beside it, under the first name that is free; `None` when there is none,
/// or it is too damaged for that.
fn keep(database: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    let mut names = (1_u32..).map(|number| database.with_extension(format!("db.replaced-{number}")));
    let Some(kept) = names.find(|path| !path.exists()) else {
        bail!("no name is left beside {} for what is replaced", database.display());
    };
    match SqliteBroker::backup_file(database, &kept) {
        Ok(_) => Ok(Some(kept)),
        Err(error) => {
            let error = Causes(&error);
            writeln!(
                io::stderr(),
                "pixmill: warning: what {} holds is not kept: {error}",
                database.display()
            )?;
            Ok(None)
        }
    }
}
