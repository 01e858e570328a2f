//! What each kind of answer leads to.

use std::time::Duration;

use bill::ErrorKind;
use sandbox::{FaultKind, Switches};
use tokio::time::Instant;

use crate::{
    scripted::{Script, reply},
    support::{any_organization, calls, client, fault, sandbox, soon, status, within},
};

#[tokio::test]
async fn transient_failures_are_retried_until_success() {
    let passing = [
        status(500, None),
        status(502, "BDC_1002"),
        status(503, None),
        status(408, None),
        status(429, None),
        status(422, "BDC_1322"),
        status(429, "BDC_1322"),
        FaultKind::Html { status: 503 },
        FaultKind::Html { status: 200 },
        FaultKind::Truncated,
        FaultKind::Reset,
    ];
    for kind in passing {
        let sandbox = sandbox(Switches::default()).await;
        let bill = client(&sandbox);
        fault(&sandbox, "listPartnerOrganizations", kind.clone(), 2);
        let page = bill.organizations(None, soon()).await.unwrap();
        assert_eq!(page.rows.len(), 12, "{kind:?}");
        assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 3, "{kind:?}");
        assert_eq!(sandbox.statistics().partner_logins, 1, "{kind:?}");
        assert_eq!(bill.requests(), 4, "{kind:?}");
    }
}

#[tokio::test]
async fn transient_failures_are_given_up_after_five_attempts() {
    let lasting = [
        (
            status(503, None),
            "bill_unavailable",
            "listPartnerOrganizations: BILL is unavailable, status 503, BDC_1001, 5 tries",
        ),
        (
            status(422, "BDC_1322"),
            "bill_too_many_at_once",
            "listPartnerOrganizations: too many requests at once, status 422, BDC_1322, 5 tries",
        ),
        (
            FaultKind::Html { status: 200 },
            "bill_bad_answer",
            "listPartnerOrganizations: answer is unreadable, body is not JSON, 5 tries",
        ),
        (
            FaultKind::Truncated,
            "bill_bad_answer",
            "listPartnerOrganizations: answer is unreadable, body is cut off, 5 tries",
        ),
        (
            FaultKind::Reset,
            "bill_unavailable",
            "listPartnerOrganizations: BILL is unavailable, connection broke, 5 tries",
        ),
    ];
    let all = lasting.map(|(kind, type_name, text)| async move {
        let sandbox = sandbox(Switches::default()).await;
        fault(&sandbox, "listPartnerOrganizations", kind, None);
        let error = client(&sandbox)
            .organizations(None, soon())
            .await
            .unwrap_err();
        assert_eq!(
            (error.type_name(), error.to_string().as_str()),
            (type_name, text)
        );
        assert!(error.is_retryable());
        assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 5, "{text}");
    });
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn permanent_failures_are_not_retried() {
    let final_answers = [
        (
            status(422, "BDC_1144"),
            ErrorKind::HourExhausted,
            "bill_hour_exhausted",
        ),
        (
            status(429, "BDC_1144"),
            ErrorKind::HourExhausted,
            "bill_hour_exhausted",
        ),
        (
            status(403, "BDC_1361"),
            ErrorKind::UntrustedSession,
            "bill_untrusted_session",
        ),
        (status(400, None), ErrorKind::Refused, "bill_refused"),
        (status(404, "BDC_1121"), ErrorKind::Refused, "bill_refused"),
        (status(422, "BDC_9999"), ErrorKind::Refused, "bill_refused"),
        (
            FaultKind::Html { status: 403 },
            ErrorKind::Refused,
            "bill_refused",
        ),
    ];
    for (kind, expected, type_name) in final_answers {
        let sandbox = sandbox(Switches::default()).await;
        fault(&sandbox, "listPartnerOrganizations", kind.clone(), None);
        let error = client(&sandbox)
            .organizations(None, soon())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.type_name()),
            (expected, type_name),
            "{kind:?}"
        );
        assert!(!error.is_retryable(), "{kind:?}");
        assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 1, "{kind:?}");
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
            .organizations(None, soon())
            .await
            .unwrap_err();
        assert!(error.is_hour_exhausted(), "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
        assert_eq!(sandbox.statistics().requests, 1);
    }
}

