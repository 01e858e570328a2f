//! Serves a BILL v3 sandbox until it is interrupted.

use clap::Parser;
use jiff::Timestamp;
use sandbox::{Options, Population, Sandbox};

/// A BILL v3 sandbox: a seeded population behind the partner API, with a control API under
/// /_sandbox.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many organizations the partner has; the first sixty or so hold every edge case once
    #[arg(long, default_value_t = 200)]
    organizations: usize,

    /// What the population is drawn from: the same seed and clock make the same one
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The time at which the sandbox starts (RFC 3339) [default: now]
    #[arg(long)]
    clock: Option<Timestamp>,

    /// Put rows that break BILL's contract first: no id, no time, amounts as text, unknown values
    #[arg(long)]
    bad_records: bool,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "whoever started this program waits for this line"
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
