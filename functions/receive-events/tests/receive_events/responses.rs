//! The response to each kind of delivery, and the message that it causes.

use receive_events::MAX_BODY_BYTES;
use rstest::rstest;
use runtime::{
    http::{HeaderValue, StatusCode, header},
    telemetry,
};
use serde_json::{Value, json};
use test_support::CapturedOutput;

use crate::{
    aws::Aws,
    support::{KEY, ORGANIZATION, SECRET, invocation, notification, request, signature, signed},
};

#[rstest]
#[case("bank-account.created", "events_bank_account_created")]
#[case("bank-account.updated", "events_bank_account_updated")]
#[case("payment.updated", "events_payment_updated")]
#[case("payment.failed", "events_payment_failed")]
#[case("risk-verification.updated", "events_risk_verification_updated")]
#[tokio::test]
async fn a_signed_event_queues_a_sync_of_its_organization(
    #[case] event_type: &str,
    #[case] metric: &str,
) {
    let (aws, invocation) = (Aws::start(Some(SECRET)).await, invocation());
    let delivery = signed(&notification(ORGANIZATION, "0b6f0a52", event_type));

    let response = aws
        .receive_events()
        .handle(&delivery, &invocation)
        .await
        .unwrap();

    assert_eq!(
        (
            response.status(),
            response.body(),
            invocation.metrics.total(metric)
        ),
        (StatusCode::OK, "", 1.0)
    );
    let messages = aws.messages();
    let [message] = &messages[..] else {
        panic!("not one message: {messages:?}")
    };
    let body: Value = serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(
        body["organization"],
        json!({ "id": ORGANIZATION, "archived": false })
    );
    assert_eq!(
        (&body["as_of"], &body["events_until"]),
        (
            &json!("2026-11-23T09:00:31Z"),
            &json!("2026-11-23T09:01:00Z")
        )
    );
    assert_eq!(message["MessageGroupId"], ORGANIZATION);
    assert_eq!(
        message["MessageDeduplicationId"],
        format!("{ORGANIZATION}#1795424460")
    );
}

#[rstest]
#[case::the_previous_key("fake-security-key-9c02", StatusCode::OK)]
#[case::another_key("fake-security-key-9c03", StatusCode::UNAUTHORIZED)]
#[tokio::test]
async fn either_key_verifies_plain_and_base64_bodies(
    #[case] key: &str,
    #[case] expected: StatusCode,
) {
    let aws = Aws::start(Some(SECRET)).await;
    let body = notification(ORGANIZATION, "0b6f0a52", "payment.updated").to_string();

    for base64 in [true, false] {
        let delivery = request(
            "POST",
            Some(&signature(key, body.as_bytes())),
            body.as_bytes(),
            base64,
        );
        let response = aws
            .receive_events()
            .handle(&delivery, &invocation())
            .await
            .unwrap();

        assert_eq!((response.status(), response.body()), (expected, ""));
        assert!(
            response.headers().is_empty(),
            "a response has nothing but its status"
        );
    }

    assert_eq!(
        aws.messages().len(),
        usize::from(expected == StatusCode::OK)
    );
}

#[tokio::test]
async fn an_unsigned_delivery_calls_neither_secrets_manager_nor_sqs() {
    let (aws, invocation) = (Aws::start(None).await, invocation());

    let response = aws
        .receive_events()
        .handle(&request("POST", None, b"{}", true), &invocation)
        .await
        .unwrap();

    assert_eq!(
        (
            response.status(),
            invocation.metrics.total("rejected_unsigned")
        ),
        (StatusCode::UNAUTHORIZED, 1.0)
    );
}

