//! The `pixmill` binary: reads the command line, calls the command, turns its outcome into an exit code.

mod broker;
mod cli;
mod commands;
mod config;
mod machine;
mod output;
mod stop;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;
use pixmill_types::Causes;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pixmill: {}", Causes(&*error));
            ExitCode::FAILURE
        }
    }
}
