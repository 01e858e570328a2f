//! The organization's own row is read when a step of its campaign becomes due.

use jiff::SignedDuration;
use rstest::rstest;
use sandbox::{OrganizationPatch, Switches};
use serde_json::json;

use crate::{
    customer::{administrator, customer, set, sync_at, take_requests},
    support::{TestSync, now},
};

/// The full listing is daily; who was archived since then must get no e-mail.
#[tokio::test]
async fn a_customer_archived_since_the_last_listing_gets_no_notice() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    sync_at(&sync, &customer, now()).await;
    take_requests(&sync, &customer);
    set(
        &sync,
        &customer,
        OrganizationPatch {
            archived: Some(true),
            ..OrganizationPatch::default()
        },
    );

    // The second step of the campaign `dormant_30` is due after 14 days.
    let batch = sync_at(
        &sync,
        &customer,
        now() + SignedDuration::from_hours(24 * 15),
    )
    .await;

    let record = sync.record(&customer).await.unwrap();
    assert_eq!(record.stage.to_string(), "closed");
    assert!(batch.metrics.total("notices_planned").abs() < f64::EPSILON);
    assert_eq!(
        take_requests(&sync, &customer).get("listPartnerUsers"),
        Some(&1),
        "the step is known before the other reads"
    );
}

/// The first step of `dormant_30` is due at once.
#[rstest]
#[case::just_now(0, None)]
#[case::hours_ago(3, Some(1))]
#[tokio::test]
async fn a_first_sync_reads_the_row_unless_it_was_listed_just_now(
    #[case] hours: i64,
    #[case] expected: Option<u64>,
) {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    let listed_at = now() - SignedDuration::from_hours(hours);
    sync.put_organization(json!({
        "organization_id": customer.id.as_str(),
        "archived": false,
        "listed_at": listed_at,
        "next_check_at": listed_at,
    }))
    .await;

    let batch = sync_at(&sync, &customer, now()).await;

    assert!((batch.metrics.total("notices_planned") - 1.0).abs() < f64::EPSILON);
    let requests = sync.sandbox.statistics().by_endpoint;
    let rows_read = requests.get("listPartnerOrganizations").copied();
    assert_eq!(rows_read, expected);
}

#[tokio::test]
async fn a_customer_that_bill_no_longer_lists_gets_no_notice_and_is_asked_for_in_a_day() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    sync_at(&sync, &customer, now()).await;
    let before = sync.record(&customer).await.unwrap();
    set(
        &sync,
        &customer,
        OrganizationPatch {
            archived: Some(true),
            ..OrganizationPatch::default()
        },
    );
    sync.sandbox.set_switches(Switches {
        list_archived: false,
        ..Switches::default()
    });

    let as_of = now() + SignedDuration::from_hours(24 * 15);
    let batch = sync_at(&sync, &customer, as_of).await;

    assert_eq!(batch.returned, [0; 0]);
    let item = sync.item(&customer).await.unwrap();
    assert_eq!(
        (&item["sync_error"], &item["next_check_at"]),
        (
            &json!("not_listed"),
            &json!((as_of + SignedDuration::from_hours(24)).to_string())
        )
    );
    let after = sync.record(&customer).await.unwrap();
    assert_eq!(
        (after.stage, after.checked_at, after.steps),
        (before.stage, before.checked_at, before.steps)
    );
}
