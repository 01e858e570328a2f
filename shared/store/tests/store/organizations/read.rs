//! Records and current stages.

use engagement::{CurrentStage, Stage};
use serde_json::json;
use store::StoreErrorKind;

use crate::{
    fixtures::{SYNCED_AT, at, decision, id, write_decision},
    tables::Tables,
};

#[tokio::test]
async fn an_unknown_organization_is_none() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();

    assert_eq!(organizations.get(&id(1)).await.unwrap(), None);
    assert!(
        organizations
            .current_stages([id(1)])
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_unreadable_record_is_an_error_without_item_contents() {
    let tables = &Tables::create().await;
    let unreadable = json!({
        "organization_id": id(1).as_str(),
        "stage": "levitating",
        "name": "Kestrel Bakehouse",
    });
    tables.put("organizations", unreadable).await;

    let error = tables.organizations().get(&id(1)).await.unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable()),
        (StoreErrorKind::Unreadable, false)
    );
    let message = format!("{error} {error:?}");
    assert!(
        message.contains("OrganizationsTable") && message.contains("organization_id"),
        "{message}"
    );
    assert!(
        !message.contains("levitating") && !message.contains("Kestrel Bakehouse"),
        "{message}"
    );
}

#[tokio::test]
async fn current_stages_are_read_in_batches_with_unreadable_items_as_none() {
    let tables = &Tables::create().await;
    for number in 0..3 {
        write_decision(tables, &decision(number, 1, SYNCED_AT, &[]), None).await;
    }
    let unreadable = json!({
        "organization_id": id(3).as_str(),
        "stage": "levitating",
        "stage_since": SYNCED_AT,
    });
    let never_synced = json!({
        "organization_id": id(4).as_str(),
        "sync_error": "bill_unavailable",
    });
    tables.put("organizations", unreadable).await;
    tables.put("organizations", never_synced).await;

    let ids = (0..150).chain(0..150).map(id);
    let current_stages = tables.organizations().current_stages(ids).await.unwrap();

    let expected = Some(CurrentStage {
        stage: Stage::Dormant30,
        since: at(SYNCED_AT),
    });
    assert_eq!(
        current_stages,
        (0..3)
            .map(|number| (id(number), expected))
            .chain([(id(3), None)])
            .collect()
    );
}
