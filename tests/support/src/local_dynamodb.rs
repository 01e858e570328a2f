//! DynamoDB for a test: a MiniStack process with the DynamoDB service only.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use crate::sdk_config::sdk_config;

/// Time allowed for MiniStack to respond, generous for a busy machine.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(90);

/// Maximum number of ports to try. Another process may take a free port before MiniStack listens on
/// it.
const MAX_START_ATTEMPTS: usize = 5;

/// A running DynamoDB without tables. The process is killed when this is dropped.
pub struct LocalDynamoDb {
    process: Child,
    /// Configuration for the SDK clients that call it.
    pub config: SdkConfig,
}

impl LocalDynamoDb {
    /// Starts the process and waits until DynamoDB responds.
    ///
    /// # Panics
    ///
    /// When the process does not start or DynamoDB does not respond in time.
    pub async fn start() -> Self {
        for _ in 0..MAX_START_ATTEMPTS {
            if let Some(dynamodb) = Self::start_at(free_port()).await {
                return dynamodb;
            }
        }

        panic!("MiniStack exited before it responded, in {MAX_START_ATTEMPTS} attempts");
    }

    /// Starts the process on `port`. `None` means that it exited, for example because another
    /// process took the port.
    async fn start_at(port: u16) -> Option<Self> {
        let program = program();
        let process = Command::new(&program)
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("GATEWAY_PORT", port.to_string())
            .env("IOT_MTLS_ENABLED", "0") // would listen on all interfaces
            .env("SERVICES", "dynamodb")
            .env("LOG_LEVEL", "ERROR")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot start {} ({error}): run `make setup` to install it",
                    program.display()
                )
            });

        let mut dynamodb = Self {
            process,
            config: sdk_config(&format!("http://{}:{port}", Ipv4Addr::LOCALHOST)),
        };

        dynamodb.wait_until_ready().await.then_some(dynamodb)
    }

    /// Waits until DynamoDB responds. `false` means that the process exited.
    async fn wait_until_ready(&mut self) -> bool {
        let started = Instant::now();
        let client = Client::new(&self.config);

        while client.list_tables().send().await.is_err() {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(
                started.elapsed() < STARTUP_TIMEOUT,
                "MiniStack does not respond"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        true
    }
}

impl Drop for LocalDynamoDb {
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
    reason = "tests have no configuration; MINISTACK selects another installation"
)]
fn program() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/ministack");
    std::env::var_os("MINISTACK").map_or_else(installed, PathBuf::from)
}