#[tokio::test]
async fn slow_response_is_abandoned_at_the_deadline() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    bill.organizations(None, soon()).await.unwrap();
    fault(
        &sandbox,
        "listPartnerOrganizations",
        FaultKind::Delay {
            milliseconds: 60_000,
        },
        None,
    );
    let started = Instant::now();
    let error = bill.organizations(None, within(2_000)).await.unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        error.to_string(),
        "listPartnerOrganizations: out of time (before it: listPartnerOrganizations: BILL is unavailable, timed out)"
    );
    assert_eq!(error.type_name(), "bill_deadline");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_fails_immediately() {
    let sandbox = sandbox(Switches::default()).await;
    fault(
        &sandbox,
        "listPartnerOrganizations",
        FaultKind::Status {
            status: 503,
            code: None,
            retry_after: Some(60),
        },
        None,
    );
    let started = Instant::now();
    let error = client(&sandbox)
        .organizations(None, within(50_000))
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(
        (error.status(), error.retry_after()),
        (Some(503), Some(Duration::from_mins(1)))
    );
    assert_eq!(error.last().unwrap().kind(), ErrorKind::Unavailable);
    assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 1);

    let late = client(&sandbox)
        .organizations(None, Instant::now())
        .await
        .unwrap_err();
    assert_eq!(
        (late.kind(), late.last().is_none()),
        (ErrorKind::Deadline, true)
    );
}

#[tokio::test]
async fn deadline_while_waiting_for_a_permit_keeps_the_previous_error() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let scope = bill.organization(&organization_id, within(2_500));
    scope.sign_in(&user_id).await.unwrap();
    fault(
        &sandbox,
        "listPayments",
        FaultKind::Status {
            status: 503,
            code: None,
            retry_after: Some(1),
        },
        1,
    );
    fault(
        &sandbox,
        "listBankAccounts",
        FaultKind::Delay {
            milliseconds: 10_000,
        },
        None,
    );
    let slow = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        scope.bank_accounts().await
    };
    let slow_too = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        scope.bank_accounts().await
    };
    let (payments, slow, slow_too) = tokio::join!(scope.payments_page(None), slow, slow_too);
    let error = payments.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Deadline, Some(503))
    );
    assert_eq!(slow.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(slow_too.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(calls(&sandbox, "listPayments"), 1);
}

#[tokio::test]
async fn retry_after_is_honoured_in_seconds_and_as_a_date() {
    let dated =
        |reply: crate::scripted::Reply| reply.header("date", "Wed, 21 Oct 2026 07:28:00 GMT");
    let script = Script::start([
        reply(503, "").header("retry-after", "1"),
        dated(reply(429, "[]").header("retry-after", "Wed, 21 Oct 2026 07:28:01 GMT")),
        reply(200, "{}"),
    ])
    .await;
    let started = Instant::now();
    script.client().organizations(None, soon()).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    ); // and less than the deadline
}

#[tokio::test]
async fn overflowing_retry_after_is_a_deadline_error() {
    let script =
        Script::start([reply(503, "").header("retry-after", "18446744073709551615")]).await;
    let error = script
        .client()
        .organizations(None, soon())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let script =
        Script::start([reply(302, "").header("location", "http://127.0.0.1:9/elsewhere")]).await;
    let error = script
        .client()
        .organizations(None, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Refused, Some(302))
    );
}

#[tokio::test]
async fn refused_connection_is_unavailable() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, _) = any_organization(&sandbox);
    let bill = client(&sandbox);
    drop(sandbox);
    let error = bill
        .organization(&organization_id, soon())
        .users()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.operation().id(), "partnerLogin");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}
