//! `pixmill backup` and `restore`: the database as one consistent file. The blobs are plain files: copy them as such.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pixmill_broker::{BrokerOptions, SqliteBroker};

use super::serve::DATABASE;
use crate::cli::{BackupArgs, RestoreArgs};
use crate::config::Config;

pub(super) fn backup(arguments: &BackupArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.settings.0)?;
    let database = config.storage.data.join(DATABASE);
    if !database.exists() {
        bail!("there is no database at {}", database.display());
    }
    let broker = SqliteBroker::open(&database, BrokerOptions::default())
        .with_context(|| format!("cannot open {}", database.display()))?;
    broker
        .backup(&arguments.file)
        .with_context(|| format!("cannot back up to {}", arguments.file.display()))?;
    println!("backed up {} to {}", database.display(), arguments.file.display());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(arguments: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.settings.0)?;
    let database = config.storage.data.join(DATABASE);
    std::fs::create_dir_all(&config.storage.data)
        .with_context(|| format!("cannot make {}", config.storage.data.display()))?;
    SqliteBroker::restore(&arguments.file, &database)
        .with_context(|| format!("cannot restore {} to {}", arguments.file.display(), database.display()))?;
    println!("restored {} to {}", arguments.file.display(), database.display());
    Ok(ExitCode::SUCCESS)
}
