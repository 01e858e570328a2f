//! From BILL's answer to a value or an [`Error`]: BILL's code first, the HTTP status second.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::error::{Cause, Code, Error, ErrorKind, Operation};

/// An answer whose body was read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) retry_after: Option<Duration>,
}

/// Reads the body of an answer, or says why it cannot.
pub(crate) type ResponseParser<T> = fn(&Answer) -> Result<T, Cause>;

impl Answer {
    pub(crate) fn read<T>(
        &self,
        operation: Operation,
        reader: ResponseParser<T>,
    ) -> Result<T, Error> {
        match reader(self) {
            Ok(value) => Ok(value),
            Err(_) if !self.is_success() || !codes(&self.body).is_empty() => {
                Err(self.refusal(operation))
            }
            Err(cause) => Err(Error::because(operation, ErrorKind::BadAnswer, cause)),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body is an array of BILL's errors (or one of them), as opposed to a gateway's
    /// own page.
    pub(crate) fn has_bill_errors(&self) -> bool {
        !items(&self.body).is_empty()
    }

    fn refusal(&self, operation: Operation) -> Error {
        let codes = codes(&self.body);
        let kind = kind(operation, self.status, &codes);
        Error::answered(operation, kind, self.status, codes, self.retry_after)
    }
}

/// Ready when the answer is a success; its body does not matter.
pub(crate) fn nothing(answer: &Answer) -> Result<(), Cause> {
    if answer.is_success() {
        Ok(())
    } else {
        Err(Cause::UnexpectedJson)
    }
}

pub(crate) fn cause_of_json_error(error: &serde_json::Error) -> Cause {
    match error.classify() {
        serde_json::error::Category::Eof => Cause::IncompleteBody,
        serde_json::error::Category::Data => Cause::UnexpectedJson,
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => Cause::NotJson,
    }
}

/// What one status and the codes beside it mean. Of several codes the one that forbids most counts.
fn kind(operation: Operation, status: u16, codes: &[Code]) -> ErrorKind {
    const BY_CODE: [(&str, ErrorKind); 6] = [
        ("BDC_1101", ErrorKind::BadCredentials),
        ("BDC_1102", ErrorKind::BadCredentials),
        ("BDC_1144", ErrorKind::HourExhausted),
        ("BDC_1109", ErrorKind::SessionExpired),
        ("BDC_1361", ErrorKind::UntrustedSession),
        ("BDC_1322", ErrorKind::TooManyAtOnce),
    ];
    let known = BY_CODE
        .iter()
        .find(|(known, _)| codes.iter().any(|code| code.as_str() == *known));
    match (known, status) {
        (Some((_, kind)), _) => *kind,
        // A login has no session that could have expired. Nobody says which code a wrong
        // application key has.
        (None, 401) if operation == Operation::PartnerLogin => ErrorKind::BadCredentials,
        (None, 401) => ErrorKind::SessionExpired,
        (None, 408 | 429 | 500..) => ErrorKind::Unavailable,
        (None, _) => ErrorKind::Refused,
    }
}

fn codes(body: &str) -> Vec<Code> {
    items(body)
        .iter()
        .filter_map(|item| Code::read(item.get("code")?.as_str()?))
        .collect()
}

/// BILL's errors in a body: an array of objects, or a single object that has a code.
fn items(body: &str) -> Vec<Value> {
    match serde_json::from_str(body) {
        Ok(Value::Array(items)) => items.into_iter().filter(Value::is_object).collect(),
        Ok(item @ Value::Object(_)) if item.get("code").is_some() => vec![item],
        _ => Vec::new(),
    }
}

/// `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3). The date is taken
/// relative to the answer's own `Date`, so that neither a clock nor its skew matters.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let answered_at = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(until.duration_since(answered_at).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn refusal(operation: Operation, status: u16, body: &str) -> Error {
        let answer = Answer {
            status,
            body: body.to_owned(),
            retry_after: None,
        };
        answer.read(operation, nothing).unwrap_err()
    }

