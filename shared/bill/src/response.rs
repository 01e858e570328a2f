//! Turns an HTTP response into a value or an [`Error`]. BILL's error code decides before the HTTP
//! status.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{
    error::{Cause, Error, ErrorCode, ErrorKind},
    lenient,
    operation::Operation,
};

/// A response whose body was read completely.
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) retry_after: Option<Duration>,
}

/// Parses a response. `Err` says why its body is not as documented; for a response that is not a
/// success any cause will do, see [`ApiResponse::parse`].
pub(crate) type ResponseParser<T> = fn(&ApiResponse) -> Result<T, Cause>;

impl ApiResponse {
    /// Applies `parse`. When it fails, a status other than 2xx or an error code in the body
    /// decides the [`ErrorKind`], not the cause that `parse` returned.
    pub(crate) fn parse<T>(
        &self,
        operation: Operation,
        parse: ResponseParser<T>,
    ) -> Result<T, Error> {
        match parse(self) {
            Ok(value) => Ok(value),
            Err(_) if !self.is_success() || !error_codes(&self.body).is_empty() => {
                Err(self.to_error(operation))
            }
            Err(cause) => Err(Error::with_cause(operation, ErrorKind::BadAnswer, cause)),
        }
    }

    /// The body of a successful response as JSON.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Cause> {
        let body = self.success_body()?;
        serde_json::from_str(body).map_err(|error| Cause::from(&error))
    }

    /// The body of a successful response as an object whose fields are all optional.
    pub(crate) fn lenient_object<T: DeserializeOwned>(&self) -> Result<T, Cause> {
        let raw: &RawValue = self.json()?;
        lenient::parse_object(raw).ok_or(Cause::UnexpectedJson)
    }

    /// Whether BILL itself refuses the call, and no error code says something more specific.
    pub(crate) fn is_refusal(&self, operation: Operation) -> bool {
        !self.is_success()
            && self.classify(operation, &error_codes(&self.body)) == ErrorKind::Refused
    }

    /// The meaning of the status and of the error codes in the body. When there are several known
    /// codes, the first of `BY_CODE` decides: the one that rules out the most further calls.
    fn classify(&self, operation: Operation, codes: &[ErrorCode]) -> ErrorKind {
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

        match (known, self.status) {
            (Some((_, kind)), _) => *kind,
            // A partner sign-in uses no session, so none can have expired. BILL does not document
            // which code a wrong application key has.
            (None, 401) if operation == Operation::PartnerLogin => ErrorKind::BadCredentials,
            (None, 401) => ErrorKind::SessionExpired,
            (None, 408 | 429 | 500..) => ErrorKind::Unavailable,
            (None, _) if operation.is_of_subscriptions() || self.has_bill_errors() => {
                ErrorKind::Refused
            }
            // The page of a firewall or a load balancer says nothing about the call.
            (None, _) => ErrorKind::BadAnswer,
        }
    }

    /// Whether the body holds errors in BILL's own format, as opposed to a gateway's error page.
    fn has_bill_errors(&self) -> bool {
        !error_objects(&self.body).is_empty()
    }

    /// The cause of the `Err` is a placeholder that [`Self::parse`] replaces.
    fn success_body(&self) -> Result<&str, Cause> {
        if self.is_success() {
            Ok(&self.body)
        } else {
            Err(Cause::UnexpectedJson)
        }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn to_error(&self, operation: Operation) -> Error {
        let codes = error_codes(&self.body);
        let kind = self.classify(operation, &codes);
        Error::from_response(operation, kind, self.status, codes, self.retry_after)
    }
}

/// Parser of operations whose body has no meaning: only the status counts.
pub(crate) fn ignore_body(response: &ApiResponse) -> Result<(), Cause> {
    response.success_body()?;
    Ok(())
}

fn error_codes(body: &str) -> Vec<ErrorCode> {
    error_objects(body)
        .iter()
        .filter_map(|object| ErrorCode::parse(object.get("code")?.as_str()?))
        .collect()
}

/// The errors in a body: an array of objects, or a single object that has a `code`.
fn error_objects(body: &str) -> Vec<Value> {
    match serde_json::from_str(body) {
        Ok(Value::Array(values)) => values.into_iter().filter(Value::is_object).collect(),
        Ok(object @ Value::Object(_)) if object.get("code").is_some() => vec![object],
        _ => Vec::new(),
    }
}

/// `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3). A date is taken relative
/// to the `Date` of the same response, so that the local clock does not matter.
pub(crate) fn parse_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }

    let until = httpdate::parse_http_date(text).ok()?;
    let responded_at = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(until.duration_since(responded_at).unwrap_or_default())
}

#[cfg(test)]
mod tests;
