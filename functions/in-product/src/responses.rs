//! The HTTP responses: messages with `ETag` and `Cache-Control`, and problem details (RFC 9457).

use runtime::{
    ErrorType, Failure,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use sha2::{Digest, Sha256};

use crate::message::Messages;

/// Callers may show a response for one minute without asking again. The response is about one
/// organization, so shared caches must not store it.
const CACHE_ONE_MINUTE: HeaderValue = HeaderValue::from_static("private, max-age=60");

/// 200 with the messages, or 304 if `If-None-Match` contains their `ETag` (RFC 9110, section
/// 13.1.2).
///
/// An `Err` is a defect: the messages cannot be serialized.
pub fn messages(messages: &Messages, request: &Request) -> Result<Response, Failure> {
    let body = serde_json::to_string(messages)
        .map_err(|error| Failure::new(ErrorType::Internal, error))?;
    let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));

    let is_unchanged = request
        .header(header::IF_NONE_MATCH)
        .is_some_and(|if_none_match| matches_etag(if_none_match, &etag));
    let response = if is_unchanged {
        Response::empty(StatusCode::NOT_MODIFIED)
    } else {
        let content_type = HeaderValue::from_static("application/json");
        Response::new(StatusCode::OK, content_type, body)
    };

    let etag =
        HeaderValue::try_from(etag).map_err(|error| Failure::new(ErrorType::Internal, error))?;
    Ok(response
        .with_header(header::ETAG, etag)
        .with_header(header::CACHE_CONTROL, CACHE_ONE_MINUTE))
}

/// 204: the message is dismissed.
pub fn no_content() -> Response {
    Response::empty(StatusCode::NO_CONTENT)
}

/// An error of the caller. `detail` is for developers.
pub fn problem(status: StatusCode, detail: &str) -> Response {
    Response::problem(status, detail)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// 405: the path supports only the method `allowed`.
pub fn method_not_allowed(allowed: &'static str) -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, &format!("Use {allowed}."))
        .with_header(header::ALLOW, HeaderValue::from_static(allowed))
}

/// An error of the function or of a service that it depends on.
pub fn error_response(status: StatusCode) -> Response {
    problem(
        status,
        "This does not work at the moment. Show nothing, and ask again in a minute.",
    )
}

/// Whether a value of `If-None-Match` contains the `ETag`, by weak comparison as RFC 9110 requires
/// for this header.
fn matches_etag(if_none_match: &str, etag: &str) -> bool {
    if_none_match.trim() == "*"
        || if_none_match
            .split(',')
            .map(str::trim)
            .any(|candidate| candidate.strip_prefix("W/").unwrap_or(candidate) == etag)
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
    fn if_none_match_accepts_lists_and_weak_etags(
        #[case] if_none_match: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(matches_etag(if_none_match, "\"a1\""), expected);
    }
}