    #[test]
    fn error_code_takes_precedence_over_status() {
        for (code, kind) in [
            ("BDC_1109", ErrorKind::SessionExpired),
            ("BDC_1101", ErrorKind::BadCredentials),
            ("BDC_1102", ErrorKind::BadCredentials),
            ("BDC_1144", ErrorKind::HourExhausted),
            ("BDC_1322", ErrorKind::TooManyAtOnce),
            ("BDC_1361", ErrorKind::UntrustedSession),
        ] {
            for status in [400, 401, 403, 404, 422, 429, 500, 503] {
                let body = format!(
                    r#"[{{"timestamp":"t","code":"{code}","severity":"ERROR","category":"REQUEST"}}]"#
                );
                assert_eq!(
                    refusal(Operation::ListPayments, status, &body).kind(),
                    kind,
                    "{code} {status}"
                );
                let single = format!(r#"{{"code":"{code}"}}"#);
                assert_eq!(
                    refusal(Operation::PartnerLogin, status, &single).kind(),
                    kind,
                    "{code} {status}"
                );
            }
        }
    }

    #[test]
    fn status_decides_without_a_known_code() {
        for body in [
            "",
            "<html><body>BDC_1144</body></html>",
            "[]",
            "{}",
            "[{\"code\":",
            "[{\"code\":\"BDC_9999\"}]",
            "null",
            "[7]",
        ] {
            for (status, kind) in [
                (301, ErrorKind::Refused),
                (400, ErrorKind::Refused),
                (401, ErrorKind::SessionExpired),
                (403, ErrorKind::Refused),
                (404, ErrorKind::Refused),
                (408, ErrorKind::Unavailable),
                (422, ErrorKind::Refused),
                (429, ErrorKind::Unavailable),
                (500, ErrorKind::Unavailable),
                (503, ErrorKind::Unavailable),
                (599, ErrorKind::Unavailable),
            ] {
                assert_eq!(
                    refusal(Operation::ListPayments, status, body).kind(),
                    kind,
                    "{status} {body}"
                );
            }
            assert_eq!(
                refusal(Operation::PartnerLogin, 401, body).kind(),
                ErrorKind::BadCredentials
            );
            assert_eq!(
                refusal(Operation::LoginAsUser, 401, body).kind(),
                ErrorKind::SessionExpired
            );
        }
    }

    #[test]
    fn strictest_of_several_codes_decides() {
        let both = refusal(
            Operation::ListPayments,
            422,
            r#"[{"code":"BDC_1322"},{"code":"BDC_1144"},{"code":"BDC_1002"}]"#,
        );
        assert_eq!(both.kind(), ErrorKind::HourExhausted);
        assert_eq!(both.codes().len(), 3);
        let worse = refusal(
            Operation::ListPayments,
            422,
            r#"[{"code":"BDC_1109"},{"code":"BDC_1102"}]"#,
        );
        assert_eq!(worse.kind(), ErrorKind::BadCredentials);
    }

    #[test]
    fn error_contains_no_text_of_the_response() {
        let body = r#"[{"code":"BDC_1002","message":"PRIVATE","detail":"PRIVATE","params":[{"name":"PRIVATE","value":"PRIVATE"}]},
            {"code":"PRIVATE PERSON"},{"code":"BDC_private"},{"code":7}]"#;
        let error = refusal(Operation::ListPayments, 400, body);
        assert_eq!(
            error.to_string(),
            "listPayments: request is refused, status 400, BDC_1002"
        );
        assert!(!format!("{error:?}").to_lowercase().contains("private"));
    }

    #[test]
    fn error_array_with_status_200_is_an_error() {
        let answer = Answer {
            status: 200,
            body: r#"[{"code":"BDC_1144"}]"#.to_owned(),
            retry_after: None,
        };
        let error = answer
            .read::<()>(Operation::ListPayments, |_| Err(Cause::UnexpectedJson))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HourExhausted);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            headers.insert(
                DATE,
                HeaderValue::from_static("Wed, 21 Oct 2026 07:28:00 GMT"),
            );
            retry_after(&headers)
        };
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            read("Wed, 21 Oct 2026 07:28:09 GMT"),
            Some(Duration::from_secs(9))
        );
        assert_eq!(read("Wed, 21 Oct 2026 07:27:00 GMT"), Some(Duration::ZERO));
        for unreadable in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(read(unreadable), None, "{unreadable}");
        }
    }
}
