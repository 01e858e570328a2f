//! How the AWS SDK is set up; clients are built from this once per process.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Lambda freezes the process between invocations, and a peer closes idle connections meanwhile
/// without our noticing (the SDK itself would keep them for 90 seconds). Within a busy invocation
/// connections are used again long before this.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Region, credentials and endpoint from the process's environment, with time-outs and the standard
/// retries (3 attempts with exponential backoff). A client for calls that must not be repeated,
/// such as sending mail, turns retries off in its own configuration.
pub async fn aws_config() -> SdkConfig {
    let http_client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(8))
        .operation_timeout(Duration::from_secs(20))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard())
        // Answers here are small; the time-outs above bound them already.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_outs_and_retries_are_set() {
        let config = aws_config().await;
        let timeouts = config.timeout_config().unwrap();
        assert!(timeouts.connect_timeout() < timeouts.operation_attempt_timeout());
        assert!(timeouts.operation_attempt_timeout() < timeouts.operation_timeout());
        assert_eq!(config.retry_config().unwrap().max_attempts(), 3);
        assert!(config.http_client().is_some());
    }
}
