//! When organizations are due for their next sync.

use engagement::StageReason;
use serde_json::json;
use store::StoreErrorKind;

use crate::{
    fixtures::{SYNCED_AT, at, decision, id, write_decision},
    scripted::ScriptedDynamoDb,
    tables::Tables,
};

const LATER: &str = "2026-11-23T07:00:00Z";

#[tokio::test]
async fn next_syncs_are_read_in_batches_without_unreadable_items() {
    let tables = &Tables::create().await;
    for number in 0..230 {
        let readable = json!({ "organization_id": id(number).as_str(), "next_check_at": LATER });
        let unreadable =
            json!({ "organization_id": id(number).as_str(), "next_check_at": "tomorrow" });
        let absent = json!({ "organization_id": id(number).as_str() });
        let item = [readable, unreadable, absent][number % 10 % 3].clone();
        tables.put("organizations", item).await;
    }
    let mut ids: Vec<_> = (0..250).map(id).collect();
    ids.extend((0..120).map(id));

    let next_syncs = tables.organizations().next_syncs(&ids).await.unwrap();

    assert_eq!(
        next_syncs.len(),
        (0..230).filter(|number| number % 10 % 3 == 0).count()
    );
    assert!(
        next_syncs
            .values()
            .all(|next_sync| next_sync.due_at == at(LATER))
    );
    assert!(!next_syncs.contains_key(&id(1)) && !next_syncs.contains_key(&id(2)));
}

#[tokio::test]
async fn a_changed_archived_flag_makes_an_organization_due() {
    let tables = &Tables::create().await;
    let mut archived = decision(2, 1, SYNCED_AT, &[]);
    archived.organization.stage_reason = StageReason::Archived;
    for decision in [decision(1, 1, SYNCED_AT, &[]), archived] {
        write_decision(tables, &decision, None).await;
    }
    let organizations = tables.organizations();

    let next_syncs = organizations.next_syncs(&[id(1), id(2)]).await.unwrap();
    let due = |number, archived| next_syncs[&id(number)].is_due(at(LATER), archived);
    assert_eq!(
        [due(1, false), due(1, true), due(2, false), due(2, true)],
        [false, true, true, false]
    );

    // After a failed sync the flag is not compared: an organization that BILL refuses to return is
    // not due in every sweep.
    let tomorrow = at("2026-11-24T07:00:00Z");
    organizations
        .record_failure(&id(2), "bill_refused", at(LATER), tomorrow, at(LATER))
        .await
        .unwrap();
    let next_sync = organizations.next_syncs(&[id(2)]).await.unwrap()[&id(2)];
    assert_eq!(
        (
            next_sync.is_due(at(LATER), false),
            next_sync.is_due(tomorrow, false)
        ),
        (false, true)
    );
}

#[tokio::test]
async fn unprocessed_keys_are_requested_again() {
    let found = |number: usize| {
        json!({
            "organization_id": { "S": id(number).as_str() },
            "next_check_at": { "S": SYNCED_AT },
        })
    };
    let key = |number: usize| json!({ "organization_id": { "S": id(number).as_str() } });
    let unprocessed = json!({ "organizations": {
        "Keys": [key(2), key(3)],
        "ProjectionExpression": "#a",
        "ExpressionAttributeNames": { "#a": "a" },
    } });
    let first = json!({
        "Responses": { "organizations": [found(1)] },
        "UnprocessedKeys": unprocessed,
    });
    let second = json!({
        "Responses": { "organizations": [found(2), found(3)] },
        "UnprocessedKeys": {},
    });
    let dynamodb = ScriptedDynamoDb::start([(200, first), (200, second)]).await;

    let next_syncs = dynamodb
        .organizations()
        .next_syncs(&[id(1), id(2), id(3)])
        .await
        .unwrap();

    assert_eq!(next_syncs.len(), 3);
    assert_eq!(
        dynamodb.requests()[1]["RequestItems"]["organizations"]["Keys"],
        json!([key(2), key(3)])
    );
}

#[tokio::test]
async fn keys_left_unprocessed_are_a_throttling_error() {
    let key = json!({ "organization_id": { "S": id(1).as_str() } });
    let response = json!({
        "Responses": {},
        "UnprocessedKeys": { "organizations": { "Keys": [key] } },
    });
    let dynamodb = ScriptedDynamoDb::start(vec![(200, response); 6]).await;

    let error = dynamodb
        .organizations()
        .next_syncs(&[id(1)])
        .await
        .unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable()),
        (StoreErrorKind::Throttled, true)
    );
}
