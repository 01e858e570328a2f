//! The daily limit of e-mails.

use std::time::Duration;

use jiff::{SignedDuration, tz::TimeZone};
use local_cloud::AwsFault;
use tokio::time::timeout;

use crate::support::{PLENTY_OF_TIME, TestOutbox, addresses, counts};

#[tokio::test]
async fn the_rest_of_the_day_waits_for_the_next_day() {
    let mut outbox = TestOutbox::start().await;
    outbox.write(&addresses(5)).await;

    run(&outbox, 3).await;
    assert_eq!(
        outbox.statuses().await,
        counts(&[("due:daily_limit", 2), ("sent", 3)])
    );
    run(&outbox, 3).await;
    assert_eq!(outbox.accepted(), 3);

    outbox.now += SignedDuration::from_hours(24);
    run(&outbox, 3).await;
    assert_eq!(outbox.statuses().await, counts(&[("sent", 5)]));
}

#[tokio::test]
async fn a_run_returns_what_it_did_not_use() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;
    run(&outbox, 40).await;

    let used = outbox.tables.daily_quota();
    let day = TimeZone::UTC.to_datetime(outbox.now).date();
    assert_eq!(used.reserve(day, 50, 40).await.unwrap(), 38);
}

#[tokio::test]
async fn an_e_mail_that_ses_rejected_does_not_count() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(4)).await;
    outbox.fail_sends(|call| {
        if call.number % 2 == 0 {
            AwsFault::error_response(400, "MessageRejected")
        } else {
            AwsFault::PassThrough
        }
    });

    run(&outbox, 4).await;
    let rejected = outbox.sends().len() - outbox.accepted();

    let day = TimeZone::UTC.to_datetime(outbox.now).date();
    let left = outbox.tables.daily_quota().reserve(day, 50, 4).await;
    assert_eq!(left.unwrap() as usize, rejected);
}

#[tokio::test]
async fn a_send_that_is_cancelled_still_counts() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;
    outbox.fail_sends(|_| AwsFault::Delay(Duration::from_mins(10)));

    let cancelled = outbox.run_with(outbox.limited_to(2), PLENTY_OF_TIME);
    assert!(timeout(Duration::from_secs(3), cancelled).await.is_err());
    assert_eq!(outbox.sends().len(), 2, "both are under way");

    outbox.fail_sends(|_| AwsFault::PassThrough);
    outbox.write(&["late@kestrel.example"]).await;
    run(&outbox, 2).await;

    assert_eq!(outbox.sends().len(), 2, "the day has none left");
    assert_eq!(
        outbox.statuses().await,
        counts(&[("claimed", 2), ("due:daily_limit", 1)])
    );
}

async fn run(outbox: &TestOutbox, limit: u32) {
    outbox
        .run_with(outbox.limited_to(limit), PLENTY_OF_TIME)
        .await
        .unwrap();
}
