//! Runs at the same time.

use futures::future::join_all;

use crate::support::{TestOutbox, addresses, counts};

#[tokio::test]
async fn four_runs_at_once_send_each_notice_once() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(40)).await;

    let summaries = join_all((0..4).map(|_| outbox.run())).await;

    let sent: u64 = summaries
        .iter()
        .filter_map(|summary| summary.notices.get("sent"))
        .sum();
    assert_eq!(sent, 40);
    assert_eq!((outbox.accepted(), outbox.sends().len()), (40, 40));
    assert_eq!(outbox.statuses().await, counts(&[("sent", 40)]));
}

#[tokio::test]
async fn notices_to_one_address_are_claimed_one_after_the_other() {
    let outbox = TestOutbox::start().await;
    let same = ["marisol@kestrel.example"; 6];
    outbox.write(&same).await;

    let summaries = join_all((0..2).map(|_| outbox.run())).await;
    // A run gives a notice up when its contact keeps changing; the notice stays due.
    let mut rounds = 0;
    while outbox.statuses().await != counts(&[("sent", 6)]) {
        rounds += 1;
        assert!(rounds < 5, "{:?} {summaries:?}", outbox.statuses().await);
        outbox.run().await;
    }

    assert_eq!((outbox.accepted(), outbox.sends().len()), (6, 6));
    let contacts = outbox.items(&outbox.names.contacts_table).await;
    assert_eq!(contacts[0]["recent_mails"].as_array().unwrap().len(), 6);
}
