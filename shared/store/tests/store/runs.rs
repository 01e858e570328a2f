//! The cursor and the records of the runs.

use serde_json::json;
use store::{Cursor, RunRecord};

use crate::{
    behaviours,
    fixtures::at,
    tables::{Tables, assert_items},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cursor_and_run_records_are_stored() {
    behaviours![
        the_cursor_is_kept_replaced_and_cleared,
        an_unreadable_cursor_counts_as_none,
        a_run_record_is_replaced_by_a_run_of_the_same_as_of,
        an_error_names_the_missing_table,
    ];
}

async fn the_cursor_is_kept_replaced_and_cleared(tables: &Tables) {
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

async fn an_unreadable_cursor_counts_as_none(tables: &Tables) {
    tables
        .put("runs", json!({ "run": "cursor", "page": 7 }))
        .await;
    assert_eq!(tables.runs().cursor().await.unwrap(), None);
}

async fn a_run_record_is_replaced_by_a_run_of_the_same_as_of(tables: &Tables) {
    let mut record = RunRecord {
        run: "fan-out#2026-11-23T06:00:00Z".to_owned(),
        run_id: "run-1".to_owned(),
        started_at: at("2026-11-23T06:00:02.5Z"),
        finished_at: at("2026-11-23T06:01:40Z"),
        outcome: "completed".to_owned(),
        pages: 3,
        organizations: 250,
        due: 40,
        queued: 40,
        skipped: 1,
    };
    tables.runs().record(&record).await.unwrap();
    assert_items!(tables.items("runs").await, "run");
    record.run_id = "run-2".to_owned();
    tables.runs().record(&record).await.unwrap();
    let items = tables.items("runs").await;
    assert_eq!(
        (items.len(), &items[0]["run_id"]["S"]),
        (1, &json!("run-2"))
    );
}

async fn an_error_names_the_missing_table(tables: &Tables) {
    let missing = store::Runs::new(tables.client.clone(), "no-such-table".to_owned());
    let error = missing.cursor().await.unwrap_err();
    assert_eq!(
        (error.type_name(), error.is_retryable()),
        ("store_refused", false)
    );
    let shown = error.to_string();
    assert!(
        shown.contains("no-such-table") && shown.contains("ResourceNotFoundException"),
        "{shown}"
    );
}