#[rstest]
#[case::the_longest(MAX_BODY_BYTES, StatusCode::OK, "events_unusable")]
#[case::a_longer_one(MAX_BODY_BYTES + 1, StatusCode::PAYLOAD_TOO_LARGE, "rejected_too_long")]
#[tokio::test]
async fn a_body_above_the_limit_gets_413(
    #[case] length: usize,
    #[case] expected: StatusCode,
    #[case] metric: &str,
) {
    let (aws, invocation) = (Aws::start(Some(SECRET)).await, invocation());
    let body = vec![b'x'; length];
    let delivery = request("POST", Some(&signature(KEY, &body)), &body, true);

    let response = aws
        .receive_events()
        .handle(&delivery, &invocation)
        .await
        .unwrap();

    assert_eq!(
        (
            response.status(),
            invocation.metrics.total(metric),
            aws.send_count()
        ),
        (expected, 1.0, 0)
    );
}

#[rstest]
#[case::of_another_type(
    notification(ORGANIZATION, "0b6f0a52", "invoice.created"),
    "events_of_other_types"
)]
#[case::without_an_organization(
    json!({ "metadata": { "eventId": "0b6f0a52", "eventType": "payment.updated" } }),
    "events_unusable"
)]
#[case::with_an_invalid_organization_id(
    notification("008/../x", "0b6f0a52", "payment.updated"),
    "events_unusable"
)]
#[case::without_metadata(json!({}), "events_unusable")]
#[tokio::test]
async fn unusable_events_are_acknowledged_and_counted(#[case] body: Value, #[case] metric: &str) {
    let (aws, invocation) = (Aws::start(Some(SECRET)).await, invocation());

    let response = aws
        .receive_events()
        .handle(&signed(&body), &invocation)
        .await
        .unwrap();

    assert_eq!(
        (
            response.status(),
            invocation.metrics.total(metric),
            aws.send_count()
        ),
        (StatusCode::OK, 1.0, 0)
    );
}

#[tokio::test]
async fn missing_keys_or_an_unavailable_queue_fail_the_delivery() {
    let delivery = signed(&notification(ORGANIZATION, "0b6f0a52", "payment.updated"));
    let (without_keys, without_queue) = (Aws::start(None).await, Aws::start(Some(SECRET)).await);
    without_queue.fail_sends("AccessDeniedException");

    for (aws, expected) in [
        (without_keys, "secret_missing"),
        (without_queue, "queue_unavailable"),
    ] {
        let failure = aws
            .receive_events()
            .handle(&delivery, &invocation())
            .await
            .map(|response| response.status())
            .unwrap_err();

        assert_eq!(failure.error_type.name(), expected);
        assert_eq!(aws.messages(), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn other_methods_get_405_with_an_allow_header() {
    let aws = Aws::start(Some(SECRET)).await;

    let response = aws
        .receive_events()
        .handle(&request("GET", None, b"", true), &invocation())
        .await
        .unwrap();

    assert_eq!(
        (response.status(), &response.headers()[header::ALLOW]),
        (
            StatusCode::METHOD_NOT_ALLOWED,
            &HeaderValue::from_static("POST")
        )
    );
}

#[tokio::test]
async fn logs_contain_nothing_of_the_delivery() {
    let logs = CapturedOutput::default();
    let _guard = telemetry::init_with_writer("debug", logs.clone());
    let aws = Aws::start(Some(SECRET)).await;
    let body = notification(ORGANIZATION, "0b6f0a52", "payment.updated").to_string();
    let forged = signature("another", body.as_bytes());
    let unreadable = request("POST", Some(&signature(KEY, b"Marisol")), b"Marisol", true);

    for delivery in [
        signed(&serde_json::from_str(&body).unwrap()),
        request("POST", Some(&forged), body.as_bytes(), true),
        unreadable,
    ] {
        aws.receive_events()
            .handle(&delivery, &invocation())
            .await
            .unwrap();
    }

    let text = logs.text();
    assert!(
        text.contains("0b6f0a52")
            && text.contains("rejected_wrong_signature")
            && text.contains("NotJson"),
        "{text}"
    );
    let good = signature(KEY, body.as_bytes());
    for private in [
        "Marisol",
        "bac02",
        "VERIFIED",
        KEY,
        forged.as_str(),
        good.as_str(),
    ] {
        assert!(!text.contains(private), "{private}: {text}");
    }
}
