//! The answers, with the headers that tell callers how long they hold.

use runtime::{
    ErrorType, Failure,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use sha2::{Digest, Sha256};

use crate::message::Messages;

/// So long a caller may show what it got without asking again. It is about one organization: no
/// shared cache may keep it.
const FRESH_FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("private, max-age=60");

/// The messages; or that they are still those which the caller has (RFC 9110, section 13.1.2).
pub fn messages(messages: &Messages, request: &Request) -> Result<Response, Failure> {
    let body = serde_json::to_string(messages)
        .map_err(|error| Failure::new(ErrorType::Internal, error))?;
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let response = if request
        .header(header::IF_NONE_MATCH)
        .is_some_and(|known| names(known, &tag))
    {
        Response::empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(
            StatusCode::OK,
            HeaderValue::from_static("application/json"),
            body,
        )
    };
    let tag =
        HeaderValue::try_from(tag).map_err(|error| Failure::new(ErrorType::Internal, error))?;
    Ok(response
        .with_header(header::ETAG, tag)
        .with_header(header::CACHE_CONTROL, FRESH_FOR_A_MINUTE))
}

/// A message is dismissed.
pub fn dismissed() -> Response {
    Response::empty(StatusCode::NO_CONTENT)
}

/// What the caller has done wrong.
pub fn problem(status: StatusCode, detail: &str) -> Response {
    Response::problem(status, detail)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// To a method that the path does not have.
pub fn method_not_allowed(allowed: &'static str) -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, &format!("Use {allowed}."))
        .with_header(header::ALLOW, HeaderValue::from_static(allowed))
}

/// When it is our fault.
pub fn error_response(status: StatusCode) -> Response {
    problem(
        status,
        "This does not work at the moment. Show nothing, and ask again in a minute.",
    )
}

/// Whether `If-None-Match` names the tag. Compared weakly, as this header wants it.
fn names(known: &str, tag: &str) -> bool {
    known.trim() == "*"
        || known
            .split(',')
            .map(str::trim)
            .any(|known| known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("\"a1\"", true)]
    #[case("W/\"a1\"", true)]
    #[case("\"b2\" ,\t\"a1\"", true)]
    #[case(" * ", true)]
    #[case("", false)]
    #[case("a1", false)]
    #[case("\"a1", false)]
    #[case("\"A1\"", false)]
    #[case("\"a11\", w/\"a1\"", false)]
    fn if_none_match_accepts_lists_and_weak_etags(#[case] known: &str, #[case] expected: bool) {
        assert_eq!(names(known, "\"a1\""), expected);
    }
}
