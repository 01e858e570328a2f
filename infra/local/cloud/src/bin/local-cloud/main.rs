//! The command `local-cloud`: `demo` runs the pipeline once and prints the results, `run` keeps a
//! local cloud running, `sam-local` runs each function in a container, `test-aws` starts the local
//! AWS of a test run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool prints its results"
)]

mod demo;
mod loopback_forwarder;
mod pipeline;
mod sam_local;
mod serve;
mod show;
mod steps;
mod test_aws;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use local_cloud::Options;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Demo(sandbox) => tokio::select! {
            result = demo::run(sandbox.options()) => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                bail!("interrupted; the local cloud has been stopped")
            }
        },
        Command::Run {
            sandbox,
            port,
            product_port,
        } => tokio::select! {
            result = serve::run(Options { port, ..sandbox.options() }, product_port) => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                println!("\nThe local cloud has been stopped.");
                Ok(())
            }
        },
        Command::SamLocal { docker_setup } => tokio::select! {
            result = sam_local::run(docker_setup) => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                bail!("interrupted; the local cloud has been stopped")
            }
        },
        Command::TestAws {
            until_exit_of: Some(pid),
            ..
        } => test_aws::serve(pid).await,
        Command::TestAws { environment, .. } => test_aws::start(
            &environment.context("NEXTEST_ENV is not set: nextest runs this command")?,
        ),
    }
}

/// The local cloud of BILL Engage.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the whole pipeline once and prints the results.
    Demo(SandboxArguments),
    /// Keeps a local cloud running until Ctrl-C.
    Run {
        #[command(flatten)]
        sandbox: SandboxArguments,
        /// MiniStack's port on 127.0.0.1; 0 selects a free port.
        #[arg(long, default_value_t = serve::PORT)]
        port: u16,
        /// Port of the example product on 127.0.0.1; 0 selects a free port.
        #[arg(long, default_value_t = serve::PRODUCT_PORT)]
        product_port: u16,
    },
    /// Runs each function in a container with `sam local invoke` and the events in tests/events.
    SamLocal {
        /// A program that sets up a Docker engine and the functions' base image, for machines
        /// without them.
        #[arg(long, env = "LAMBDA_DOCKER")]
        docker_setup: Option<PathBuf>,
    },
    /// Starts the local AWS of a test run. nextest runs it as a setup script.
    #[command(hide = true)]
    TestAws {
        /// The file that receives the endpoint for the tests.
        #[arg(long, env = "NEXTEST_ENV")]
        environment: Option<PathBuf>,
        /// Runs it in this process until the process with this id has ended.
        #[arg(long)]
        until_exit_of: Option<u32>,
    },
}

#[derive(Args)]
struct SandboxArguments {
    /// Number of customers in the sandbox.
    #[arg(long, default_value_t = 200)]
    organizations: usize,
    /// Seed of the generated customers; the same seed generates the same customers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Includes rows that violate BILL's contract.
    #[arg(long)]
    bad_records: bool,
    /// Restricts each function to its IAM role.
    #[arg(long)]
    auth: bool,
}

impl SandboxArguments {
    fn options(&self) -> Options {
        Options {
            organizations: self.organizations,
            seed: self.seed,
            bad_records: self.bad_records,
            enforce_roles: self.auth,
            ..Options::default()
        }
    }
}
