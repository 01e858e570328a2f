//! Which failures are retried, how often, and after which delay.

use std::time::Duration;

use bill::{ErrorKind, OrganizationOrder};
use errors::ClassifiedError;
use sandbox::{FaultKind, Switches};
use tokio::time::Instant;

use crate::{
    scripted_server::{Reply, ScriptedServer, reply},
    support::{client, inject_fault, request_count, sandbox, status_fault, test_deadline},
};

#[tokio::test]
async fn transient_failures_are_retried_until_success() {
    let transient = [
        status_fault(500, None),
        status_fault(502, "BDC_1002"),
        status_fault(503, None),
        status_fault(408, None),
        status_fault(429, None),
        status_fault(422, "BDC_1322"),
        status_fault(429, "BDC_1322"),
        FaultKind::Html { status: 503 },
        FaultKind::Html { status: 200 },
        FaultKind::Truncated,
        FaultKind::Reset,
    ];

    for kind in transient {
        let sandbox = sandbox(Switches::default()).await;
        let bill = client(&sandbox);
        inject_fault(&sandbox, "listPartnerOrganizations", kind.clone(), 2);
        let page = bill
            .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap();
        assert_eq!(page.rows.len(), 12, "{kind:?}");
        assert_eq!(
            request_count(&sandbox, "listPartnerOrganizations"),
            3,
            "{kind:?}"
        );
        assert_eq!(sandbox.statistics().partner_logins, 1, "{kind:?}");
        assert_eq!(bill.requests(), 4, "{kind:?}");
    }
}

#[tokio::test]
async fn transient_failures_are_given_up_after_five_attempts() {
    let persistent = [
        (
            status_fault(503, None),
            "bill_unavailable",
            "listPartnerOrganizations: BILL is unavailable, status 503, BDC_1001, 5 attempts",
        ),
        (
            status_fault(422, "BDC_1322"),
            "bill_too_many_at_once",
            "listPartnerOrganizations: too many concurrent requests, status 422, BDC_1322, \
             5 attempts",
        ),
        (
            FaultKind::Html { status: 200 },
            "bill_bad_answer",
            "listPartnerOrganizations: unexpected response, body is not JSON, 5 attempts",
        ),
        (
            FaultKind::Truncated,
            "bill_bad_answer",
            "listPartnerOrganizations: unexpected response, body is incomplete, 5 attempts",
        ),
        (
            FaultKind::Reset,
            "bill_unavailable",
            "listPartnerOrganizations: BILL is unavailable, connection lost, 5 attempts",
        ),
    ];
    let tests = persistent.map(|(kind, type_name, text)| async move {
        let sandbox = sandbox(Switches::default()).await;
        inject_fault(&sandbox, "listPartnerOrganizations", kind, None);
        let error = client(&sandbox)
            .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap_err();
        assert_eq!(
            (error.error_type().name(), error.to_string().as_str()),
            (type_name, text)
        );
        assert!(error.is_retryable());
        assert_eq!(
            request_count(&sandbox, "listPartnerOrganizations"),
            5,
            "{text}"
        );
    });
    futures::future::join_all(tests).await;
}

#[tokio::test]
async fn permanent_failures_are_not_retried() {
    let permanent = [
        (
            status_fault(422, "BDC_1144"),
            ErrorKind::HourExhausted,
            "bill_hour_exhausted",
        ),
        (
            status_fault(429, "BDC_1144"),
            ErrorKind::HourExhausted,
            "bill_hour_exhausted",
        ),
        (
            status_fault(403, "BDC_1361"),
            ErrorKind::UntrustedSession,
            "bill_untrusted_session",
        ),
        (status_fault(400, None), ErrorKind::Refused, "bill_refused"),
        (
            status_fault(404, "BDC_1121"),
            ErrorKind::Refused,
            "bill_refused",
        ),
        (
            status_fault(422, "BDC_9999"),
            ErrorKind::Refused,
            "bill_refused",
        ),
        (
            FaultKind::Html { status: 403 },
            ErrorKind::BadAnswer,
            "bill_bad_answer",
        ),
    ];

    for (kind, expected, type_name) in permanent {
        let sandbox = sandbox(Switches::default()).await;
        inject_fault(&sandbox, "listPartnerOrganizations", kind.clone(), None);
        let error = client(&sandbox)
            .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.error_type().name()),
            (expected, type_name),
            "{kind:?}"
        );
        assert!(!error.is_retryable(), "{kind:?}");
        assert_eq!(
            request_count(&sandbox, "listPartnerOrganizations"),
            1,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn hourly_limit_with_422_or_429_stops_a_sign_in() {
    for limit_status in [422, 429] {
        let sandbox = sandbox(Switches {
            limit_status,
            hourly_limit: 0,
            retry_after: Some(1),
            ..Switches::default()
        })
        .await;
        let error = client(&sandbox)
            .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap_err();
        assert!(error.is_hour_exhausted(), "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
        assert_eq!(sandbox.statistics().requests, 1);
    }
}

#[tokio::test]
async fn retry_after_is_honoured_in_seconds_and_as_a_date() {
    let dated = |reply: Reply| reply.header("date", "Wed, 21 Oct 2026 07:28:00 GMT");
    let server = ScriptedServer::start([
        reply(503, "").header("retry-after", "1"),
        dated(reply(429, "[]").header("retry-after", "Wed, 21 Oct 2026 07:28:01 GMT")),
        reply(200, "{}"),
    ])
    .await;
    let started = Instant::now();
    server
        .client()
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();

    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}
