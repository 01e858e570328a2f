//! The program.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use sandbox::Expectation;

use crate::support::{Partner, options, start};

/// Ends the program with the test, passed or not.
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
    let mut running = ChildGuard(
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .trim_end()
        .strip_prefix("BILL sandbox ready: ")
        .unwrap();

    let partner = Partner::of(1).await;
    let told = partner
        .http
        .get(format!("{url}/_sandbox/population?as_of={}", start()))
        .send()
        .await
        .unwrap();
    let told: Vec<Expectation> = told.json().await.unwrap();
    let population = sandbox::Population {
        organizations: 80,
        seed: 7,
        bad_records: true,
    };
    let same = sandbox::Sandbox::start(sandbox::Options {
        population,
        ..options()
    })
    .await
    .unwrap();
    assert_eq!(told, same.population(start()));
}
