use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=----7d1c";
const QUOTED: &str = "Multipart/Form-Data; boundary=\"----7d1c\"; charset=utf-8";

const ONE_CLICK: &str = concat!(
    "------7d1c\r\n",
    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n",
    "------7d1c--\r\n"
);

const TWO_PARTS: &str = concat!(
    "------7d1c\r\n",
    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n",
    "------7d1c\r\n",
    "Content-Disposition: form-data; name=\"action\"\r\n\r\nleave_all\r\n",
    "------7d1c--\r\n"
);

#[rstest]
#[case::one_click(Some(FORM), "List-Unsubscribe=One-Click", Intent::OneClick)]
#[case::one_click_with_a_charset(
    Some("Application/X-WWW-Form-urlencoded; charset=UTF-8"),
    "List-Unsubscribe=One-Click",
    Intent::OneClick
)]
#[case::one_click_escaped(Some(FORM), "List%2DUnsubscribe=One%2DClick", Intent::OneClick)]
#[case::one_click_without_a_content_type(None, "List-Unsubscribe=One-Click", Intent::OneClick)]
#[case::multipart_one_click(Some(MULTIPART), ONE_CLICK, Intent::OneClick)]
#[case::multipart_one_click_with_a_quoted_boundary(Some(QUOTED), ONE_CLICK, Intent::OneClick)]
#[case::leave_category(Some(FORM), "action=leave_category", Intent::UnsubscribeCategory)]
#[case::leave_all(Some(FORM), "action=leave_all", Intent::UnsubscribeAll)]
#[case::come_back(Some(FORM), "action=come_back", Intent::Resubscribe)]
#[case::with_other_fields(
    Some(FORM),
    "utm_source=mail&action=leave_all&=&x",
    Intent::UnsubscribeAll
)]
#[tokio::test]
async fn each_supported_form_is_parsed(
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] expected: Intent,
) {
    assert_eq!(
        Intent::parse(&request(content_type, body.as_bytes())).await,
        Ok(expected)
    );
}

#[rstest]
#[case::empty(Some(FORM), b"" as &[u8], IntentError::Form)]
#[case::empty_without_a_content_type(None, b"", IntentError::Form)]
#[case::unknown_action(Some(FORM), b"action=leave", IntentError::Form)]
#[case::wrong_case(Some(FORM), b"List-Unsubscribe=one-click", IntentError::Form)]
#[case::no_value(Some(FORM), b"List-Unsubscribe", IntentError::Form)]
#[case::both(
    Some(FORM),
    b"List-Unsubscribe=One-Click&action=come_back",
    IntentError::Form
)]
#[case::multipart_both(Some(MULTIPART), TWO_PARTS.as_bytes(), IntentError::Form)]
#[case::one_known_and_one_unknown(
    Some(FORM),
    b"action=leave_all&action=whatever",
    IntentError::Form
)]
#[case::twice(Some(FORM), b"action=leave_all&action=leave_all", IntentError::Form)]
#[case::bad_utf_8(Some(FORM), b"action=leave_all\xff", IntentError::Form)]
#[case::escaped_bad_utf_8(Some(FORM), b"action%ff=leave_all", IntentError::Form)]
#[case::random_bytes(Some(FORM), b"\x00\xfe\xff&=&;;\r\n", IntentError::Form)]
#[case::json(
    Some("application/json"),
    b"{\"action\":\"leave_all\"}",
    IntentError::MediaType
)]
#[case::plain_text(Some("text/plain"), b"action=leave_all", IntentError::MediaType)]
#[case::invalid_media_type(Some("whatever"), b"action=leave_all", IntentError::MediaType)]
#[case::empty_media_type(Some(""), b"action=leave_all", IntentError::MediaType)]
#[case::multipart_without_a_boundary(
    Some("multipart/form-data"),
    ONE_CLICK.as_bytes(),
    IntentError::Multipart
)]
#[case::multipart_with_another_boundary(
    Some("multipart/form-data; boundary=x"),
    ONE_CLICK.as_bytes(),
    IntentError::Multipart
)]
#[case::truncated_multipart(Some(MULTIPART), &ONE_CLICK.as_bytes()[..70], IntentError::Multipart)]
#[case::multipart_with_a_form_body(
    Some(MULTIPART),
    b"List-Unsubscribe=One-Click",
    IntentError::Multipart
)]
#[case::oversize(Some(FORM), &[b'x'; 4097], IntentError::Body(BodyError::TooLong { limit: 4096 }))]
#[tokio::test]
async fn other_bodies_are_rejected(
    #[case] content_type: Option<&str>,
    #[case] body: &[u8],
    #[case] expected: IntentError,
) {
    assert_eq!(
        Intent::parse(&request(content_type, body)).await,
        Err(expected)
    );
}

#[tokio::test]
async fn a_body_is_read_as_text_or_base64() {
    let mut event: Value = serde_json::from_str(include_str!(
        "../../../../tests/events/preferences-one-click.json"
    ))
    .unwrap();

    assert_eq!(
        Intent::parse(&from_event(event.clone())).await,
        Ok(Intent::OneClick)
    );

    event["isBase64Encoded"] = false.into();
    assert_eq!(
        Intent::parse(&from_event(event.clone())).await,
        Err(IntentError::Form)
    );

    event["body"] = "List-Unsubscribe=One-Click".into();
    assert_eq!(
        Intent::parse(&from_event(event)).await,
        Ok(Intent::OneClick)
    );
}

/// A `POST` as API Gateway sends it, with the body in base64.
fn request(content_type: Option<&str>, body: &[u8]) -> Request {
    let mut event = json!({
        "version": "2.0",
        "headers": { "host": "api.example.com" },
        "pathParameters": { "token": "t" },
        "requestContext": { "http": { "method": "POST", "path": "/unsubscribe/t" } },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    });
    if let Some(content_type) = content_type {
        event["headers"]["content-type"] = json!(content_type);
    }
    from_event(event)
}

fn from_event(event: Value) -> Request {
    serde_json::from_value::<ApiGatewayV2httpRequest>(event)
        .unwrap()
        .into()
}
