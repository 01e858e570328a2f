//! One call of an operation, independent of the session that it is sent with.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    base_url::BaseUrl,
    error::{Cause, Error, ErrorKind},
    operation::Operation,
};

/// A call that can be sent any number of times: all operations of this client are safe to retry.
pub(crate) struct Call {
    operation: Operation,
    url: Option<Url>,
    query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    body: Option<SecretString>,
}

impl Call {
    pub(crate) fn new(operation: Operation) -> Self {
        Self {
            operation,
            url: None,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    pub(crate) fn operation(&self) -> Operation {
        self.operation
    }

    /// Replaces the URL that the base URL and the path of the operation form.
    pub(crate) fn with_url(self, url: Url) -> Self {
        Self {
            url: Some(url),
            ..self
        }
    }

    pub(crate) fn query(self, query: Vec<(&'static str, String)>) -> Self {
        Self { query, ..self }
    }

    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        Self {
            body: Some(body.to_string().into()),
            ..self
        }
    }

    /// Adds a header whose value is hidden in `Debug` output. `Err` when the value contains
    /// characters that HTTP headers do not allow; a retry does not help.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self, Error> {
        let invalid_header = || {
            Error::with_cause(
                self.operation,
                ErrorKind::Refused,
                Cause::InvalidHeaderValue,
            )
        };
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid_header())?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid_header())?;

        self.headers.insert(name, value);
        Ok(self)
    }

    pub(crate) fn into_headers(self) -> HeaderMap {
        self.headers
    }

    pub(super) fn to_request(
        &self,
        http: &reqwest::Client,
        base_url: &BaseUrl,
    ) -> reqwest::RequestBuilder {
        let url = self
            .url
            .clone()
            .unwrap_or_else(|| base_url.with_path(self.operation.path()));

        let mut request = http
            .request(self.operation.method(), url)
            .headers(self.headers.clone());
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if let Some(body) = &self.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.expose_secret().to_owned());
        }

        request
    }
}
