use serde_json::json;

use super::*;

#[test]
fn wrong_missing_and_unknown_customers_are_mismatches() {
    let expected = ["a", "b", "c"]
        .map(|id| {
            (
                id.to_owned(),
                ExpectedStage {
                    stage: "active".to_owned(),
                    scenario: "pays".to_owned(),
                },
            )
        })
        .into();
    let found = [("a", "active"), ("b", "closed"), ("x", "active")]
        .map(|(id, stage)| (id.to_owned(), stage.to_owned()))
        .into();

    let mismatches = mismatches(&expected, &found);

    let ids: Vec<_> = mismatches
        .iter()
        .map(|mismatch| (mismatch.organization_id.as_str(), mismatch.found.as_deref()))
        .collect();
    assert_eq!(
        ids,
        [("b", Some("closed")), ("c", None), ("x", Some("active"))]
    );
}

#[test]
fn emails_with_equal_recipient_subject_and_text_are_duplicates() {
    assert_eq!(
        count_duplicates(&[
            email("1", "a", "1"),
            email("2", "b", "1"),
            email("3", "a", "2")
        ]),
        0
    );
    assert_eq!(
        count_duplicates(&[
            email("1", "a", "1"),
            email("2", "b", "1"),
            email("3", "a", "1")
        ]),
        1
    );
}

#[test]
fn email_is_matched_to_its_notice_by_message_id() {
    let emails = [email("1", "a", "1"), email("2", "b", "1")];
    let of_first = json!({"status": "sent", "message_id": "1"});
    assert_eq!(
        count_without_notice(&emails, &[of_first.clone(), json!({"status": "due"})]),
        1
    );
    assert_eq!(
        count_without_notice(
            &emails,
            &[of_first, json!({"status": "unknown", "message_id": "2"})]
        ),
        0
    );
}

#[test]
fn notices_are_counted_by_status_and_reason() {
    let notices = [
        json!({"status": "sent"}),
        json!({"status": "due", "reason": "capped"}),
        json!({"status": "sent", "reason": "delivery_delayed"}),
        json!({"status": "due", "reason": "capped"}),
        json!({"status": "sent"}),
    ];
    let expected = json!({"due": {"capped": 2}, "sent": {"none": 2, "delivery_delayed": 1}});
    assert_eq!(json!(by_status_and_reason(&notices)), expected);
}

#[test]
fn notice_with_ses_status_counts_as_accepted() {
    let is_accepted = |status: &str, reason: Option<&str>| {
        is_accepted(&json!({"status": status, "reason": reason}))
    };
    for status in ["sent", "delivered", "bounced", "complained"] {
        assert!(is_accepted(status, None), "{status}");
    }
    for status in ["due", "claimed", "skipped", "unknown", "failed"] {
        assert!(!is_accepted(status, None), "{status}");
    }
    assert!(
        is_accepted("failed", Some("content_rejected"))
            && is_accepted("failed", Some("rendering_failure"))
    );
    assert!(!is_accepted("failed", Some("message_rejected")));
}

#[test]
fn planned_notices_are_summed_over_metric_lines_only() {
    assert_eq!(notices_planned(&complete_log()), Some(5));
}

#[test]
fn planned_notices_are_unknown_when_an_invocation_has_no_metrics() {
    let mut log = complete_log();
    log.retain(|line| !line.contains("\"notices_planned\":2"));

    assert_eq!(notices_planned(&log), None);
}

/// The log of three invocations.
fn complete_log() -> Vec<String> {
    [
        "START RequestId: 1",
        r#"{"_aws":{},"function":"sync-organization","invocations":1,"notices_planned":3}"#,
        r#"{"level":"INFO","message":"stage entered","notices_planned":7}"#,
        "REPORT RequestId: 1",
        r#"{"_aws":{},"function":"sync-organization","invocations":1,"organizations_not_due":10}"#,
        "REPORT RequestId: 2",
        r#"{"_aws":{},"function":"sync-organization","invocations":1,"notices_planned":2}"#,
        "REPORT RequestId: 3",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn consistent_report_has_no_problems() {
    assert_eq!(report().problems(), Vec::<String>::new());
}

#[test]
fn each_inconsistent_number_is_a_problem() {
    type Mutation = fn(&mut Report);
    let mutations: [(Mutation, &str); 7] = [
        (
            |report| report.notices_written = Some(6),
            "6 notices were written, but 5 are in the table",
        ),
        (
            |report| report.notices_accepted = 2,
            "SES accepted 3 e-mails, but 2 notices have an accepted status",
        ),
        (
            |report| report.emails_without_notice = 1,
            "1 e-mails have no notice",
        ),
        (
            |report| report.duplicate_emails = 1,
            "1 e-mails were sent twice",
        ),
        (
            |report| report.stage_mismatches = 4,
            "4 customers are not in the stage that the sandbox expects",
        ),
        (
            |report| report.dead_letters = 2,
            "2 messages are in the dead-letter queue",
        ),
        (
            |report| (report.emails_sent, report.notices_accepted) = (0, 0),
            "no e-mail was sent",
        ),
    ];
    for (mutate, problem) in mutations {
        let mut report = report();
        mutate(&mut report);

        assert_eq!(report.problems(), [problem]);
    }
}

#[test]
fn requests_per_organization_is_rounded() {
    assert!((requests_per_organization(7, 3) - 2.33).abs() < 1e-9);
    assert!(requests_per_organization(7, 0).abs() < 1e-9);
}

fn email(message_id: &str, to: &str, text: &str) -> SentEmail {
    SentEmail {
        message_id: message_id.to_owned(),
        from: String::new(),
        to: to.to_owned(),
        subject: "Hello".to_owned(),
        text: text.to_owned(),
        html: String::new(),
        sent_at: Timestamp::UNIX_EPOCH,
    }
}

/// A consistent report: five notices, three of them sent.
fn report() -> Report {
    let counts = |counts: &[(&str, usize)]| {
        counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    Report {
        organizations: 4,
        synced: 4,
        stages: counts(&[("active", 4)]),
        stage_mismatches: 0,
        notices_written: Some(5),
        notices: [
            ("sent".to_owned(), counts(&[("none", 3)])),
            ("due".to_owned(), counts(&[("capped", 2)])),
        ]
        .into(),
        notices_accepted: 3,
        emails_sent: 3,
        duplicate_emails: 0,
        emails_without_notice: 0,
        dead_letters: 0,
        bill_requests: 16,
        bill_requests_per_organization: 4.0,
        seconds: 1.0,
        mismatches: Vec::new(),
    }
}
