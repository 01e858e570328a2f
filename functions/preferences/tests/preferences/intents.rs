//! What a `POST` is understood to ask for.

use preferences::{Intent, IntentError};
use rstest::rstest;
use runtime::http::BodyError;
use serde_json::Value;

use crate::support::{FORM, from_event, request};

const MULTIPART: &str = "multipart/form-data; boundary=----7d1c";
const QUOTED: &str = "Multipart/Form-Data; boundary=\"----7d1c\"; charset=utf-8";
const ONE_CLICK: &str = "------7d1c\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n------7d1c--\r\n";
const TWO_PARTS: &str = "------7d1c\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n------7d1c\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nleave_all\r\n------7d1c--\r\n";

#[rstest]
#[case::one_click(Some(FORM), "List-Unsubscribe=One-Click", Intent::OneClick)]
#[case::one_click_of_a_charset(
    Some("Application/X-WWW-Form-urlencoded; charset=UTF-8"),
    "List-Unsubscribe=One-Click",
    Intent::OneClick
)]
#[case::one_click_escaped(Some(FORM), "List%2DUnsubscribe=One%2DClick", Intent::OneClick)]
#[case::one_click_without_a_type(None, "List-Unsubscribe=One-Click", Intent::OneClick)]
#[case::one_click_in_parts(Some(MULTIPART), ONE_CLICK, Intent::OneClick)]
#[case::one_click_in_parts_of_a_quoted_boundary(Some(QUOTED), ONE_CLICK, Intent::OneClick)]
#[case::leave_category(Some(FORM), "action=leave_category", Intent::UnsubscribeCategory)]
#[case::leave_all(Some(FORM), "action=leave_all", Intent::UnsubscribeAll)]
#[case::come_back(Some(FORM), "action=come_back", Intent::Resubscribe)]
#[case::fields_of_others(
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
        Intent::of(&request("POST", "t", content_type, body.as_bytes())).await,
        Ok(expected)
    );
}

#[rstest]
#[case::nothing(Some(FORM), b"" as &[u8], IntentError::Form)]
#[case::nothing_without_a_type(None, b"", IntentError::Form)]
#[case::other_words(Some(FORM), b"action=leave", IntentError::Form)]
#[case::other_case(Some(FORM), b"List-Unsubscribe=one-click", IntentError::Form)]
#[case::no_value(Some(FORM), b"List-Unsubscribe", IntentError::Form)]
#[case::both(
    Some(FORM),
    b"List-Unsubscribe=One-Click&action=come_back",
    IntentError::Form
)]
#[case::both_in_parts(Some(MULTIPART), TWO_PARTS.as_bytes(), IntentError::Form)]
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
#[case::no_media_type(Some("whatever"), b"action=leave_all", IntentError::MediaType)]
#[case::empty_media_type(Some(""), b"action=leave_all", IntentError::MediaType)]
#[case::parts_without_a_boundary(Some("multipart/form-data"), ONE_CLICK.as_bytes(), IntentError::Multipart)]
#[case::parts_of_another_boundary(Some("multipart/form-data; boundary=x"), ONE_CLICK.as_bytes(), IntentError::Multipart)]
#[case::parts_that_break_off(Some(MULTIPART), &ONE_CLICK.as_bytes()[..70], IntentError::Multipart)]
#[case::parts_that_are_a_form(
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
        Intent::of(&request("POST", "t", content_type, body)).await,
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
        Intent::of(&from_event(event.clone())).await,
        Ok(Intent::OneClick)
    );
    event["isBase64Encoded"] = false.into();
    assert_eq!(
        Intent::of(&from_event(event.clone())).await,
        Err(IntentError::Form)
    );
    event["body"] = "List-Unsubscribe=One-Click".into();
    assert_eq!(Intent::of(&from_event(event)).await, Ok(Intent::OneClick));
}
