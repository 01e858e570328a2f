//! Deliveries of every kind, generated from a seed, each with its expected status.

use anyhow::{Result, ensure};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::events::support::{KEY, sign};

/// Number of organizations with signed deliveries.
pub const ORGANIZATIONS: usize = 7;

/// Is in each signed body.
pub const NAME_ON_ACCOUNT: &str = "Marisol Quebrada";

/// Start of the id of each organization that must not be queued.
pub const FORGED_PREFIX: &str = "00802FORGED";

/// Start of the id of each organization that must be queued.
const GENUINE_PREFIX: &str = "00802GENUINE";

const SEED: u64 = 20_261_123;

/// Number of deliveries that BILL makes once.
const GENUINE_COUNT: usize = 40;

/// Maximum size of a body that receive-events reads, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The number of deliveries of each kind: a thousand in total.
const COUNTS: [(DeliveryKind, usize); 9] = [
    (DeliveryKind::Genuine, GENUINE_COUNT),
    (DeliveryKind::Replayed, 160),
    (DeliveryKind::Unsigned, 150),
    (DeliveryKind::Forged, 150),
    (DeliveryKind::Truncated, 120),
    (DeliveryKind::Reordered, 120),
    (DeliveryKind::Oversized, 60),
    (DeliveryKind::OtherType, 100),
    (DeliveryKind::RandomBytes, 100),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKind {
    /// As BILL sends it.
    Genuine,
    /// Body and signature of a genuine one.
    Replayed,
    /// Without a signature; some bodies are random bytes, some oversized.
    Unsigned,
    /// Signed with another key, with the signature of another body, or with an invalid signature.
    Forged,
    /// The end of the signed body is missing.
    Truncated,
    /// The signed fields in another order.
    Reordered,
    /// Signed, and larger than [`MAX_BODY_BYTES`].
    Oversized,
    /// Signed, with an event type to which the stack is not subscribed.
    OtherType,
    /// Signed, and not a notification.
    RandomBytes,
}

/// A request to receive-events and its expected result.
pub struct Delivery {
    pub kind: DeliveryKind,
    pub content_type: &'static str,
    pub signature: Option<String>,
    pub body: Vec<u8>,
    pub expected: StatusCode,
    /// The organization that must be queued.
    pub organization: Option<String>,
}

/// All deliveries, shuffled.
pub fn all_deliveries() -> Result<Vec<Delivery>> {
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut deliveries = Vec::new();
    for (kind, count) in COUNTS {
        for number in 0..count {
            deliveries.push(delivery(kind, number, &mut rng)?);
        }
    }
    ensure!(deliveries.len() == 1_000, "{} deliveries", deliveries.len());

    deliveries.shuffle(&mut rng);
    Ok(deliveries)
}

/// The `number`th delivery of a kind. Deliveries that must not be queued have organizations of
/// their own, so that a wrong acceptance is found.
fn delivery(kind: DeliveryKind, number: usize, rng: &mut StdRng) -> Result<Delivery> {
    let forged = notification(FORGED_PREFIX, number, "payment.updated");
    let delivery = |signature: Option<String>, body: Vec<u8>, expected| Delivery {
        kind,
        content_type: "application/json",
        signature,
        body,
        expected,
        organization: None,
    };

    Ok(match kind {
        DeliveryKind::Genuine | DeliveryKind::Replayed => {
            let number = number % GENUINE_COUNT;
            let body = notification(GENUINE_PREFIX, number, "payment.updated").into_bytes();
            Delivery {
                organization: Some(organization(GENUINE_PREFIX, number)),
                ..delivery(Some(sign(KEY, &body)?), body, StatusCode::OK)
            }
        }
        DeliveryKind::Unsigned => {
            let body = match number % 10 {
                0 => padded(forged, MAX_BODY_BYTES + 1),
                1..4 => random_bytes(rng),
                _ => forged.into_bytes(),
            };
            delivery(None, body, StatusCode::UNAUTHORIZED)
        }
        DeliveryKind::Forged => {
            let signature = forged_signature(number, &forged)?;
            let body = forged.into_bytes();
            delivery(Some(signature), body, StatusCode::UNAUTHORIZED)
        }
        DeliveryKind::Truncated => {
            let signature = sign(KEY, forged.as_bytes())?;
            let length = rng.random_range(0..forged.len());
            let body = forged.as_bytes()[..length].to_vec();
            delivery(Some(signature), body, StatusCode::UNAUTHORIZED)
        }
        DeliveryKind::Reordered => {
            let signature = sign(KEY, forged.as_bytes())?;
            let body = reordered(&forged)?.into_bytes();
            delivery(Some(signature), body, StatusCode::UNAUTHORIZED)
        }
        DeliveryKind::Oversized => {
            let body = padded(forged, MAX_BODY_BYTES + 1 + rng.random_range(0..100_000));
            delivery(Some(sign(KEY, &body)?), body, StatusCode::PAYLOAD_TOO_LARGE)
        }
        DeliveryKind::OtherType => {
            let event_type = [
                "invoice.created",
                "payment.approved",
                "Payment.Updated",
                "vendor.updated",
            ][number % 4];
            let body = notification(FORGED_PREFIX, number, event_type).into_bytes();
            delivery(Some(sign(KEY, &body)?), body, StatusCode::OK)
        }
        DeliveryKind::RandomBytes => {
            let body = random_bytes(rng);
            let signature = Some(sign(KEY, &body)?);
            // API Gateway passes the body of a text content type as text. That changes invalid
            // UTF-8, so the signature no longer matches.
            match number % 2 {
                0 => delivery(signature, body, StatusCode::UNAUTHORIZED),
                _ => Delivery {
                    content_type: "application/octet-stream",
                    ..delivery(signature, body, StatusCode::OK)
                },
            }
        }
    })
}

fn notification(prefix: &str, number: usize, event_type: &str) -> String {
    let metadata = json!({
        // The function logs event ids, so they must not contain the id of the organization.
        "eventId": format!("{}-{number}", prefix.trim_start_matches("00802")),
        "organizationId": organization(prefix, number),
        "eventType": event_type,
        "version": "1",
    });
    let payment = json!({"status": "SCHEDULED", "nameOnAccount": NAME_ON_ACCOUNT});

    json!({"metadata": metadata, "payment": payment}).to_string()
}

fn organization(prefix: &str, number: usize) -> String {
    format!("{prefix}{}", number % ORGANIZATIONS)
}

/// A signature that does not match the body.
fn forged_signature(number: usize, body: &str) -> Result<String> {
    match number % 5 {
        0 => {
            let other_body = notification(GENUINE_PREFIX, number, "payment.updated");
            sign(KEY, other_body.as_bytes())
        }
        1 => Ok("deadbeef".repeat(8)),
        2 => Ok(String::new()),
        3 => Ok(sign(KEY, body.as_bytes())?.to_lowercase()),
        _ => sign("another key", body.as_bytes()),
    }
}

/// The same fields in another order.
fn reordered(notification: &str) -> Result<String> {
    let fields: Value = serde_json::from_str(notification)?;
    let body = format!(
        r#"{{"payment":{},"metadata":{}}}"#,
        fields["payment"], fields["metadata"]
    );

    ensure!(
        body != notification && serde_json::from_str::<Value>(&body)? == fields,
        "not the same fields in another order: {body}"
    );
    Ok(body)
}

/// The same JSON with blanks at the end, up to a length in bytes.
fn padded(json: String, length: usize) -> Vec<u8> {
    let mut body = json.into_bytes();
    body.resize(length, b' ');
    body
}

/// Bytes that are neither UTF-8 nor JSON.
fn random_bytes(rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0xff; rng.random_range(2..2_000)];
    rng.fill(&mut bytes[1..]);
    bytes
}
