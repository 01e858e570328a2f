//! Syncs that fail, beside syncs that succeed.

use jiff::SignedDuration;
use rstest::rstest;
use runtime::{ErrorType, clock};
use sandbox::FaultKind;
use serde_json::json;

use crate::support::{
    PLENTY_OF_REQUESTS, PLENTY_OF_TIME, TestSync, body, handle, messages, request,
};

/// Receives after which the message of a transient failure is completed.
const LAST_RECEIVE: u32 = 3;

#[tokio::test]
async fn an_organization_that_bill_refuses_is_due_again_in_24_hours() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(2);
    sync.fail_requests(&organizations[0], status(403));
    let as_of = clock::now();
    let bodies = [&organizations[0], &organizations[1]].map(|it| body(&request(it, as_of)));

    let batch = sync.run(&bodies).await;

    assert_eq!(batch.returned, [0; 0]);
    let item = sync.item(&organizations[0]).await.unwrap();
    assert_eq!(
        (&item["sync_error"], &item["next_check_at"]),
        (
            &json!("bill_refused"),
            &json!((as_of + SignedDuration::from_hours(24)).to_string())
        )
    );
    assert!(sync.record(&organizations[1]).await.is_some());
}

#[rstest]
#[case::not_the_documented_format(FaultKind::Html { status: 200 }, "bill_bad_answer")]
#[case::unavailable(status(503), "bill_unavailable")]
#[tokio::test]
async fn a_transient_failure_is_retried_three_times_and_then_recorded(
    #[case] fault: FaultKind,
    #[case] error_type: &str,
) {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    sync.fail_requests(organization, fault);
    let bodies = messages(std::slice::from_ref(organization));
    let function = sync.function(sync.config(PLENTY_OF_REQUESTS));

    for receive_count in 1..LAST_RECEIVE {
        let batch = handle(&function, &bodies, PLENTY_OF_TIME, receive_count)
            .await
            .unwrap();
        assert_eq!(batch.returned, [0]);
        assert_eq!(sync.item(organization).await, None);
    }
    let batch = handle(&function, &bodies, PLENTY_OF_TIME, LAST_RECEIVE)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0; 0]);
    let item = sync.item(organization).await.unwrap();
    assert_eq!(item["sync_error"], error_type);
}

#[tokio::test]
async fn a_missing_secret_or_runs_table_fails_the_batch() {
    let sync = TestSync::start(10).await;
    let bodies = messages(&sync.customers(1));

    let mut config = sync.config(PLENTY_OF_REQUESTS);
    config.bill.bill_credentials_secret = "no-such-secret".to_owned();
    let failure = sync.run_with(config, &bodies, PLENTY_OF_TIME).await.err();
    assert_eq!(failure.unwrap().error_type, ErrorType::SecretMissing);

    let mut config = sync.config(PLENTY_OF_REQUESTS);
    config.tables.runs_table = "no-such-table".to_owned();
    let failure = sync.run_with(config, &bodies, PLENTY_OF_TIME).await.err();
    assert_eq!(failure.unwrap().error_type, ErrorType::StoreRefused);

    assert_eq!(sync.sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_retried() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(1);
    let mut config = sync.config(PLENTY_OF_REQUESTS);
    config.tables.transitions_table = "no-such-table".to_owned();

    let batch = sync
        .run_with(config, &messages(&organizations), PLENTY_OF_TIME)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0]);
    assert_eq!(sync.item(&organizations[0]).await, None);
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status {
        status,
        code: None,
        retry_after: None,
    }
}
