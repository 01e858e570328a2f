//! A MiniStack that has DynamoDB alone.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use crate::aws;

/// How long it may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many free ports are tried: somebody may take one in the seconds that MiniStack needs to
/// listen on it.
const MAX_START_ATTEMPTS: usize = 5;

/// A DynamoDB for the time of one test.
pub struct MiniStack {
    process: Child,
    /// What clients need to call it.
    pub config: SdkConfig,
}

impl MiniStack {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start, or does not answer.
    pub async fn start() -> Self {
        for _ in 0..MAX_START_ATTEMPTS {
            if let Some(ministack) = Self::start_at(free_port()).await {
                return ministack;
            }
        }
        panic!("MiniStack ended before it answered, {MAX_START_ATTEMPTS} times");
    }

    /// `None`: it ended, as it does when somebody has taken the port.
    async fn start_at(port: u16) -> Option<Self> {
        let program = program();
        let process = Command::new(&program)
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("GATEWAY_PORT", port.to_string())
            .env("IOT_MTLS_ENABLED", "0") // it would listen on all interfaces
            .env("SERVICES", "dynamodb")
            .env("LOG_LEVEL", "ERROR")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} does not start ({error}): `make setup` installs it",
                    program.display()
                )
            });
        let mut ministack = Self {
            process,
            config: aws(&format!("http://{}:{port}", Ipv4Addr::LOCALHOST)),
        };
        ministack.answers().await.then_some(ministack)
    }

    /// Waits until it answers; `false`: it ended.
    async fn answers(&mut self) -> bool {
        let (started, client) = (Instant::now(), Client::new(&self.config));
        while client.list_tables().send().await.is_err() {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(started.elapsed() < PATIENCE, "MiniStack does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        true
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration of its own; MINISTACK names another installation"
)]
fn program() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/ministack");
    std::env::var_os("MINISTACK").map_or_else(installed, PathBuf::from)
}
