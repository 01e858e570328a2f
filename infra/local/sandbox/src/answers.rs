//! Answers and refusals in BILL's shape: JSON, and an array of errors even for one.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// An answer on its way out; faults may still cut it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) content_type: &'static str,
    pub(crate) retry_after: Option<u64>,
    /// The codes of an error answer, for the statistics.
    pub(crate) codes: Vec<String>,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            body: body.to_string(),
            content_type: JSON,
            retry_after: None,
            codes: Vec::new(),
        }
    }

    /// 200 without content, as documented for log-out.
    pub(crate) fn empty() -> Self {
        Self {
            status: 200,
            body: String::new(),
            content_type: "",
            retry_after: None,
            codes: Vec::new(),
        }
    }

    /// What a gateway in front of BILL says when it is broken.
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

    /// Cuts the body in its middle; headers stay those of a whole answer.
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

/// Why a request was refused.
#[derive(Clone, Debug)]
pub(crate) struct ErrorResponse {
    status: u16,
    errors: Vec<(String, String)>,
    retry_after: Option<u64>,
}

impl ErrorResponse {
    /// One error whose message is BILL's for that code.
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

    /// A session that is missing, unknown, expired or of the wrong level.
    pub(crate) fn session() -> Self {
        Self::new(401, "BDC_1109")
    }

    /// Parameters or fields that are refused: one error each. Their real code is unknown.
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

    /// A refusal by the service behind the gateway. Its real code is unknown.
    pub(crate) fn unprocessable(message: &str) -> Self {
        Self::with_message(422, UNKNOWN_CODE, message)
    }

    pub(crate) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    pub(crate) fn into_api_response(self, now: Timestamp) -> Answer {
        let errors: Vec<Value> = self
            .errors
            .iter()
            .map(|(code, message)| {
                json!({
                    "timestamp": time(now),
                    "code": code,
                    "severity": "ERROR",
                    "category": category(code),
                    "message": message,
                })
            })
            .collect();
        Answer {
            status: self.status,
            body: Value::Array(errors).to_string(),
            content_type: JSON,
            retry_after: self.retry_after,
            codes: self.errors.into_iter().map(|(code, _)| code).collect(),
        }
    }
}

/// A time as BILL writes it: `2025-09-19T16:24:43.000+00:00`.
pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string()
}

/// The contract's placeholder where BILL's code is not known.
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
