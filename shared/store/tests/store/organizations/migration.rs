//! Items of the last release, which are not in the index.

use serde_json::json;

use crate::{
    fixtures::{at, id},
    tables::Tables,
};

const NOW: &str = "2026-11-23T12:00:00Z";

#[tokio::test]
async fn items_of_the_last_release_are_added_to_the_index_once() {
    let tables = &Tables::create().await;
    let items = [
        json!({ "organization_id": id(0).as_str(), "next_check_at": "2026-11-23T06:00:00Z" }),
        json!({ "organization_id": id(1).as_str(), "next_check_at": "soon" }),
        json!({ "organization_id": id(2).as_str() }),
        json!({ "organization_id": id(3).as_str(), "next_check_at": NOW, "schema_version": 2 }),
    ];
    for item in items {
        tables.put("organizations", item).await;
    }
    let organizations = tables.organizations();

    let mut added = 0;
    let mut after = None;
    loop {
        let page = organizations
            .migrate_page(after.as_ref(), at(NOW))
            .await
            .unwrap();
        added += page.added;
        after = page.next;
        if after.is_none() {
            break;
        }
    }

    assert_eq!(added, 3);
    let due = organizations.due(at(NOW), 10).await.unwrap();
    let due: Vec<_> = due
        .into_iter()
        .map(|organization| organization.id)
        .collect();
    assert_eq!(due[0], id(0), "since six hours");
    assert_eq!(due.len(), 3, "the newer item is left as it is");
    let again = organizations.migrate_page(None, at(NOW)).await.unwrap();
    assert_eq!(again.added, 0);
}
