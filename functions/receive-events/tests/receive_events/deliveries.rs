//! Many deliveries of every kind, in disorder.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use runtime::http::{Request, StatusCode};

use crate::{
    aws::Aws,
    support::{KEY, SECRET, at, metrics, notification, request, signature},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Genuine,
    Forged,
    Unsigned,
    Truncated,
    Oversized,
}

const KINDS: [Kind; 5] = [
    Kind::Genuine,
    Kind::Forged,
    Kind::Unsigned,
    Kind::Truncated,
    Kind::Oversized,
];

/// Delivery `number`: of seven organizations and three events each, so that each genuine one is
/// replayed many times.
fn delivery(number: usize) -> (Kind, String, Request) {
    let kind = KINDS[number % KINDS.len()];
    let (organization, event) = (number / KINDS.len() % 7, number / KINDS.len() % 3);
    // What is not genuine names organizations of its own, so that its acceptance would be seen.
    let organization = format!(
        "008{}{organization}",
        if kind == Kind::Genuine {
            "GENUINE"
        } else {
            "FORGED"
        }
    );
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
            &[body.as_slice(), &vec![b' '; receive_events::MAX_BODY_BYTES]].concat(),
            true,
        ),
    };
    (kind, organization, request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_deliveries_each_signed_organization_is_queued_once_a_minute_and_nothing_else_is()
 {
    let aws = Aws::start(Some(SECRET)).await;
    let instances = [
        aws.receive_events(),
        aws.receive_events(),
        aws.receive_events(),
    ];
    let metrics = metrics();
    let mut genuine = BTreeSet::new();
    for place in 0..1_000 {
        let number = place * 387 % 1_000; // every number once, in disorder
        let (kind, organization, request) = delivery(number);
        let arrives_at = at() + SignedDuration::from_millis(i64::try_from(place).unwrap() * 60); // a minute, over two clock minutes
        let response = instances[place % 3]
            .answer(&request, arrives_at, &metrics)
            .await
            .unwrap();
        let expected = match kind {
            Kind::Genuine => StatusCode::OK,
            Kind::Oversized => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Forged | Kind::Unsigned | Kind::Truncated => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(
            (response.status(), response.body()),
            (expected, ""),
            "{kind:?} {number}"
        );
        if kind == Kind::Genuine {
            genuine.insert((organization, arrives_at.as_second() / 60));
        }
    }
    let queued = aws.messages().into_iter().map(|message| {
        let (group, window) = (
            message["MessageGroupId"].as_str().unwrap(),
            message["MessageDeduplicationId"].as_str().unwrap(),
        );
        let ends_at: i64 = window
            .strip_prefix(&format!("{group}#"))
            .unwrap()
            .parse()
            .unwrap();
        (group.to_owned(), ends_at / 60 - 1)
    });
    let queued: Vec<_> = queued.collect();
    assert_eq!(
        queued.len(),
        14,
        "seven organizations in two minutes: {queued:?}"
    );
    assert_eq!(queued.into_iter().collect::<BTreeSet<_>>(), genuine);
    assert_eq!(
        (
            aws.sends(),
            metrics.total("rejected_wrong_signature"),
            metrics.total("rejected_unsigned")
        ),
        (200, 400.0, 200.0)
    );
}
