//! Which organizations are due, in which order.

use engagement::{CHECK_BUCKETS, check_bucket};
use serde_json::json;

use crate::{
    fixtures::{at, id},
    tables::Tables,
};

#[tokio::test]
async fn the_longest_overdue_come_first_over_all_buckets() {
    const ORGANIZATIONS: usize = 120;

    let tables = &Tables::create().await;
    let minute = |number: usize| format!("2026-11-23T06:{:02}:00Z", (number * 37) % 60);
    for number in 0..ORGANIZATIONS {
        put(tables, number, &minute(number)).await;
    }
    let buckets: std::collections::BTreeSet<u8> = (0..ORGANIZATIONS)
        .map(|number| check_bucket(&id(number)))
        .collect();
    assert_eq!(buckets.len(), usize::from(CHECK_BUCKETS));
    let organizations = tables.organizations();

    let mut expected: Vec<_> = (0..ORGANIZATIONS)
        .map(|number| (at(&minute(number)), id(number)))
        .filter(|(next_check_at, _)| *next_check_at <= at("2026-11-23T06:30:00Z"))
        .collect();
    expected.sort();
    for limit in [0, 1, 7, 50, usize::MAX] {
        let due = organizations
            .due(at("2026-11-23T06:30:00.9Z"), limit)
            .await
            .unwrap();
        let due: Vec<_> = due
            .into_iter()
            .map(|organization| (organization.next_check_at, organization.id))
            .collect();
        assert_eq!(due, expected[..limit.min(expected.len())], "{limit}");
    }
}

async fn put(tables: &Tables, number: usize, next_check_at: &str) {
    let item = json!({
        "organization_id": id(number).as_str(),
        "check_bucket": check_bucket(&id(number)),
        "next_check_at": next_check_at,
    });
    tables.put("organizations", item).await;
}
