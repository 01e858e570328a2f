//! Many deliveries of all kinds, mixed and out of order.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use receive_events::MAX_BODY_BYTES;
use runtime::{
    Invocation,
    http::{Request, StatusCode},
};

use crate::{
    aws::Aws,
    support::{KEY, SECRET, invocation, notification, received_at, request, signature},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_signed_deliveries_are_queued_once_per_organization_and_minute() {
    let aws = Aws::start(Some(SECRET)).await;
    let instances = [
        aws.receive_events(),
        aws.receive_events(),
        aws.receive_events(),
    ];
    let invocation = invocation();

    // The deliveries arrive within 60 seconds, which touch two clock minutes.
    let mut genuine = BTreeSet::new();
    for place in 0..1_000 {
        let number = place * 387 % 1_000; // each number once, out of order
        let (kind, organization, request) = delivery(number);
        let arrives_at =
            received_at() + SignedDuration::from_millis(i64::try_from(place).unwrap() * 60);

        let response = instances[place % 3]
            .handle(
                &request,
                &Invocation {
                    started_at: arrives_at,
                    ..invocation.clone()
                },
            )
            .await
            .unwrap();

        assert_eq!(
            (response.status(), response.body()),
            (kind.expected_status(), ""),
            "{kind:?} {number}"
        );
        if kind == Kind::Genuine {
            genuine.insert((organization, arrives_at.as_second() / 60));
        }
    }

    let queued = queued_minutes(&aws);
    assert_eq!(
        queued.len(),
        14,
        "not seven organizations in two minutes: {queued:?}"
    );
    assert_eq!(queued.into_iter().collect::<BTreeSet<_>>(), genuine);
    assert_eq!(
        (
            aws.send_count(),
            invocation.metrics.total("rejected_wrong_signature"),
            invocation.metrics.total("rejected_unsigned")
        ),
        (200, 400.0, 200.0)
    );
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Genuine,
    Forged,
    Unsigned,
    Truncated,
    Oversized,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Genuine,
        Self::Forged,
        Self::Unsigned,
        Self::Truncated,
        Self::Oversized,
    ];

    fn expected_status(self) -> StatusCode {
        match self {
            Self::Genuine => StatusCode::OK,
            Self::Oversized => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forged | Self::Unsigned | Self::Truncated => StatusCode::UNAUTHORIZED,
        }
    }
}

/// Delivery `number`, with its kind and organization.
///
/// There are seven organizations with three events each, so that each genuine event is delivered
/// many times. All other kinds name other organizations: if one was accepted, its organization
/// would be in the queue.
fn delivery(number: usize) -> (Kind, String, Request) {
    let kind = Kind::ALL[number % Kind::ALL.len()];
    let (organization, event) = (number / Kind::ALL.len() % 7, number / Kind::ALL.len() % 3);
    let prefix = if kind == Kind::Genuine {
        "GENUINE"
    } else {
        "FORGED"
    };
    let organization = format!("008{prefix}{organization}");
    let body = notification(
        &organization,
        &format!("event-{organization}-{event}"),
        "payment.updated",
    )
    .to_string()
    .into_bytes();

    let good = signature(KEY, &body);
    let request = match kind {
        Kind::Genuine => request("POST", Some(&good), &body, true),
        Kind::Forged => request("POST", Some(&signature("another key", &body)), &body, true),
        Kind::Unsigned => request("POST", None, &body, true),
        Kind::Truncated => request(
            "POST",
            Some(&good),
            &body[..body.len() - 1 - number % 40],
            true,
        ),
        Kind::Oversized => request(
            "POST",
            Some(&good),
            &[body.as_slice(), &vec![b' '; MAX_BODY_BYTES]].concat(),
            true,
        ),
    };

    (kind, organization, request)
}

/// The organization and the clock minute of each message in the queue.
fn queued_minutes(aws: &Aws) -> Vec<(String, i64)> {
    let minute = |message: serde_json::Value| {
        let (group, deduplication_id) = (
            message["MessageGroupId"].as_str().unwrap(),
            message["MessageDeduplicationId"].as_str().unwrap(),
        );
        let ends_at: i64 = deduplication_id
            .strip_prefix(&format!("{group}#"))
            .unwrap()
            .parse()
            .unwrap();
        (group.to_owned(), ends_at / 60 - 1)
    };

    aws.messages().into_iter().map(minute).collect()
}
