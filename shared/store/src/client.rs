//! DynamoDB clients with the time-outs and retries of background and of synchronous functions.

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{Client, config};

/// A DynamoDB client for background functions, built once per process. It makes up to 4 attempts of
/// at most 3 seconds each, 12 seconds in total.
pub fn client(config: &SdkConfig) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(100));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(12))
        .build();

    Client::from_conf(
        config::Builder::from(config)
            .retry_config(retries)
            .timeout_config(timeouts)
            .build(),
    )
}

/// A DynamoDB client for synchronous (HTTP) functions, built once per process. It has the time-outs
/// and retries of `config`.
pub fn interactive_client(config: &SdkConfig) -> Client {
    Client::new(config)
}
