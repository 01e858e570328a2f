//! A parsed request.

use axum::{
    extract::Query,
    http::{HeaderMap, request::Parts},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    operations::{self, AuthLevel, Operation},
    responses::ErrorResponse,
    sessions::{Identity, Sessions},
};

/// A request for one of the contract's operations.
pub(crate) struct ApiRequest {
    pub(crate) operation: Operation,
    headers: HeaderMap,
    path: String,
    query: Vec<(String, String)>,
    /// `null` if the body is empty or not JSON.
    pub(crate) body: Value,
    /// The sandbox's time when the request arrived.
    pub(crate) now: Timestamp,
}

impl ApiRequest {
    /// `None` means that no operation has this method and path.
    pub(crate) fn parse(head: &Parts, body: &[u8], now: Timestamp) -> Option<Self> {
        let operation = Operation::from_request(&head.method, head.uri.path())?;
        let query = Query::try_from_uri(&head.uri)
            .map(|Query(query)| query)
            .unwrap_or_default();
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);

        Some(Self {
            operation,
            headers: head.headers.clone(),
            path: head.uri.path().to_owned(),
            query,
            body,
            now,
        })
    }

    /// The value of a header. `None` means that it is missing, empty or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)?
            .to_str()
            .ok()
            .filter(|value| !value.is_empty())
    }

    /// The first value of a query parameter. `None` means that it is missing or empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The subscription id in the path; empty if there is none.
    pub(crate) fn subscription_id(&self) -> &str {
        operations::subscription_id(&self.path).unwrap_or_default()
    }

    /// The named text fields of the body. `Err` is a 400 with one error for each field that is
    /// missing or empty.
    pub(crate) fn required_fields<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[&str; N], ErrorResponse> {
        let values = names.map(|name| {
            self.body
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        });
        let missing: Vec<String> = names
            .iter()
            .zip(&values)
            .filter(|(_, value)| value.is_empty())
            .map(|(name, _)| format!("{name}: must not be null"))
            .collect();

        if missing.is_empty() {
            Ok(values)
        } else {
            Err(ErrorResponse::validation(missing))
        }
    }

    /// The organization that the request is about, from its header, body or session. `None` means
    /// that it is about no organization, or that its session is invalid.
    pub(crate) fn target_organization_id(&self, sessions: &Sessions) -> Option<String> {
        match self.operation {
            Operation::ListPartnerUsers => self.header("organizationId").map(str::to_owned),
            Operation::LoginAsUser => self
                .body
                .get("organizationId")
                .and_then(Value::as_str)
                .map(str::to_owned),
            Operation::PartnerLogin => None,
            operation if operation.auth_level() == AuthLevel::Partner => None,
            _ => match sessions.peek(self.header("sessionId")?, self.now) {
                Some(Identity::User(user)) => Some(user.organization_id.clone()),
                _ => None,
            },
        }
    }
}
