//! The records of runs.

use serde_json::json;
use store::RunRecord;

use crate::{
    fixtures::at,
    tables::{Tables, assert_items},
};

#[tokio::test]
async fn a_run_record_is_replaced_by_a_run_of_the_same_as_of() {
    let tables = &Tables::create().await;
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
    tables.run_log().record(&record).await.unwrap();
    assert_items!(tables.items("runs").await, "run");

    record.run_id = "run-2".to_owned();
    tables.run_log().record(&record).await.unwrap();

    let items = tables.items("runs").await;
    assert_eq!(
        (items.len(), &items[0]["run_id"]["S"]),
        (1, &json!("run-2"))
    );
}
