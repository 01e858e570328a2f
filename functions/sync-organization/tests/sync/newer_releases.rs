//! Messages and records of a newer release, as after a rollback.

use engagement::{ListedOrganization, SyncRequest};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{TestSync, body, messages, now, request};

#[tokio::test]
async fn a_newer_message_is_completed_and_counted() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(2);
    let mut bodies = messages(&organizations);
    bodies[0] = json!({ "schema_version": 2, "organizations": ["008"] }).to_string();

    let batch = sync.run(&bodies).await;

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.dead_letters().await, [""; 0]);
    assert_eq!(sync.record(&organizations[0]).await, None);
    assert!(sync.record(&organizations[1]).await.is_some());
    assert!((batch.metrics.total("items_newer") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_newer_record_is_left_as_it_is() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let newer = newer_record(organization);
    sync.put_organization(newer.clone()).await;
    let as_of = now() - SignedDuration::from_mins(5);
    let (event, _) = SyncRequest::for_event(organization.id.clone(), "event", as_of);
    let all = SyncRequest {
        all: true,
        ..request(organization, as_of)
    };

    for message in [&request(organization, as_of), &all, &event] {
        let batch = sync.run(&[body(message)]).await;

        assert_eq!(batch.returned, [0; 0]);
        assert!((batch.metrics.total("items_newer") - 1.0).abs() < f64::EPSILON);
    }
    assert_eq!(sync.item(organization).await, Some(newer));
    assert_eq!(sync.sandbox.statistics().requests, 0);
}

/// A due record in a format that this release does not know.
fn newer_record(organization: &ListedOrganization) -> Value {
    json!({
        "organization_id": organization.id.as_str(),
        "schema_version": 2,
        "stage": "levitating",
        "next_check_at": "2020-01-01T00:00:00Z",
    })
}
