//! Notices to start with, and what the tables contain of them.

use engagement::{Contact, Notice};
use serde_json::Value;
use store::ClaimOutcome;

use crate::{
    fixtures::{COUNT_RETENTION, claim, planned, write_notices},
    tables::Tables,
};

/// A due notice of the organization with this number.
pub async fn due_notice(tables: &Tables, number: usize) -> Notice {
    let planned = planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z");
    write_notices(tables, vec![planned]).await.remove(0)
}

/// A notice that `claim-1` holds.
pub async fn claimed_notice(tables: &Tables) -> Notice {
    let notice = due_notice(tables, 1).await;
    assert_eq!(
        tables
            .notices()
            .claim(&notice, None, &claim("claim-1"), COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed
    );
    notice
}

/// The contact that the notice is addressed to.
pub async fn contact(tables: &Tables, notice: &Notice) -> Option<Contact> {
    tables.contacts().get(&notice.address_hash).await.unwrap()
}

/// The item of the only notice in the table.
pub async fn only_item(tables: &Tables) -> Value {
    let mut items = tables.items("notices").await;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// Status and reason of an item.
pub fn status_of(item: &Value) -> (String, Option<String>) {
    (
        item["status"]["S"].as_str().unwrap().to_owned(),
        item["reason"]["S"].as_str().map(str::to_owned),
    )
}
