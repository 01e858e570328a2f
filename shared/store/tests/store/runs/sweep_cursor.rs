//! The cursor.

use serde_json::json;
use store::{StoreErrorKind, SweepPosition, TableNames};

use crate::{
    fixtures::at,
    tables::{Tables, assert_items},
};

#[tokio::test]
async fn the_cursor_is_saved_replaced_and_cleared() {
    let tables = &Tables::create().await;
    let cursor = tables.sweep_cursor();
    cursor.clear().await.unwrap();
    assert_eq!(cursor.load().await.unwrap(), None);

    for page in ["page/2?=&", "page/3?=&"] {
        let position = SweepPosition {
            page: page.to_owned(),
            run_id: "run-1".to_owned(),
            saved_at: at("2026-11-23T06:00:00Z"),
        };
        cursor.save(&position).await.unwrap();
        assert_eq!(cursor.load().await.unwrap(), Some(position));
    }
    assert_items!(tables.items("runs").await, "cursor");

    cursor.clear().await.unwrap();
    cursor.clear().await.unwrap();
    assert_eq!(cursor.load().await.unwrap(), None);
}

#[tokio::test]
async fn an_unreadable_cursor_counts_as_none() {
    let tables = &Tables::create().await;
    let unreadable = json!({ "run": "cursor", "page": 7 });
    tables.put("runs", unreadable).await;

    assert_eq!(tables.sweep_cursor().load().await.unwrap(), None);
}

#[tokio::test]
async fn an_error_names_the_missing_table() {
    let tables = &Tables::create().await;
    let names = TableNames {
        runs_table: "no-such-table".to_owned(),
        ..test_support::table_names()
    };
    let missing = store::Tables::new(tables.client.clone(), names).sweep_cursor();

    let error = missing.load().await.unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable()),
        (StoreErrorKind::Refused, false)
    );
    let message = error.to_string();
    assert!(
        message.contains("no-such-table") && message.contains("ResourceNotFoundException"),
        "{message}"
    );
}
