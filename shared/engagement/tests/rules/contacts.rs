//! Contacts: event stamps, suppression, and unsubscribe tokens.

use engagement::{
    AddressHashKey, Category, Contact, EmailSubscription, EventStamp, Suppression, UnsubscribeKeys,
};
use rstest::rstest;
use serde_json::json;
use strum::IntoEnumIterator;

use crate::support::{days, later};

#[rstest]
#[case::two(&[0, 1], None)]
#[case::three_within_thirty_days(&[0, 10, 30], Some(Suppression::SoftBounces))]
#[case::three_over_more(&[0, 10, 31], None)]
#[case::three_of_many(&[0, 40, 80, 90, 100], Some(Suppression::SoftBounces))]
fn three_soft_bounces_within_thirty_days_suppress_for_good(
    #[case] at_days: &[i64],
    #[case] suppression: Option<Suppression>,
) {
    let soft_bounces = at_days
        .iter()
        .map(|day| EventStamp::new(later(days(*day)), format!("feedback-{day}")))
        .collect();
    assert_eq!(
        Contact {
            soft_bounces,
            ..contact()
        }
        .suppression(),
        suppression
    );
}

#[test]
fn complaint_takes_precedence_over_hard_bounce() {
    let bounced = Contact {
        hard_bounced_at: Some(later(days(1))),
        ..contact()
    };

    assert_eq!(bounced.suppression(), Some(Suppression::HardBounce));
    assert_eq!(
        Contact {
            complained_at: Some(later(days(2))),
            ..bounced
        }
        .suppression(),
        Some(Suppression::Complaint)
    );
}

#[test]
fn event_stamp_round_trips_through_text() {
    let stamp = EventStamp::new("2026-11-23T06:00:00.5Z".parse().unwrap(), "8f3c/12");

    assert_eq!(stamp.to_string(), "2026-11-23T06:00:00Z#8f3c/12");
    assert_eq!(json!(stamp), json!("2026-11-23T06:00:00Z#8f3c/12"));
    assert_eq!("2026-11-23T06:00:00Z#8f3c/12".parse(), Ok(stamp));
    assert!(
        "8f3c/12".parse::<EventStamp>().is_err() && "yesterday#1".parse::<EventStamp>().is_err()
    );
}

#[test]
fn token_verifies_after_key_rotation() {
    let old = keys(&json!({"current": "k1", "k1": KEY}));
    let new = keys(&json!({"current": "k2", "k1": KEY, "k2": OTHER}));

    for category in Category::iter() {
        let subscription = EmailSubscription {
            address_hash: contact().address_hash,
            category,
        };
        assert_eq!(
            new.verify(&old.sign(&subscription)),
            Some(subscription.clone())
        );
        assert_eq!(
            new.verify(&new.sign(&subscription)),
            Some(subscription.clone())
        );
        assert_eq!(
            old.verify(&new.sign(&subscription)),
            None,
            "a token of an unknown key is not valid"
        );
        assert!(new.sign(&subscription).starts_with("k2."));
    }
}

#[test]
fn modified_token_is_rejected() {
    let keys = keys(&json!({"current": "k1", "k1": KEY, "k2": OTHER}));
    let token = keys.sign(&EmailSubscription {
        address_hash: contact().address_hash,
        category: Category::Product,
    });

    for (position, letter) in token.char_indices() {
        let other = if letter == 'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &token[..position], &token[position + 1..]);
        // The last character of 32 bytes in base64 has unused bits. The decoder rejects a token in
        // which they are set.
        assert_eq!(keys.verify(&changed), None, "{changed}");
        assert_eq!(keys.verify(&token[..position]), None);
    }
    for wrong in [
        "",
        ".",
        "...",
        "k1",
        &format!("{token}."),
        &format!("{token}A"),
        &token.replace("product", "onboarding"),
        &token.replace("k1.", "k2."),
    ] {
        assert_eq!(keys.verify(wrong), None, "{wrong}");
    }
}

#[rstest]
#[case(json!({"k1": KEY}))]
#[case(json!({"current": "k2", "k1": KEY}))]
#[case(json!({"current": "k1", "k1": "short"}))]
#[case(json!({"current": "k.1", "k.1": KEY}))]
#[case(json!({}))]
fn invalid_keys_are_rejected_without_quoting_them(#[case] keys: serde_json::Value) {
    let error = serde_json::from_value::<UnsubscribeKeys>(keys)
        .unwrap_err()
        .to_string();
    assert!(!error.contains(KEY) && !error.contains("short"), "{error}");
}

const KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const OTHER: &str = "zyxwvutsrqponmlkjihgfedcba9876543210";

fn keys(json: &serde_json::Value) -> UnsubscribeKeys {
    serde_json::from_value(json.clone()).unwrap()
}

fn contact() -> Contact {
    Contact::new(
        AddressHashKey::new(KEY.to_owned().into())
            .hash(&"marisol@kestrel.example".parse().unwrap()),
    )
}
