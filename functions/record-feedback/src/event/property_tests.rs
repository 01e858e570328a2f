use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SAMPLES: [&str; 2] = [
    include_str!("../../tests/events/bounce-permanent.json"),
    include_str!("../../tests/events/complaint.json"),
];

/// JSON pointers (RFC 6901) to the fields that are replaced.
const FIELD_POINTERS: [&str; 16] = [
    "/source",
    "/time",
    "/detail",
    "/detail/eventType",
    "/detail/bounce",
    "/detail/bounce/bounceType",
    "/detail/bounce/bouncedRecipients",
    "/detail/bounce/bouncedRecipients/0",
    "/detail/bounce/timestamp",
    "/detail/complaint/complainedRecipients/0/emailAddress",
    "/detail/mail",
    "/detail/mail/timestamp",
    "/detail/mail/destination",
    "/detail/mail/destination/0",
    "/detail/mail/tags",
    "/detail/mail/tags/notice_id",
];

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn arbitrary_text_is_rejected_without_a_panic(body in ".*") {
        prop_assert!(Event::parse(&body, Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn arbitrary_field_values_do_not_panic(
        value in json_value(),
        pointer in prop::sample::select(&FIELD_POINTERS[..]),
    ) {
        for sample in SAMPLES {
            let mut body: Value = serde_json::from_str(sample).unwrap();
            if let Some(field) = body.pointer_mut(pointer) {
                *field = value.clone();
            }
            drop(Event::parse(&body.to_string(), Timestamp::UNIX_EPOCH));
        }
    }

    #[test]
    fn only_an_object_is_accepted_as_detail(value in json_value()) {
        drop(Event::parse(&value.to_string(), Timestamp::UNIX_EPOCH));

        let body = json!({ "source": "aws.ses", "detail": value });
        let event = Event::parse(&body.to_string(), Timestamp::UNIX_EPOCH);
        prop_assert_eq!(event.is_ok(), value.is_object());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".*",
        Just("Bounce <@>".to_owned()),
        Just("+999999-12-31T23:59:60Z".to_owned())
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-zA-Z]{0,12}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
