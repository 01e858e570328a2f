//! AWS resources that are missing.

use fan_out::{Config, FanOut};
use runtime::{ErrorType, ScheduleEvent};

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, TestSweep, run};

#[tokio::test]
async fn a_missing_secret_is_reported_before_anything_else() {
    let sweep = TestSweep::start(3).await;
    let mut config = sweep.config(PLENTY_OF_REQUESTS);
    config.bill.bill_credentials_secret = "no-such-secret".to_owned();
    config.tables.runs_table = "no-such-table".to_owned();

    assert_eq!(run_with(&sweep, config).await, ErrorType::SecretMissing);
    assert_eq!(sweep.sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn a_missing_table_or_queue_fails_the_run_and_leaves_organizations_due() {
    let sweep = TestSweep::start(3).await;

    let mut config = sweep.config(PLENTY_OF_REQUESTS);
    config.tables.organizations_table = "no-such-table".to_owned();
    assert_eq!(run_with(&sweep, config).await, ErrorType::StoreRefused);

    let mut config = sweep.config(PLENTY_OF_REQUESTS);
    config.sync_queue_url.push_str("-that-does-not-exist");
    assert_eq!(run_with(&sweep, config).await, ErrorType::QueueUnavailable);

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!(summary.queued, 3);
}

async fn run_with(sweep: &TestSweep, config: Config) -> ErrorType {
    let function = FanOut::new(config, sweep.aws()).unwrap();
    let failure = run(&function, &ScheduleEvent::default(), PLENTY_OF_TIME)
        .await
        .unwrap_err();
    failure.error_type
}
