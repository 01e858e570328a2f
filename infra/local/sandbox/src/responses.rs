//! Responses as BILL sends them: JSON, with an array of errors in every error response.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::switches::Switches;

/// A response before it is sent. Faults can still change it.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Empty if the response has no content.
    pub(crate) content_type: &'static str,
    /// Seconds in the `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
    /// The codes of an error response, for the statistics.
    pub(crate) codes: Vec<String>,
}

impl ApiResponse {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            body: body.to_string(),
            content_type: JSON,
            retry_after: None,
            codes: Vec::new(),
        }
    }

    /// 200 without content, as BILL documents it for `logout`.
    pub(crate) fn empty() -> Self {
        Self {
            status: 200,
            body: String::new(),
            content_type: "",
            retry_after: None,
            codes: Vec::new(),
        }
    }

    /// The error page of a gateway in front of BILL.
    pub(crate) fn html(status: u16) -> Self {
        let body = format!(
            "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"
        );

        Self {
            status,
            body,
            content_type: "text/html",
            retry_after: None,
            codes: Vec::new(),
        }
    }

    /// Removes the second half of the body. The headers stay as they are.
    pub(crate) fn truncate(&mut self) {
        let middle = self.body.floor_char_boundary(self.body.len() / 2);
        self.body.truncate(middle);
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if !self.content_type.is_empty() {
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(self.content_type),
            );
        }
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }

        response
    }
}

/// An error response: a status and one or more errors, each a code and a message.
#[derive(Clone, Debug)]
pub(crate) struct ErrorResponse {
    status: u16,
    errors: Vec<(String, String)>,
    retry_after: Option<u64>,
}

impl ErrorResponse {
    /// One error with BILL's message for this code.
    pub(crate) fn new(status: u16, code: &str) -> Self {
        Self::with_message(status, code, message(code))
    }

    pub(crate) fn with_message(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            errors: vec![(code.to_owned(), message.to_owned())],
            retry_after: None,
        }
    }

    /// The session is missing, unknown, expired or of another level.
    pub(crate) fn invalid_session() -> Self {
        Self::new(401, "BDC_1109")
    }

    /// Invalid parameters or fields, one error for each. BILL's code is unknown.
    pub(crate) fn validation(messages: Vec<String>) -> Self {
        let errors = messages
            .into_iter()
            .map(|message| (UNKNOWN_CODE.to_owned(), message))
            .collect();

        Self {
            status: 400,
            errors,
            retry_after: None,
        }
    }

    /// A well-formed request that the service rejects. BILL's code is unknown.
    pub(crate) fn unprocessable(message: &str) -> Self {
        Self::with_message(422, UNKNOWN_CODE, message)
    }

    /// The requests or logins of this clock hour are used up.
    pub(crate) fn hourly_limit(message: &str, switches: &Switches) -> Self {
        Self::with_message(switches.limit_status, "BDC_1144", message)
            .retry_after(switches.retry_after)
    }

    /// Sets the seconds in the `Retry-After` header.
    pub(crate) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    pub(crate) fn into_api_response(self, now: Timestamp) -> ApiResponse {
        let errors: Vec<Value> = self
            .errors
            .iter()
            .map(|(code, message)| {
                json!({
                    "timestamp": format_timestamp(now),
                    "code": code,
                    "severity": "ERROR",
                    "category": category(code),
                    "message": message,
                })
            })
            .collect();

        ApiResponse {
            status: self.status,
            body: Value::Array(errors).to_string(),
            content_type: JSON,
            retry_after: self.retry_after,
            codes: self.errors.into_iter().map(|(code, _)| code).collect(),
        }
    }
}

/// Formats a time as BILL does: `2025-09-19T16:24:43.000+00:00`.
pub(crate) fn format_timestamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string()
}

/// The contract's placeholder for a code that is not known.
pub(crate) const UNKNOWN_CODE: &str = "BDC_UNKNOWN";

const JSON: &str = "application/json";

fn message(code: &str) -> &'static str {
    match code {
        "BDC_1001" => "System error.",
        "BDC_1101" => "User name and/or password do not match our records.",
        "BDC_1102" => "Developer key is invalid.",
        "BDC_1109" => "Session is invalid.  Please log in.",
        "BDC_1121" => "API not supported.",
        "BDC_1144" => "Max number of allowed requests per hour reached: 20000.",
        "BDC_1322" => "Max number of concurrent requests per organization reached.",
        "BDC_1361" => "Untrusted session.",
        _ => "Unknown error occurred.",
    }
}

fn category(code: &str) -> &'static str {
    match code {
        "BDC_1001" => "SERVER",
        "BDC_1121" | UNKNOWN_CODE => "REQUEST",
        "BDC_1002" => "APPLICATION",
        _ => "DOWNSTREAM",
    }
}
