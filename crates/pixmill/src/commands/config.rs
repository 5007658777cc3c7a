//! `pixmill config`: what applies, and the reference of all settings.

use std::process::ExitCode;

use crate::cli::ConfigArgs;
use crate::config::{Config, print};
use crate::output;

pub(super) fn run(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    if arguments.reference {
        output::print(&print::reference())?;
    } else {
        let (config, layers) = Config::resolve(&arguments.settings.0)?;
        config.check_listen(&layers)?;
        output::print(&print::resolved(&layers))?;
    }
    Ok(ExitCode::SUCCESS)
}
