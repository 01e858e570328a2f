//! The local AWS of a test run, which ends with the run.
//!
//! nextest runs the command as a setup script and waits for it. So the command starts a second
//! process, which runs MiniStack until nextest has ended, and passes the endpoint on to the tests.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Write},
    os::unix::process::{CommandExt, parent_id},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use local_cloud::LocalAws;
use tokio::time::sleep;

/// How often it is checked whether the test run has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Starts a process with MiniStack and appends its endpoint to the file `environment`, which
/// nextest reads.
pub fn start(environment: &Path) -> Result<()> {
    let program = std::env::current_exe()?;
    let mut server = Command::new(program)
        .args(["test-aws", "--until-exit-of", &parent_id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let output = server.stdout.take().context("the output is not piped")?;

    let mut endpoint = String::new();
    BufReader::new(output).read_line(&mut endpoint)?;
    ensure!(
        !endpoint.is_empty(),
        "MiniStack did not start; its log is in target/local-cloud. Was `make setup` run?"
    );

    let mut file = OpenOptions::new().append(true).open(environment)?;
    writeln!(file, "LOCAL_AWS_ENDPOINT={}", endpoint.trim())?;
    Ok(())
}

/// Runs MiniStack until the process `pid` has ended. Prints the endpoint.
pub async fn serve(pid: u32) -> Result<()> {
    let aws = LocalAws::start().await?;
    println!("{}", aws.endpoint());

    let process = PathBuf::from(format!("/proc/{pid}"));
    while process.exists() {
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}
