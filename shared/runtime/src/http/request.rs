//! A request as API Gateway passes it to a function.

use std::{borrow::Cow, collections::HashMap};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, header};

/// A request.
#[derive(Clone)]
pub struct Request {
    method: Method,
    path_parameters: HashMap<String, String>,
    headers: HeaderMap,
    body: String,
    is_base64_encoded: bool,
}

impl Request {
    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The part of the path that matches `{name}` in the route.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// The value of a header. The case of its name is ignored. API Gateway joins headers of the
    /// same name with commas. `None` if the header is absent or its value is not ASCII.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bytes of the body, empty if the request has none. An `Err` is permanent: the body is
    /// longer than `limit` bytes, or it is not the base64 that the event declares.
    pub fn body(&self, limit: usize) -> Result<Cow<'_, [u8]>, BodyError> {
        let length = if self.is_base64_encoded {
            base64::decoded_len_estimate(self.body.len()).saturating_sub(2)
        } else {
            self.body.len()
        };
        if length > limit {
            return Err(BodyError::TooLong { limit });
        }
        if !self.is_base64_encoded {
            return Ok(Cow::Borrowed(self.body.as_bytes()));
        }

        let bytes = BASE64_STANDARD
            .decode(&self.body)
            .map_err(|_| BodyError::NotBase64)?;
        if bytes.len() > limit {
            Err(BodyError::TooLong { limit })
        } else {
            Ok(Cow::Owned(bytes))
        }
    }
}

/// A body that a function does not accept. Permanent, and the client's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is longer than the caller allows.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The maximum length in bytes.
        limit: usize,
    },
    /// The event declares a base64 body that is not base64. API Gateway does not send this.
    #[error("the body is not valid base64")]
    NotBase64,
}

impl From<ApiGatewayV2httpRequest> for Request {
    fn from(event: ApiGatewayV2httpRequest) -> Self {
        Self {
            method: event.request_context.http.method,
            path_parameters: event.path_parameters,
            headers: event.headers,
            body: event.body.unwrap_or_default(),
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}
