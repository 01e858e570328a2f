use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn plain(event_type: &str) -> Value {
    json!({
        "metadata": {
            "eventId": "0b6f0a52-90c9-4a0a-9a70-0d3c5d1c1a08",
            "subscriptionId": "c1f0a5c2-7a6e-4b7e-8f55-0d2b9d1f6a10",
            "organizationId": "00802JUNIPERCYCL4xd9",
            "eventType": event_type,
            "version": "1",
        },
        "bank-account": { "id": "bac02JUNIPERBANK3fq8", "nameOnAccount": "Juniper \"Cycle\" Works" },
    })
}

fn parse(body: &Value) -> Result<Notification, NotificationError> {
    Notification::parse(body.to_string().as_bytes())
}

fn text(value: &Value) -> Value {
    Value::String(value.to_string())
}

fn envelope(payload: &Value) -> Value {
    json!({"id": "another", "type": "another", "version": "1", "subscriptionId": "another", "payload": payload, "statusCode": 200})
}

#[rstest]
#[case::the_notification(plain("payment.updated"))]
#[case::json_string(text(&plain("payment.updated")))]
#[case::envelope_with_json_string(envelope(&text(&plain("payment.updated"))))]
#[case::envelope_with_object(envelope(&plain("payment.updated")))]
#[case::json_string_with_envelope(text(&envelope(&plain("payment.updated"))))]
fn all_envelope_forms_parse_to_the_same_notification(#[case] body: Value) {
    let expected = Notification {
        event_id: "0b6f0a52-90c9-4a0a-9a70-0d3c5d1c1a08".to_owned(),
        organization_id: "00802JUNIPERCYCL4xd9".to_owned(),
        event_type: EventType::PaymentUpdated,
        subscription_id: Some("c1f0a5c2-7a6e-4b7e-8f55-0d2b9d1f6a10".to_owned()),
    };
    assert_eq!(parse(&body), Ok(expected));
}

#[rstest]
#[case("bank-account.created", EventType::BankAccountCreated)]
#[case("bank-account.updated", EventType::BankAccountUpdated)]
#[case("payment.updated", EventType::PaymentUpdated)]
#[case("payment.failed", EventType::PaymentFailed)]
#[case("risk-verification.updated", EventType::RiskVerificationUpdated)]
#[case("invoice.created", EventType::Other("invoice.created".to_owned()))]
fn event_types_round_trip_with_bill_names(#[case] name: &str, #[case] event_type: EventType) {
    let read = parse(&plain(name)).unwrap().event_type;
    assert_eq!(read, event_type);
    assert_eq!(read.to_string(), name);
}

#[rstest]
#[case("eventId", json!(null))]
#[case("eventId", json!(""))]
#[case("organizationId", json!({"id": "008"}))]
#[case("organizationId", json!("008 02"))]
#[case("organizationId", json!("008\n02"))]
#[case("organizationId", json!("0".repeat(101)))]
#[case("eventType", json!(7))]
fn invalid_metadata_field_is_named_in_the_error(#[case] field: &'static str, #[case] value: Value) {
    let mut body = plain("payment.updated");
    body["metadata"][field] = value;
    assert_eq!(parse(&body), Err(NotificationError::Unusable(field)));
}

#[test]
fn missing_subscription_id_is_accepted() {
    let mut body = plain("payment.updated");
    body["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("subscriptionId");
    assert_eq!(parse(&body).unwrap().subscription_id, None);
}

#[rstest]
#[case("", NotificationError::NotJson)]
#[case("hello", NotificationError::NotJson)]
#[case("\"hello\"", NotificationError::NotJson)]
#[case("{\"metadata\":", NotificationError::NotJson)]
#[case("{}", NotificationError::NoMetadata)]
#[case("null", NotificationError::NoMetadata)]
#[case("[]", NotificationError::NoMetadata)]
#[case("{\"payload\":7}", NotificationError::NoMetadata)]
#[case(
    "{\"metadata\":[\"a\",\"b\",\"c\",\"d\"]}",
    NotificationError::NoMetadata
)]
#[case("{\"metadata\":{},\"metadata\":{}}", NotificationError::NoMetadata)]
fn bodies_that_are_not_notifications_are_rejected(
    #[case] body: &str,
    #[case] error: NotificationError,
) {
    assert_eq!(Notification::parse(body.as_bytes()), Err(error));
}

#[test]
fn nesting_beyond_the_limit_is_rejected() {
    let mut body = plain("payment.updated");
    for _ in 0..12 {
        body = text(&body);
    }
    assert_eq!(parse(&body), Err(NotificationError::NoMetadata));
    assert_eq!(
        Notification::parse("{\"payload\":".repeat(10_000).as_bytes()),
        Err(NotificationError::NotJson)
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Notification::parse(&body);
    }

    /// Bodies that differ from a real one in one place reach deeper than arbitrary bytes do.
    #[test]
    fn a_damaged_notification_never_panics(at in 0_usize..300, byte in any::<u8>(), form in 0..3) {
        let whole = match form {
            0 => plain("payment.updated"),
            1 => text(&plain("payment.updated")),
            _ => envelope(&text(&plain("payment.updated"))),
        };
        let mut body = whole.to_string().into_bytes();
        let at = at % body.len();
        body[at] = byte;
        if let Ok(read) = Notification::parse(&body) {
            prop_assert!(read.organization_id.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn parsed_ids_equal_the_sent_ids(organization_id in "008[0-9A-Za-z]{17,18}", event_id in "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
        let mut body = plain("bank-account.updated");
        body["metadata"]["organizationId"] = organization_id.clone().into();
        body["metadata"]["eventId"] = event_id.clone().into();
        let read = parse(&envelope(&text(&body))).unwrap();
        prop_assert_eq!((read.organization_id, read.event_id), (organization_id, event_id));
    }
}
