//! Starts MiniStack, the local stand-in for AWS, and calls it where no SDK client exists.

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
    child_guard::ChildGuard,
    fault_proxy::FaultProxy,
    options::{Options, REGION},
    workspace::{bare_environment, output_folder, tool_path},
};

/// Time allowed for MiniStack to become ready, generous for a busy machine.
const STARTUP_TIMEOUT: Duration = Duration::from_mins(1);

/// Maximum number of further ports to try. Another process may take a free port before MiniStack
/// listens on it.
const MAX_START_RETRIES: usize = 5;

/// A running MiniStack process. Dropping it ends the process; nothing is persisted.
pub(crate) struct MiniStack {
    pub(crate) endpoint: String,
    pub(crate) http: reqwest::Client,
    /// Set when the functions call MiniStack through a fault proxy.
    pub(crate) fault_proxy: Option<FaultProxy>,
    _process: ChildGuard,
}

#[derive(Debug, thiserror::Error)]
#[error("another program took the port while MiniStack was starting; last log lines:\n{0}")]
struct PortTaken(String);

impl MiniStack {
    /// Starts MiniStack and waits until it is ready. `Err` says what to do: run `make setup`,
    /// choose another port or read the log.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let mut retries = 1..=MAX_START_RETRIES;
        loop {
            let started = Self::start_at(free_port(options.port)?, options).await;
            let is_taken = started.as_ref().is_err_and(anyhow::Error::is::<PortTaken>);
            if !is_taken || options.port != 0 || retries.next().is_none() {
                return started;
            }
        }
    }

    async fn start_at(port: u16, options: &Options) -> Result<Self> {
        let program = tool_path("ministack")?;
        let log = output_folder("local-cloud")?.join(format!("ministack-{port}.log"));
        let address = format!("127.0.0.1:{port}");
        let endpoint = format!("http://{address}");
        let fault_proxy = if options.fault_proxy {
            Some(FaultProxy::start(&address).await?)
        } else {
            None
        };
        let functions_endpoint = fault_proxy
            .as_ref()
            .map_or(endpoint.as_str(), FaultProxy::url);

        let mut process = ChildGuard::start(
            &program,
            &[],
            &environment(port, functions_endpoint, options),
            &log,
        )?;
        let http = http_client();
        wait_until_ready(&mut process, &http, &endpoint, &log).await?;

        Ok(Self {
            endpoint,
            http,
            fault_proxy,
            _process: process,
        })
    }

    /// Calls an operation of the AWS JSON 1.1 protocol without its SDK. MiniStack takes the service
    /// from the credential scope of the signature and does not verify the signature. `Err` means
    /// that MiniStack returned an error or is unreachable.
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
        let (status, response) = (sent.status(), sent.text().await?);
        ensure!(status.is_success(), "{operation}: {status} {response}");

        serde_json::from_str(&response)
            .with_context(|| format!("the response to {operation} is not JSON"))
    }

    /// Reads one of MiniStack's own admin pages (`/_ministack/...`) as JSON.
    pub(crate) async fn get_admin_json(&self, path: &str) -> Result<Value> {
        let response = self
            .http
            .get(format!("{}{path}", self.endpoint))
            .send()
            .await?
            .error_for_status()?;

        Ok(serde_json::from_slice(&response.bytes().await?)?)
    }
}

/// Returns `wanted` if that port is free, or any free port when `wanted` is 0.
fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).with_context(|| {
        format!(
            "port {wanted} is in use: stop the program that uses it or choose another port \
             with --port"
        )
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
        // Gives the HTTP API the host `id.execute-api.localhost`.
        ("MINISTACK_HOST", "localhost".to_owned()),
        ("MINISTACK_REGION", REGION.to_owned()),
        ("AUTH", options.enforce_roles.to_string()),
        // Without it, the functions call the real AWS.
        ("AWS_ENDPOINT_URL", functions_endpoint.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("IOT_MTLS_ENABLED", "0".to_owned()), // like SFTP, it would listen on a fixed port
        ("SFTP_ENABLED", "0".to_owned()),
    ]);
    environment.extend(options.smtp.map(|smtp| ("SMTP_HOST", smtp.to_string())));
    environment
}

/// The access key id of [`function_credentials`].
pub(crate) fn function_access_key(function_arn: &str, role_arn: &str) -> String {
    function_credentials(function_arn, role_arn)
        .access_key_id()
        .to_owned()
}

/// The credentials that MiniStack gives a function when it enforces roles (`AUTH=true`), derived as
/// in its `lambda_runtime.py`. MiniStack accepts them once the function has been invoked.
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

async fn wait_until_ready(
    process: &mut ChildGuard,
    http: &reqwest::Client,
    endpoint: &str,
    log: &PathBuf,
) -> Result<()> {
    let deadline = Instant::now() + STARTUP_TIMEOUT;

    loop {
        let response = http
            .get(format!("{endpoint}/_ministack/ready"))
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        if response.is_ok_and(|response| response.status().is_success()) {
            return Ok(());
        }
        if process.has_exited() {
            let log_tail = last_lines(log);
            if log_tail.contains("already in use") {
                return Err(PortTaken(log_tail).into());
            }
            bail!("MiniStack exited while starting; last log lines:\n{log_tail}");
        }
        if Instant::now() > deadline {
            bail!(
                "MiniStack is not ready after {} s; see its log {}",
                STARTUP_TIMEOUT.as_secs(),
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
    reason = "calls the loopback interface only, without TLS or proxies"
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
            format!(
                "port {port} is in use: stop the program that uses it or choose another port \
                 with --port"
            )
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
