//! A response as a function returns it to API Gateway.

use aws_lambda_events::{apigw::ApiGatewayV2httpResponse, encodings::Body};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

/// A response: status, headers, and a text as the body.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Response {
    /// A response with a body of this media type.
    pub fn new(status: StatusCode, content_type: HeaderValue, body: String) -> Self {
        Self {
            status,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, content_type)]),
            body,
        }
    }

    /// A response without a body and without a media type.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: String::new(),
        }
    }

    /// An HTML page.
    pub fn html(status: StatusCode, page: String) -> Self {
        Self::new(
            status,
            HeaderValue::from_static("text/html; charset=utf-8"),
            page,
        )
    }

    /// A problem details object (RFC 9457). The status is the kind of the problem, `detail` says
    /// what the client can do about it.
    pub fn problem(status: StatusCode, detail: &str) -> Self {
        // The title that RFC 9457, section 4.2.1, asks for when a problem has no type.
        let title = status.canonical_reason().unwrap_or_default();
        let problem = json!({ "title": title, "status": status.as_u16(), "detail": detail });

        Self::new(
            status,
            HeaderValue::from_static("application/problem+json"),
            problem.to_string(),
        )
    }

    /// The response with this header, which replaces a header of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The response without its body, as HTTP requires for `HEAD`.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self {
            body: String::new(),
            ..self
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, empty if there is none.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl From<Response> for ApiGatewayV2httpResponse {
    fn from(response: Response) -> Self {
        let mut event = Self::default();
        event.status_code = i64::from(response.status.as_u16());
        event.headers = response.headers;
        event.body = (!response.body.is_empty()).then_some(Body::Text(response.body));
        event
    }
}
