//! A MiniStack for the time of one test.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, SharedCredentialsProvider},
};

/// How long it may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct MiniStack {
    process: Child,
    pub client: Client,
}

impl MiniStack {
    pub async fn start() -> Self {
        let port = free_port();
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
            .unwrap_or_else(|error| panic!("{} does not start ({error}): `make setup` installs it", program.display()));
        let mut ministack = Self { process, client: client(port) };
        ministack.wait_until_it_answers().await;
        ministack
    }

    async fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        while self.client.list_tables().send().await.is_err() {
            assert!(self.process.try_wait().unwrap().is_none(), "MiniStack ended before it answered");
            assert!(started.elapsed() < PATIENCE, "MiniStack does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The store's own client for a DynamoDB on this machine.
pub fn client(port: u16) -> Client {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(format!("http://{}:{port}", Ipv4Addr::LOCALHOST))
        .build();
    store::client(&config)
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[expect(clippy::disallowed_methods, reason = "a test has no configuration of its own; MINISTACK names another installation")]
fn program() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/ministack");
    std::env::var_os("MINISTACK").map_or_else(installed, PathBuf::from)
}
