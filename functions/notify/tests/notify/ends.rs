//! How runs end, and what they leave due.

use std::time::Duration;

use jiff::SignedDuration;
use notify::{Config, RunOutcome};
use runtime::ErrorType;
use serde_json::json;

use crate::support::{PLENTY_OF_TIME, TestOutbox, addresses, counts};

#[tokio::test]
async fn every_due_notice_is_sent_once() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(12)).await;

    let first = outbox.run().await;
    let second = outbox.run().await;

    assert_eq!(first.outcome, RunOutcome::Completed);
    assert_eq!(first.notices, [("sent".to_owned(), 12)].into());
    assert_eq!(second.notices, [].into());
    assert_eq!((outbox.accepted(), outbox.sends().len()), (12, 12));
    assert_eq!(outbox.statuses().await, counts(&[("sent", 12)]));
}

#[tokio::test]
async fn a_paused_run_sends_nothing_and_leaves_everything_due() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;

    for paused in ["true", " TRUE "] {
        outbox.pause(paused).await;
        assert_eq!(outbox.run().await.outcome, RunOutcome::Paused);
    }
    assert_eq!(outbox.statuses().await, counts(&[("due", 2)]));
    assert_eq!(outbox.sends(), []);

    outbox.pause("false").await;
    outbox.run().await;
    assert_eq!(outbox.statuses().await, counts(&[("sent", 2)]));
}

#[tokio::test]
async fn a_pause_parameter_that_cannot_be_read_sends_nothing() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;

    outbox.pause("maybe").await;
    let unreadable = outbox.run_with(outbox.config(), PLENTY_OF_TIME).await;
    assert_eq!(
        unreadable.unwrap_err().error_type,
        ErrorType::ParameterUnreadable
    );

    let config = Config {
        pause_parameter: "no-such-parameter".to_owned(),
        ..outbox.config()
    };
    let missing = outbox.run_with(config, PLENTY_OF_TIME).await.unwrap_err();
    assert_eq!(missing.error_type, ErrorType::ParameterUnreadable);

    assert_eq!(outbox.sends(), []);
    assert_eq!(outbox.statuses().await, counts(&[("due", 2)]));
}

#[tokio::test]
async fn no_e_mail_is_started_near_the_deadline() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;

    let summary = outbox
        .run_with(outbox.config(), Duration::from_secs(19))
        .await
        .unwrap();

    assert_eq!(summary.outcome, RunOutcome::OutOfTime);
    assert_eq!(outbox.sends(), []);
    assert_eq!(outbox.statuses().await, counts(&[("due", 2)]));
}

#[tokio::test]
async fn missing_keys_or_tables_fail_the_run_and_leave_everything_due() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;

    let mut config = outbox.config();
    config.unsubscribe_keys_secret = "no-such-secret".to_owned();
    let failure = outbox.run_with(config, PLENTY_OF_TIME).await.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::SecretMissing);

    let mut config = outbox.config();
    config.tables.organizations_table = "no-such-table".to_owned();
    let failure = outbox.run_with(config, PLENTY_OF_TIME).await.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::StoreRefused);

    assert_eq!(outbox.sends(), []);
    assert_eq!(outbox.statuses().await, counts(&[("due", 2)]));
}

#[tokio::test]
async fn a_dry_run_asks_ses_nothing_to_send() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;

    let dry_run = async || {
        let config = Config {
            dry_run: true,
            ..outbox.config()
        };
        let summary = outbox.run_with(config, PLENTY_OF_TIME).await.unwrap();
        assert_eq!(summary.notices, [("due:dry_run".to_owned(), 2)].into());
    };

    dry_run().await;
    let calls = outbox.proxy.calls_to("dynamodb.UpdateItem").len();
    dry_run().await;

    assert_eq!(outbox.sends(), []);
    assert_eq!(outbox.statuses().await, counts(&[("due:dry_run", 2)]));
    assert_eq!(
        (calls, outbox.proxy.calls_to("dynamodb.UpdateItem").len()),
        (2, 2),
        "the reason is written once"
    );
}

#[tokio::test]
async fn unknown_notices_are_counted_from_one_hour_to_twenty_five() {
    let outbox = TestOutbox::start().await;
    for minutes in [30, 90, 24 * 60, 26 * 60] {
        let unknown_since = outbox.now - SignedDuration::from_mins(minutes);
        let unknown = json!({
            "organization_id": "00802KESTREL",
            "notice": format!("{minutes}"),
            "status": "unknown",
            "updated_at": unknown_since.to_string(),
        });
        outbox.put(&outbox.names.notices_table, unknown).await;
    }

    assert_eq!(outbox.run().await.long_unknown, Some(2));
}

#[tokio::test]
async fn a_notice_that_waited_too_long_is_skipped() {
    let mut outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;
    outbox.now += SignedDuration::from_hours(72);

    let summary = outbox.run().await;

    assert_eq!(summary.notices, [("skipped:expired".to_owned(), 2)].into());
    assert_eq!(outbox.statuses().await, counts(&[("skipped:expired", 2)]));
    assert_eq!(outbox.sends(), []);
}

#[tokio::test]
async fn e_mails_of_thirty_days_stay_counted_without_caps() {
    let mut outbox = TestOutbox::start().await;
    let today = outbox.now;
    for days_ago in [31, 29, 0] {
        outbox.now = today - SignedDuration::from_hours(24 * days_ago);
        outbox.write(&["marisol@kestrel.example"]).await;
        outbox.run().await;
    }

    let contact = outbox.items(&outbox.names.contacts_table).await.remove(0);
    assert_eq!(contact["recent_mails"].as_array().unwrap().len(), 2);
}
