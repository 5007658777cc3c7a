//! `pixmill config`: what applies, and the reference of all settings.

use std::process::ExitCode;

use crate::cli::ConfigArgs;
use crate::config::{Config, print};
use crate::output;

pub(super) fn run(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    if arguments.reference {
        output::print(&print::reference())?;
    } else {
        let (_, layers) = Config::resolve_to_listen(&arguments.settings.0)?;
        output::print(&print::resolved(&layers))?;
    }
    Ok(ExitCode::SUCCESS)
}
