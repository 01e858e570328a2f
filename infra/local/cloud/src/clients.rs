//! AWS SDK clients of the local cloud.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::Credentials;

use crate::options::REGION;

/// Clients with the operator's credentials, which may call every operation.
pub(crate) struct Clients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
}

impl Clients {
    pub(crate) async fn new(endpoint: &str) -> Self {
        let config = sdk_config(endpoint, operator_credentials()).await;

        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
        }
    }
}

/// MiniStack treats the access key `test` as the account's administrator.
pub(crate) fn operator_credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "local-cloud")
}

/// SDK configuration for clients that call `endpoint` with these credentials.
pub(crate) async fn sdk_config(endpoint: &str, credentials: Credentials) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .load()
        .await
}
