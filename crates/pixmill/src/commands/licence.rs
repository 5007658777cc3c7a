//! `pixmill licence`: what pixmill, and the fonts in it, may be used for. The binary carries it wherever it goes.

use std::process::ExitCode;

use crate::output;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let (own, fonts) = (include_str!("../../../../LICENSE"), include_str!("../../../../NOTICE"));
    output::print(&format!("{own}\n{fonts}"))?;
    Ok(ExitCode::SUCCESS)
}
