use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn notification(event_type: &str) -> Value {
    json!({
        "metadata": {
            "eventId": "0b6f0a52-90c9-4a0a-9a70-0d3c5d1c1a08",
            "subscriptionId": "c1f0a5c2-7a6e-4b7e-8f55-0d2b9d1f6a10",
            "organizationId": "00802JUNIPERCYCL4xd9",
            "eventType": event_type,
            "version": "1",
        },
        "bank-account": {
            "id": "bac02JUNIPERBANK3fq8",
            "nameOnAccount": "Juniper \"Cycle\" Works",
        },
    })
}

fn parse(body: &Value) -> Result<Notification, NotificationError> {
    Notification::parse(body.to_string().as_bytes())
}

fn json_string(value: &Value) -> Value {
    Value::String(value.to_string())
}

fn envelope(payload: &Value) -> Value {
    json!({
        "id": "another",
        "type": "another",
        "version": "1",
        "subscriptionId": "another",
        "payload": payload,
        "statusCode": 200,
    })
}

#[rstest]
#[case::the_notification(notification("payment.updated"))]
#[case::json_string(json_string(&notification("payment.updated")))]
#[case::envelope_with_json_string(envelope(&json_string(&notification("payment.updated"))))]
#[case::envelope_with_object(envelope(&notification("payment.updated")))]
#[case::json_string_with_envelope(json_string(&envelope(&notification("payment.updated"))))]
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
    let parsed = parse(&notification(name)).unwrap().event_type;
    assert_eq!(parsed, event_type);
    assert_eq!(parsed.to_string(), name);
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
    let mut body = notification("payment.updated");
    body["metadata"][field] = value;
    assert_eq!(parse(&body), Err(NotificationError::InvalidField(field)));
}

#[test]
fn missing_subscription_id_is_accepted() {
    let mut body = notification("payment.updated");
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
    let mut body = notification("payment.updated");
    for _ in 0..12 {
        body = json_string(&body);
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

    /// Changing one byte of a valid body reaches more of the parser than arbitrary bytes do.
    #[test]
    fn notification_with_one_changed_byte_never_panics(
        at in 0_usize..300,
        byte in any::<u8>(),
        form in 0..3,
    ) {
        let whole = match form {
            0 => notification("payment.updated"),
            1 => json_string(&notification("payment.updated")),
            _ => envelope(&json_string(&notification("payment.updated"))),
        };
        let mut body = whole.to_string().into_bytes();
        let at = at % body.len();
        body[at] = byte;

        if let Ok(parsed) = Notification::parse(&body) {
            prop_assert!(parsed.organization_id.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn parsed_ids_equal_the_sent_ids(
        organization_id in "008[0-9A-Za-z]{17,18}",
        event_id in "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ) {
        let mut body = notification("bank-account.updated");
        body["metadata"]["organizationId"] = organization_id.clone().into();
        body["metadata"]["eventId"] = event_id.clone().into();

        let parsed = parse(&envelope(&json_string(&body))).unwrap();

        prop_assert_eq!(
            (parsed.organization_id, parsed.event_id),
            (organization_id, event_id)
        );
    }
}
