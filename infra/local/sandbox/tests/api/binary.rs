//! The binary.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use sandbox::{Expectation, Options, Population, Sandbox};

use crate::support::{Partner, options, start_time};

/// Ends the process when the test ends.
struct ChildGuard(Child);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn binary_prints_its_url_and_serves_the_requested_population() {
    let arguments = [
        "--organizations",
        "80",
        "--seed",
        "7",
        "--clock",
        "2026-09-15T10:00:00Z",
        "--bad-records",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(arguments).stdout(Stdio::piped());
    let mut process = ChildGuard(command.spawn().unwrap());

    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .trim_end()
        .strip_prefix("BILL sandbox ready: ")
        .unwrap();
    let partner = Partner::with_organizations(1).await;
    let reported: Vec<Expectation> = partner
        .http
        .get(format!("{url}/_sandbox/population?as_of={}", start_time()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();

    let same = Sandbox::start(Options {
        population: Population {
            organizations: 80,
            seed: 7,
            bad_records: true,
        },
        ..options()
    })
    .await
    .unwrap();
    assert_eq!(reported, same.expectations(start_time()));
}
