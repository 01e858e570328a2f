use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const NOTICE: &str = concat!(
    "2026-11-16T09:00:00Z#verify-bank-1#",
    "5c6901cf6939e75d33312b9660c194f7afd8ec899bc47e9f5076660ca3f84bd3"
);
const SENT_AT: &str = "2026-11-23T09:00:02.012Z";
const BOUNCED_AT: &str = "2026-11-23T09:01:02.669Z";

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/events/", $name, ".json"))
    };
}

#[rstest]
#[case::send(sample!("send"), Some(MailEvent::Sent), "feedback_send", SENT_AT)]
#[case::delivery(
    sample!("delivery"),
    Some(MailEvent::Delivered),
    "feedback_delivery",
    "2026-11-23T09:00:14.133Z"
)]
#[case::delay(
    sample!("delivery-delay"),
    Some(MailEvent::Delayed),
    "feedback_delay",
    "2026-11-23T10:30:00.095Z"
)]
#[case::reject(sample!("reject"), Some(MailEvent::Rejected), "feedback_reject", SENT_AT)]
#[case::rendering(
    sample!("rendering-failure"),
    Some(MailEvent::RenderingFailed),
    "feedback_rendering_failure",
    SENT_AT
)]
#[case::hard(
    sample!("bounce-permanent"),
    Some(MailEvent::Bounced(Bounce::Hard)),
    "feedback_bounce_permanent",
    BOUNCED_AT
)]
#[case::soft(
    sample!("bounce-transient"),
    Some(MailEvent::Bounced(Bounce::Soft)),
    "feedback_bounce_transient",
    BOUNCED_AT
)]
#[case::undetermined(
    sample!("bounce-undetermined"),
    Some(MailEvent::Bounced(Bounce::Undetermined)),
    "feedback_bounce_undetermined",
    BOUNCED_AT
)]
#[case::complaint(
    sample!("complaint"),
    Some(MailEvent::Complained),
    "feedback_complaint",
    "2026-11-24T18:30:00Z"
)]
#[case::not_spam(sample!("complaint-not-spam"), None, "feedback_other", SENT_AT)]
#[case::subscription(sample!("subscription"), None, "feedback_other", SENT_AT)]
#[case::unknown(sample!("unknown"), None, "feedback_other", SENT_AT)]
fn each_event_is_read(
    #[case] body: &str,
    #[case] kind: Option<MailEvent>,
    #[case] metric: &str,
    #[case] at: &str,
) {
    let event = Event::parse(body, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(
        (event.kind, event.metric(), event.at),
        (kind, metric, at.parse().unwrap())
    );

    let notice = event.notice.unwrap();
    assert_eq!(
        (notice.organization_id.as_str(), notice.notice.as_str()),
        ("00802KESTRELBAKEm7q2", NOTICE)
    );
    assert_eq!(
        event.message_id.as_deref(),
        Some("0100019abcdef012-3f1c2b7e-9d4a-4c55-8a0e-6b7c8d9e0f10-000000")
    );
    assert!(event.has_one_recipient);
    assert!(
        event
            .addresses
            .iter()
            .all(|address| address.canonical() == "marisol@kestrel.example")
    );
    assert_eq!(event.invalid_addresses, 0);
}

#[rstest]
#[case::out_of_office("Transient", "General", json!([{}]), true)]
#[case::with_a_server_response("Transient", "General", json!([{ "status": "4.4.7" }]), false)]
#[case::mailbox_full("Transient", "MailboxFull", json!([{}]), false)]
#[case::without_recipients("Undetermined", "Undetermined", json!([]), true)]
#[case::no_such_mailbox("Permanent", "General", json!([{}]), false)]
fn an_automatic_reply_is_not_a_bounce(
    #[case] bounce_type: &str,
    #[case] sub_type: &str,
    #[case] mut recipients: Value,
    #[case] is_automatic_reply: bool,
) {
    for recipient in recipients.as_array_mut().unwrap() {
        recipient["emailAddress"] = json!("marisol@kestrel.example");
    }
    let mut body = bounce(&recipients);
    body["detail"]["mail"] = json!({ "destination": ["marisol@kestrel.example"] });
    body["detail"]["bounce"]["bounceType"] = json!(bounce_type);
    body["detail"]["bounce"]["bounceSubType"] = json!(sub_type);

    assert_eq!(parse(&body).kind.is_none(), is_automatic_reply);
}

#[test]
fn a_content_bounce_does_not_concern_the_address() {
    let mut body =
        bounce(&json!([{ "emailAddress": "marisol@kestrel.example", "status": "5.3.4" }]));
    body["detail"]["bounce"]["bounceType"] = json!("Transient");
    for (sub_type, concerns_addresses) in [
        ("MessageTooLarge", false),
        ("ContentRejected", false),
        ("MailboxFull", true),
    ] {
        body["detail"]["bounce"]["bounceSubType"] = json!(sub_type);
        let event = parse(&body);
        assert_eq!(
            (event.kind, event.concerns_addresses()),
            (Some(MailEvent::Bounced(Bounce::Soft)), concerns_addresses)
        );
    }
}

#[rstest]
#[case::plain("marisol@kestrel.example", true)]
#[case::with_a_name("Marisol <marisol@kestrel.example>", true)]
#[case::with_a_quoted_name("\"Vega, <M>\" <marisol@kestrel.example> ", true)]
#[case::in_brackets("<marisol@kestrel.example>", true)]
#[case::no_address("Marisol", false)]
#[case::nothing_in_brackets("Marisol <>", false)]
#[case::empty("", false)]
fn an_address_is_parsed_with_its_display_name_or_counted_as_invalid(
    #[case] spelled: &str,
    #[case] found: bool,
) {
    let event = parse(&bounce(
        &json!([{ "emailAddress": spelled }, { "emailAddress": "tomas@kestrel.example" }]),
    ));

    let addresses: Vec<&str> = event.addresses.iter().map(EmailAddress::expose).collect();
    let expected: &[&str] = if found {
        &["marisol@kestrel.example", "tomas@kestrel.example"]
    } else {
        &["tomas@kestrel.example"]
    };
    assert_eq!(
        (addresses.as_slice(), event.invalid_addresses),
        (expected, usize::from(!found))
    );
}

#[test]
fn a_sole_recipient_is_included_however_the_event_spells_it() {
    let mut body = bounce(&json!([{ "emailAddress": "rewritten by a forwarder" }]));
    body["detail"]["mail"] = json!({ "destination": ["marisol@kestrel.example"] });

    let event = parse(&body);
    assert_eq!(
        (
            event.addresses.len(),
            event.invalid_addresses,
            event.has_one_recipient
        ),
        (1, 1, true)
    );

    body["detail"]["mail"]["destination"] =
        json!(["marisol@kestrel.example", "tomas@kestrel.example"]);
    assert!(
        Event::parse(&body.to_string(), Timestamp::UNIX_EPOCH).is_err(),
        "it is not known which of the two bounced"
    );
}

#[test]
fn a_field_of_the_wrong_type_is_ignored_by_itself() {
    let mut body = bounce(&json!([
        7,
        null,
        ["x"],
        { "emailAddress": {} },
        { "emailAddress": "marisol@kestrel.example" },
    ]));
    body["time"] = json!("2026-11-23T09:02:00Z");
    body["detail"]["bounce"]["timestamp"] = json!("yesterday");
    body["detail"]["bounce"]["feedbackId"] = json!({});
    body["detail"]["mail"] = json!({
        "messageId": "marisol@kestrel.example",
        "destination": "x",
        "tags": { "notice_id": "x" },
    });

    let event = parse(&body);
    assert_eq!(
        (event.kind, event.invalid_addresses, event.addresses.len()),
        (Some(MailEvent::Bounced(Bounce::Hard)), 4, 1)
    );
    assert_eq!(
        (event.notice, event.message_id, event.feedback_id),
        (None, None, None)
    );
    assert_eq!(event.at, "2026-11-23T09:02:00Z".parse().unwrap());
}

#[rstest]
#[case::another_tag("order-4711")]
#[case::without_a_recipient("MDA4L3g")] // 008/x
#[case::an_address("bWFyaXNvbEBrZXN0cmVsLmV4YW1wbGUveA")] // marisol@kestrel.example/x
fn a_tag_that_is_no_notice_id_is_ignored(#[case] tag: &str) {
    let mut body: Value = serde_json::from_str(sample!("delivery")).unwrap();
    body["detail"]["mail"]["tags"]["notice_id"] = json!([tag]);
    assert_eq!(parse(&body).notice, None);
}

#[rstest]
#[case::no_json("marisol@kestrel.example")]
#[case::empty("")]
#[case::truncated(
    r#"{"source":"aws.ses","detail":{"mail":{"destination":["marisol@kestrel.example"#
)]
#[case::no_object(r#"["marisol@kestrel.example"]"#)]
#[case::no_envelope(concat!(
    r#"{"eventType":"Bounce","bounce":{"bouncedRecipients":"#,
    r#"[{"emailAddress":"marisol@kestrel.example"}]}}"#
))]
#[case::no_detail(r#"{"source":"aws.ses","detail":"marisol@kestrel.example"}"#)]
#[case::a_list_as_detail(r#"{"source":"aws.ses","detail":["Send","marisol@kestrel.example"]}"#)]
#[case::no_recipient(concat!(
    r#"{"source":"aws.ses","detail":{"eventType":"Complaint","#,
    r#""mail":{"source":"marisol@kestrel.example"}}}"#
))]
fn parse_errors_do_not_quote_the_body(#[case] body: &str) {
    let reason = Event::parse(body, Timestamp::UNIX_EPOCH).unwrap_err();

    assert!(
        !reason.is_empty() && !reason.contains("marisol"),
        "{reason}"
    );
}

#[test]
fn ses_events_without_a_message_have_no_kind() {
    let body = json!({
        "source": "aws.ses",
        "detail-type": "Sending Status Disabled",
        "detail": { "version": "1.0.0" },
    });

    assert_eq!(
        (parse(&body).kind, parse(&body).at),
        (None, Timestamp::UNIX_EPOCH)
    );
}

#[test]
fn debug_output_masks_addresses() {
    let debug = format!(
        "{:?}",
        Event::parse(sample!("complaint"), Timestamp::UNIX_EPOCH).unwrap()
    );
    assert!(
        debug.contains("Complained") && !debug.to_lowercase().contains("marisol"),
        "{debug}"
    );
}

fn bounce(recipients: &Value) -> Value {
    let bounce = json!({ "bounceType": "Permanent", "bouncedRecipients": recipients });
    json!({ "source": "aws.ses", "detail": { "eventType": "Bounce", "bounce": bounce } })
}

fn parse(body: &Value) -> Event {
    Event::parse(&body.to_string(), Timestamp::UNIX_EPOCH).unwrap()
}
