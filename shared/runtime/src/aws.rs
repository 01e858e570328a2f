//! Configuration of the AWS SDK: time-outs, retries and connections. A function loads it once per
//! process and builds its clients from it.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Lambda freezes the process between invocations. During that time the other side closes idle
/// connections, which the process does not notice. The default of the SDK, 90 seconds, would reuse
/// such connections. Within an invocation connections are reused long before this.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// The configuration of functions with a schedule or a queue: region, credentials and endpoint from
/// the environment, three attempts with exponential backoff, 20 seconds per call in total.
///
/// A client whose calls must not be repeated, such as one that sends e-mail, disables retries in
/// its own configuration.
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
        // Responses are small, and the time-outs above limit them already.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

/// The configuration of synchronous (HTTP) functions: two attempts, 4.5 seconds per call in total.
/// A function with a time-out of 15 seconds can make three calls one after the other and still
/// respond with an error.
pub async fn interactive_aws_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_millis(4_500))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(2);

    aws_config()
        .await
        .into_builder()
        .timeout_config(timeouts)
        .retry_config(retries)
        .build()
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
