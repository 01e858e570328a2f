//! `local-cloud demo` runs the pipeline once and shows what it did; `local-cloud run` keeps a local
//! cloud running for playing; `local-cloud sam-local` runs each function in a container.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command that talks to the person who started it"
)]

mod bridge;
mod demo;
mod pipeline;
mod playground;
mod sam_local;
mod show;
mod steps;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use local_cloud::Options;

fn main() -> ExitCode {
    let command = Command::parse();
    match start(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(command: Command) -> Result<()> {
    match command.task {
        Task::Demo(customers) => tokio::select! {
            result = demo::run(customers.options()) => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                bail!("interrupted; everything that was started has been stopped")
            }
        },
        Task::Run {
            customers,
            port,
            product_port,
        } => tokio::select! {
            result = playground::run(Options { port, ..customers.options() }, product_port) => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                println!("\nEverything that was started has been stopped.");
                Ok(())
            }
        },
        Task::SamLocal { docker_setup } => tokio::select! {
            result = sam_local::run(Options { organizations: 12, ..Options::default() }, docker_setup) => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                bail!("interrupted; everything that was started has been stopped")
            }
        },
    }
}

/// The local cloud of BILL Engage.
#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs the whole pipeline once and shows what it did.
    Demo(Customers),
    /// Keeps a local cloud running until Ctrl-C.
    Run {
        #[command(flatten)]
        customers: Customers,
        /// MiniStack's port on 127.0.0.1; 0 takes a free one.
        #[arg(long, default_value_t = playground::PORT)]
        port: u16,
        /// Port on 127.0.0.1 of the example of a partner's product; 0 takes a free one.
        #[arg(long, default_value_t = playground::PRODUCT_PORT)]
        product_port: u16,
    },
    /// Runs each function in a container, by `sam local invoke`, with the events of tests/events.
    SamLocal {
        /// A program that provides a Docker engine and the functions' base image where there are
        /// none.
        #[arg(long, env = "LAMBDA_DOCKER")]
        docker_setup: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Customers {
    /// How many customers the sandbox has.
    #[arg(long, default_value_t = 200)]
    organizations: usize,
    /// The same seed makes the same customers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Puts rows that break BILL's contract among them.
    #[arg(long)]
    bad_records: bool,
    /// Lets each function call only what its role allows.
    #[arg(long)]
    auth: bool,
}

impl Customers {
    fn options(&self) -> Options {
        Options {
            organizations: self.organizations,
            seed: self.seed,
            bad_records: self.bad_records,
            auth: self.auth,
            ..Options::default()
        }
    }
}
