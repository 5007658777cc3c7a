//! `pixmill config`: what applies, and the reference of all settings.

use std::process::ExitCode;

use crate::cli::ConfigArgs;
use crate::config::{Config, print};

pub(super) fn run(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    if arguments.reference {
        print!("{}", print::reference());
    } else {
        let (_, layers) = Config::resolve(&arguments.settings.0)?;
        print!("{}", print::resolved(&layers));
    }
    Ok(ExitCode::SUCCESS)
}
