//! Items that cannot be read, among good ones.

use serde_json::json;

use crate::support::{TestOutbox, counts};

#[tokio::test]
async fn an_unreadable_contact_or_organization_keeps_only_its_own_notice() {
    let outbox = TestOutbox::start().await;
    let notices = outbox
        .write(&[
            "marisol@kestrel.example",
            "tomas@kestrel.example",
            "ana@kestrel.example",
        ])
        .await;
    let contacts = outbox.names.contacts_table.clone();
    let contact = json!({ "address_hash": notices[0].address_hash.to_string(), "mails": "many" });
    outbox.put(&contacts, contact).await;
    let organizations = outbox.names.organizations_table.clone();
    let organization = json!({
        "organization_id": notices[1].organization_id.to_string(),
        "stage": "levitating",
    });
    outbox.put(&organizations, organization).await;

    let summary = outbox.run().await;

    assert_eq!(summary.unreadable, 2);
    assert_eq!(outbox.statuses().await, counts(&[("due", 2), ("sent", 1)]));
    assert_eq!(outbox.accepted(), 1);
}

#[tokio::test]
async fn an_unreadable_notice_does_not_stop_the_others() {
    let outbox = TestOutbox::start().await;
    outbox.write(&["marisol@kestrel.example"]).await;
    let notices = outbox.names.notices_table.clone();
    let mut broken = outbox.items(&notices).await.remove(0);
    broken["notice"] = json!("x#miss_you#x");
    broken["priority"] = json!("urgent");
    outbox.put(&notices, broken).await;

    let summary = outbox.run().await;

    assert_eq!(summary.unreadable, 1);
    assert_eq!(outbox.statuses().await, counts(&[("due", 1), ("sent", 1)]));
}
