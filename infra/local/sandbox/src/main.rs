//! Serves a BILL v3 sandbox until it is interrupted.

use clap::Parser;
use jiff::Timestamp;
use sandbox::{Options, Population, Sandbox};

/// A BILL v3 sandbox: the partner API for generated customers, and a control API under /_sandbox.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Number of organizations; the first 56 cover each edge case once
    #[arg(long, default_value_t = 200)]
    organizations: usize,

    /// Seed of the population; the same seed and clock generate the same population
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Port on 127.0.0.1; 0 selects a free port
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Time at which the sandbox starts (RFC 3339) [default: now]
    #[arg(long)]
    clock: Option<Timestamp>,

    /// List records that violate BILL's contract first: without id or time, with amounts as text or
    /// with unknown values
    #[arg(long)]
    bad_records: bool,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "the caller waits for this line, which contains the URL"
)]
async fn main() -> std::io::Result<()> {
    let Arguments {
        organizations,
        seed,
        port,
        clock,
        bad_records,
    } = Arguments::parse();
    let defaults = Options::default();

    let sandbox = Sandbox::start(Options {
        population: Population {
            organizations,
            seed,
            bad_records,
        },
        clock: clock.unwrap_or(defaults.clock),
        port,
        ..defaults
    })
    .await?;
    println!("BILL sandbox ready: {}", sandbox.url());

    tokio::signal::ctrl_c().await
}
