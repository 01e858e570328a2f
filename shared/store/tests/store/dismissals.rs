//! What users closed in the partner's own product, beside the notices and out of their way.

use crate::{
    behaviours,
    fixtures::{CHECKED, at, id, planned, write_notices},
    tables::{Tables, assert_items},
};

const LATER: &str = "2026-11-23T07:00:00Z";
const MESSAGE: &str = "dormant_30-20261123T060000Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dismissal_lasts_and_disturbs_no_notice() {
    behaviours![
        a_message_is_dismissed_for_its_organization_alone,
        dismissing_again_keeps_the_first_moment,
        no_query_for_notices_finds_a_dismissal,
    ];
}

async fn a_message_is_dismissed_for_its_organization_alone(tables: &Tables) {
    let dismissals = tables.dismissals();
    dismissals.add(&id(1), MESSAGE, at(CHECKED)).await.unwrap();
    for (organization, message, expected) in [
        (1, MESSAGE, true),
        (1, "dormant_30-20261124T060000Z", false),
        (2, MESSAGE, false),
    ] {
        assert_eq!(
            dismissals.contains(&id(organization), message).await,
            Ok(expected),
            "{organization} {message}"
        );
    }
    assert_items!(tables.items("notices").await, "dismissal");
}

async fn dismissing_again_keeps_the_first_moment(tables: &Tables) {
    let dismissals = tables.dismissals();
    dismissals.add(&id(1), MESSAGE, at(CHECKED)).await.unwrap();
    let first = tables.items("notices").await;
    dismissals.add(&id(1), MESSAGE, at(LATER)).await.unwrap();
    assert_eq!(tables.items("notices").await, first);
}

async fn no_query_for_notices_finds_a_dismissal(tables: &Tables) {
    tables
        .dismissals()
        .add(&id(1), MESSAGE, at(CHECKED))
        .await
        .unwrap();
    let notices = write_notices(tables, vec![planned(1, "marisol@kestrel.example", CHECKED)]).await;
    let due = tables.notices().due(at(LATER), 10, |_| true).await.unwrap();
    assert_eq!(due.notices, notices);
    for index in ["by-due", "by-status"] {
        assert_eq!(tables.in_index("notices", index).await, 1, "{index}");
    }
    assert_eq!(tables.items("notices").await.len(), 2);
}
