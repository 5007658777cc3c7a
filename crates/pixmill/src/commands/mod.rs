//! One file a command. Each takes its arguments, does its work and says how it ended.

mod backup;
mod bench;
mod config;
mod explain;
mod health;
mod info;
mod licence;
mod process;
mod recipe;
mod recipes;
mod serve;
mod services;
mod step_pictures;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use serve::Part;

/// Runs the command of `cli`; without one, serves.
///
/// # Errors
/// Whatever stopped the command, in words for a person.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => serve::run(&cli.settings.0, Part::Both),
        Some(Command::Serve(settings)) => serve::run(&settings.0, Part::Both),
        Some(Command::Gateway(settings)) => serve::run(&settings.0, Part::Gateway),
        Some(Command::Worker(settings)) => serve::run(&settings.0, Part::Worker),
        Some(Command::Health(settings)) => health::run(&settings.0),
        Some(Command::Process(arguments)) => process::run(&arguments),
        Some(Command::Explain(arguments)) => explain::run(&arguments),
        Some(Command::Info(arguments)) => info::run(&arguments),
        Some(Command::Recipes(arguments)) => recipes::run(&arguments),
        Some(Command::Licence) => licence::run(),
        Some(Command::Config(arguments)) => config::run(&arguments),
        Some(Command::Backup(arguments)) => backup::backup(&arguments),
        Some(Command::Restore(arguments)) => backup::restore(&arguments),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        Some(Command::Load(arguments)) => bench::load(&arguments),
    }
}
