//! Syncs that fail, beside syncs that succeed.

use engagement::{ListedOrganization, SyncRequest, check_bucket};
use jiff::SignedDuration;
use rstest::rstest;
use runtime::ErrorType;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::support::{
    PLENTY_OF_REQUESTS, PLENTY_OF_TIME, TestSync, body, handle, messages, now, request,
};

/// Receives after which the message of a transient failure is completed.
const LAST_RECEIVE: u32 = 3;

#[tokio::test]
async fn an_organization_that_bill_refuses_is_due_again_in_24_hours() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(2);
    sync.fail_requests(&organizations[0], status(403));
    let as_of = now();
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

/// The page of a firewall is not BILL's own refusal: it puts nobody off for a day.
#[rstest]
#[case::users("listPartnerUsers")]
#[case::sign_in("loginAsUser")]
#[case::payments("listPayments")]
#[tokio::test]
async fn a_gateway_that_denies_access_leaves_the_organization_due(#[case] endpoint: &str) {
    let sync = TestSync::start(10).await;
    let customer = &sync.customers(1)[0];
    let as_of = now();
    let bodies = [body(&request(customer, as_of))];
    sync.sandbox.add_fault(Fault {
        endpoint: Some(endpoint.to_owned()),
        organization_id: None,
        kind: FaultKind::Html { status: 403 },
        times: None,
    });

    let batch = sync.run(&bodies).await;

    assert_eq!(batch.returned, [0]);
    let item = sync.item(customer).await.unwrap();
    assert_eq!(
        (&item["sync_error"], &item["next_check_at"]),
        (&json!("bill_bad_answer"), &json!(as_of))
    );

    sync.sandbox.clear_faults();
    assert_eq!(sync.run(&bodies).await.returned, [0; 0]);
    assert!(sync.record(customer).await.is_some());
}

/// BILL refuses the partner's sign-in with a code that it does not document.
#[tokio::test]
async fn a_refused_partner_login_puts_nobody_off_and_is_not_repeated() {
    let sync = TestSync::start(10).await;
    let customers = sync.customers(4);
    sync.sandbox.add_fault(Fault {
        endpoint: Some("partnerLogin".to_owned()),
        organization_id: None,
        kind: FaultKind::Status {
            status: 403,
            code: Some("BDC_9999".to_owned()),
            retry_after: None,
        },
        times: None,
    });
    let as_of = now();
    let due_since = as_of - SignedDuration::from_hours(3);
    for customer in &customers {
        sync.put_organization(json!({
            "organization_id": customer.id.as_str(),
            "archived": false,
            "next_check_at": due_since,
        }))
        .await;
    }
    let (event, _) = SyncRequest::for_event(
        customers[0].id.clone(),
        "event",
        as_of - SignedDuration::from_mins(5),
    );
    let sweep = customers[1..].iter().map(|it| body(&request(it, as_of)));
    let sweep: Vec<String> = sweep.collect();

    let function = sync.function(sync.config(PLENTY_OF_REQUESTS));
    for bodies in [&[body(&event)][..], &sweep, &sweep] {
        let batch = handle(&function, bodies, PLENTY_OF_TIME, 1).await.unwrap();
        assert_eq!(batch.returned, [0; 0]);
    }

    assert_eq!(sync.sandbox.statistics().partner_logins, 1);
    for customer in &customers {
        let item = sync.item(customer).await.unwrap();
        assert_eq!(item["next_check_at"], json!(due_since));
    }
}

#[rstest]
#[case::not_the_documented_format(FaultKind::Html { status: 200 }, "bill_bad_answer")]
#[case::unavailable(status(503), "bill_unavailable")]
#[tokio::test]
async fn a_transient_failure_is_recorded_and_retried_twice(
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
    }
    let batch = handle(&function, &bodies, PLENTY_OF_TIME, LAST_RECEIVE)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0; 0]);
    let item = sync.item(organization).await.unwrap();
    assert_eq!(item["sync_error"], error_type);
}

#[tokio::test]
async fn an_organization_whose_sync_failed_is_due_behind_those_that_were_not_tried() {
    let sync = TestSync::start(20).await;
    let customers = sync.customers(4);
    let as_of = now() - SignedDuration::from_hours(1);
    let due = async || {
        let due = sync.tables.organizations().due(as_of, 10).await.unwrap();
        due.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    let [unavailable, unreadable, waiting, other] = &customers[..] else {
        panic!("four customers");
    };
    for (customer, hours) in [(unavailable, 9), (unreadable, 8), (waiting, 7), (other, 6)] {
        let next_check_at = as_of - SignedDuration::from_hours(hours);
        let mut item = json!({
            "organization_id": customer.id.as_str(),
            "archived": false,
            "check_bucket": check_bucket(&customer.id),
            "next_check_at": next_check_at,
        });
        if customer == unreadable {
            item["stage"] = json!("levitating");
        }
        sync.put_organization(item).await;
    }
    let ids = |customers: [&ListedOrganization; 4]| customers.map(|it| it.id.clone());
    assert_eq!(due().await, ids([unavailable, unreadable, waiting, other]));

    sync.fail_requests(unavailable, status(503));
    let bodies = [unavailable, unreadable].map(|it| body(&request(it, as_of)));
    let function = sync.function(sync.config(PLENTY_OF_REQUESTS));
    let batch = handle(&function, &bodies, PLENTY_OF_TIME, LAST_RECEIVE)
        .await
        .unwrap();
    assert_eq!(batch.returned, [1], "the unreadable one is for an operator");

    let due = due().await;
    assert_eq!(due[..2], [waiting.id.clone(), other.id.clone()]);
    assert_eq!(due.len(), 4, "none is lost");
}

/// Otherwise a broken organization would be the first of every hour, and use its budget.
#[tokio::test]
async fn a_failure_counts_although_its_retry_finds_the_budget_spent() {
    let sync = TestSync::start(10).await;
    let customer = &sync.customers(1)[0];
    sync.fail_requests(customer, status(503));
    let as_of = now();
    let mut item = json!({ "organization_id": customer.id.as_str(), "archived": false });
    item["next_check_at"] = json!(as_of - SignedDuration::from_hours(9));
    sync.put_organization(item).await;
    let bodies = [body(&request(customer, as_of))];

    let batch = sync.run(&bodies).await;
    assert_eq!(batch.returned, [0]);
    let without_budget = sync.function(sync.config(1));
    let batch = handle(&without_budget, &bodies, PLENTY_OF_TIME, 2).await;
    assert_eq!(batch.unwrap().returned, [0; 0]);

    let item = sync.item(customer).await.unwrap();
    assert_eq!(item["next_check_at"], json!(as_of));
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
    assert_eq!(sync.record(&organizations[0]).await, None);
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status {
        status,
        code: None,
        retry_after: None,
    }
}
