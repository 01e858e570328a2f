//! E-mails that SES does not accept, or may not have accepted.

use std::time::{Duration, Instant};

use local_cloud::AwsFault;
use notify::RunOutcome;
use rstest::rstest;

use crate::support::{TestOutbox, addresses, counts};

#[rstest]
#[case::rejected(
    AwsFault::error_response(400, "MessageRejected"),
    "failed:message_rejected"
)]
#[case::no_response(AwsFault::DropResponse, "unknown:no_answer")]
#[case::server_error(AwsFault::error_response(500, "InternalFailure"), "unknown:no_answer")]
#[case::account(
    AwsFault::error_response(400, "SendingPausedException"),
    "due:sending_paused"
)]
#[tokio::test]
async fn each_failure_is_recorded_and_ses_is_asked_once(
    #[case] fault: AwsFault,
    #[case] expected: &str,
) {
    let outbox = TestOutbox::start().await;
    outbox.write(&["marisol@kestrel.example"]).await;
    outbox.fail_sends(move |_| fault.clone());

    outbox.run().await;
    assert_eq!(outbox.statuses().await, counts(&[(expected, 1)]));
    assert_eq!(outbox.sends().len(), 1);

    outbox.fail_sends(|_| AwsFault::PassThrough);
    outbox.run().await;
    assert_eq!(outbox.sends().len(), 1, "not again in the next run");
}

#[tokio::test]
async fn a_throttled_e_mail_is_repeated_until_ses_accepts_it() {
    let outbox = TestOutbox::start().await;
    outbox.write(&["marisol@kestrel.example"]).await;
    let mut calls = 0;
    outbox.fail_sends(move |_| {
        calls += 1;
        if calls < 3 {
            AwsFault::error_response(429, "TooManyRequestsException")
        } else {
            AwsFault::PassThrough
        }
    });

    let summary = outbox.run().await;

    assert_eq!(summary.outcome, RunOutcome::Completed);
    assert_eq!(outbox.statuses().await, counts(&[("sent", 1)]));
    assert_eq!(outbox.sends().len(), 3);
}

#[tokio::test]
async fn an_e_mail_that_ses_keeps_throttling_is_due_again_later() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(1)).await;
    outbox.fail_sends(|_| AwsFault::error_response(429, "TooManyRequestsException"));

    let summary = outbox.run().await;

    assert_eq!(summary.notices, [("due:throttled".to_owned(), 1)].into());
    assert_eq!(outbox.sends().len(), 4);
}

#[tokio::test]
async fn a_run_sends_nothing_while_ses_does_not_respond() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(1)).await;
    outbox.fail_calls("ses.GetAccount", AwsFault::DropRequest);

    let summary = outbox.run().await;

    assert_eq!(summary.outcome, RunOutcome::MailUnavailable);
    assert_eq!(outbox.statuses().await, counts(&[("due", 1)]));
    assert_eq!(outbox.sends(), []);
}

#[tokio::test]
async fn a_run_sends_slowly_when_ses_does_not_return_the_rate() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(2)).await;
    let refused = AwsFault::error_response(400, "AccessDeniedException");
    outbox.fail_calls("ses.GetAccount", refused);
    let started = Instant::now();

    outbox.run().await;

    assert_eq!(outbox.statuses().await, counts(&[("sent", 2)]));
    assert!(
        started.elapsed() >= Duration::from_millis(900),
        "one e-mail per second"
    );
}

#[tokio::test]
async fn three_sends_in_a_row_without_a_response_stop_the_run() {
    let outbox = TestOutbox::start().await;
    outbox.write(&addresses(20)).await;
    outbox.fail_sends(|_| AwsFault::DropRequest);

    let summary = outbox.run().await;

    assert_eq!(summary.outcome, RunOutcome::MailUnavailable);
    let unknown = outbox.statuses().await["unknown:no_answer"];
    assert!(
        (3..=10).contains(&unknown),
        "no more than were under way at once: {unknown}"
    );
    assert_eq!(outbox.statuses().await["due"], 20 - unknown);
}
