//! The cursor.

use serde_json::json;
use store::{Cursor, Runs};

use crate::{
    fixtures::at,
    tables::{Tables, assert_items},
};

pub async fn the_cursor_is_saved_replaced_and_cleared(tables: &Tables) {
    let runs = tables.runs();
    runs.clear_cursor().await.unwrap();
    assert_eq!(runs.cursor().await.unwrap(), None);

    for page in ["page/2?=&", "page/3?=&"] {
        let cursor = Cursor {
            page: page.to_owned(),
            run_id: "run-1".to_owned(),
            saved_at: at("2026-11-23T06:00:00Z"),
        };
        runs.save_cursor(&cursor).await.unwrap();
        assert_eq!(runs.cursor().await.unwrap(), Some(cursor));
    }
    assert_items!(tables.items("runs").await, "cursor");

    runs.clear_cursor().await.unwrap();
    runs.clear_cursor().await.unwrap();
    assert_eq!(runs.cursor().await.unwrap(), None);
}

pub async fn an_unreadable_cursor_counts_as_none(tables: &Tables) {
    let unreadable = json!({ "run": "cursor", "page": 7 });
    tables.put("runs", unreadable).await;

    assert_eq!(tables.runs().cursor().await.unwrap(), None);
}

pub async fn an_error_names_the_missing_table(tables: &Tables) {
    let missing = Runs::new(tables.client.clone(), "no-such-table".to_owned());

    let error = missing.cursor().await.unwrap_err();

    assert_eq!(
        (error.type_name(), error.is_retryable()),
        ("store_refused", false)
    );
    let message = error.to_string();
    assert!(
        message.contains("no-such-table") && message.contains("ResourceNotFoundException"),
        "{message}"
    );
}
