//! The DynamoDB tables, one module each: what is remembered between two looks at an organization.
//!
//! Nothing here locks. Every write carries the condition under which it is still right, so that
//! whatever runs twice, side by side or half-way changes nothing that somebody else has settled;
//! each method says what its repetition and its loss mean. Start reading at [`Checks::apply`].

mod attribute;
mod batch;
mod budget;
mod change;
mod checks;
mod contacts;
mod daily_mails;
mod dismissals;
mod due;
mod error;
mod feedback;
mod notices;
mod organizations;
mod preferences;
mod runs;
mod transaction;

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{Client, config};

pub use budget::{BudgetAmount, Limits, Reservation};
pub use checks::{Checks, DecisionTables, WriteOutcome};
pub use contacts::Contacts;
pub use dismissals::Dismissals;
pub use due::Due;
pub use error::{Answer, StoreError};
pub use feedback::FeedbackOutcome;
pub use notices::{Claim, Claimed, Notices};
pub use organizations::{MakeDueProgress, NextSync, Organizations};
pub use preferences::Scope;
pub use runs::{Cursor, RunRecord, Runs};

/// Version of the shape of the items, written to each of them as `schema_version`.
pub const SCHEMA_VERSION: u8 = 1;

/// A client of DynamoDB for the whole process: up to four attempts, each of at most 3 seconds, 12
/// seconds in all.
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

/// A client with the time-outs and repeats of `config`: for a function that somebody waits for.
pub fn interactive_client(config: &SdkConfig) -> Client {
    Client::new(config)
}
