//! MiniStack: the stand-in for AWS.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_lambda::config::Credentials;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::{
    fault_proxy::FaultProxy,
    leash::ChildGuard,
    options::Options,
    workspace::{bare_environment, output_folder, tool},
};

/// A running MiniStack that keeps nothing: it ends, and forgets, when dropped.
pub(crate) struct MiniStack {
    pub(crate) endpoint: String,
    pub(crate) http: reqwest::Client,
    /// Between the functions and MiniStack, when wanted.
    pub(crate) faults: Option<FaultProxy>,
    _process: ChildGuard,
}

/// How long MiniStack may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many more free ports are tried: somebody may take one in the seconds that MiniStack needs to
/// listen on it.
const MAX_START_ATTEMPTS: usize = 5;

#[derive(Debug, thiserror::Error)]
#[error("another program has taken the port while MiniStack was starting; its last words:\n{0}")]
struct PortTaken(String);

impl MiniStack {
    /// Starts it and waits until it answers. `Err` names what to do: install it, choose another
    /// port, or read its log.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let mut tries = 1..=MAX_START_ATTEMPTS;
        loop {
            let started = Self::start_at(free_port(options.port)?, options).await;
            let is_taken = started.as_ref().is_err_and(anyhow::Error::is::<PortTaken>);
            if !is_taken || options.port != 0 || tries.next().is_none() {
                return started;
            }
        }
    }

    async fn start_at(port: u16, options: &Options) -> Result<Self> {
        let program = tool("ministack")?;
        let log = output_folder("local-cloud")?.join(format!("ministack-{port}.log"));
        let address = format!("127.0.0.1:{port}");
        let endpoint = format!("http://{address}");
        let faults = if options.fault_proxy {
            Some(FaultProxy::start(&address).await?)
        } else {
            None
        };
        let functions_endpoint = faults.as_ref().map_or(endpoint.as_str(), FaultProxy::url);
        let mut leash = ChildGuard::start(
            &program,
            &[],
            &environment(port, functions_endpoint, options),
            &log,
        )?;
        let http = http_client();
        wait_until_healthy(&mut leash, &http, &endpoint, &log).await?;
        Ok(Self {
            endpoint,
            http,
            faults,
            _process: leash,
        })
    }

    /// Calls an operation whose SDK this would be the only use of. MiniStack reads the service from
    /// a signature, and does not check it.
    pub(crate) async fn call(
        &self,
        service: &str,
        operation: &str,
        request: &Value,
    ) -> Result<Value> {
        let scope = format!("Credential=test/20260101/{REGION}/{service}/aws4_request");
        let sent = self
            .http
            .post(&self.endpoint)
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=not-checked"),
            )
            .header("x-amz-target", operation)
            .header("content-type", "application/x-amz-json-1.1")
            .body(request.to_string())
            .send()
            .await?;
        let (status, answer) = (sent.status(), sent.text().await?);
        ensure!(status.is_success(), "{operation}: {status} {answer}");
        serde_json::from_str(&answer)
            .with_context(|| format!("the answer to {operation} is no JSON"))
    }

    /// Asks one of MiniStack's own pages, which AWS does not have.
    pub(crate) async fn page(&self, path: &str) -> Result<Value> {
        let answer = self
            .http
            .get(format!("{}{path}", self.endpoint))
            .send()
            .await?
            .error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}

/// The port itself if it is free, or any free port for 0.
fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).with_context(|| {
        format!("port {wanted} is in use: stop what uses it, or choose another one with --port")
    })?;
    Ok(listener.local_addr()?.port())
}

fn environment(
    port: u16,
    functions_endpoint: &str,
    options: &Options,
) -> Vec<(&'static str, String)> {
    let mut environment = bare_environment();
    environment.extend([
        ("GATEWAY_PORT", port.to_string()),
        ("BIND_HOST", "127.0.0.1".to_owned()),
        ("MINISTACK_HOST", "localhost".to_owned()), // so that the API has a URL: `id.execute-api.localhost`
        ("MINISTACK_REGION", REGION.to_owned()),
        ("AUTH", options.auth.to_string()),
        ("AWS_ENDPOINT_URL", functions_endpoint.to_owned()), // without it the functions would call the real AWS
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("IOT_MTLS_ENABLED", "0".to_owned()), // these two would listen on fixed ports
        ("SFTP_ENABLED", "0".to_owned()),
    ]);
    environment.extend(options.smtp.map(|smtp| ("SMTP_HOST", smtp.to_string())));
    environment
}

/// The access key under which a function calls AWS when it is held to its role.
pub(crate) fn access_key(function_arn: &str, role_arn: &str) -> String {
    function_credentials(function_arn, role_arn)
        .access_key_id()
        .to_owned()
}

/// With what a function calls AWS when it is held to its role: made in the way of MiniStack's
/// `lambda_runtime.py`, which knows it once the function has been started.
pub(crate) fn function_credentials(function_arn: &str, role_arn: &str) -> Credentials {
    let sha256 = |text: String| hex::encode(Sha256::digest(text));
    let digest = sha256(format!("{function_arn}:{role_arn}"));
    let access_key = format!("ASIA{}", digest[..16].to_uppercase());
    Credentials::new(
        access_key,
        sha256(format!("secret:{digest}")),
        Some(sha256(format!("token:{digest}"))),
        None,
        "local-cloud",
    )
}

/// The region that the local cloud pretends to be.
pub(crate) const REGION: &str = "us-east-1";

async fn wait_until_healthy(
    leash: &mut ChildGuard,
    http: &reqwest::Client,
    endpoint: &str,
    log: &PathBuf,
) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = http
            .get(format!("{endpoint}/_ministack/ready"))
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        if leash.has_exited() {
            let words = last_lines(log);
            if words.contains("already in use") {
                return Err(PortTaken(words).into());
            }
            bail!("MiniStack ended while starting; its last words:\n{words}");
        }
        if Instant::now() > deadline {
            bail!(
                "MiniStack does not answer after {} s; its log is {}",
                PATIENCE.as_secs(),
                log.display()
            );
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn last_lines(log: &PathBuf) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client for the loopback interface alone, without TLS and proxies"
)]
fn http_client() -> reqwest::Client {
    reqwest::Client::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_in_use_error_names_the_port() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = free_port(port).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("port {port} is in use: stop what uses it, or choose another one with --port")
        );
        assert_ne!(free_port(0).unwrap(), 0);
    }
    #[tokio::test]
    async fn port_taken_during_startup_is_reported_as_port_taken() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = MiniStack::start_at(port, &Options::default())
            .await
            .err()
            .unwrap();
        assert!(error.is::<PortTaken>(), "{error}");
        drop(MiniStack::start(&Options::default()).await.unwrap());
    }
}
