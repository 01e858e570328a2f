//! `engage`: what an operator does with a deployed stack, from a shell.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints its progress and result for the operator"
)]

mod arguments;
mod commands;

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Parser;

use crate::{
    arguments::Arguments,
    commands::{CommandOutput, run},
};

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments {
        stack,
        json,
        command,
    } = Arguments::parse();

    let output = tokio::select! {
        output = run(stack, command) => output,
        _ = tokio::signal::ctrl_c() => {
            Err(anyhow!("interrupted; run the command again to finish it"))
        }
    };

    match output {
        Ok(CommandOutput {
            message,
            value,
            is_success,
        }) => {
            if json {
                println!("{value:#}");
            } else {
                println!("{message}");
            }
            if is_success {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
