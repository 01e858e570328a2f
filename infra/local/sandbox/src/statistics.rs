//! Counts of the requests that the sandbox received.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::operations::Operation;

/// Counts since the start or the last reset. Rejected requests are included; requests of the
/// control API are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// All requests.
    pub requests: u64,
    /// Requests by the contract's `operationId`; requests for unknown paths count as `unknown`.
    pub by_endpoint: BTreeMap<String, u64>,
    /// Requests about one organization (by session, header or body), by its id.
    pub by_organization: BTreeMap<String, u64>,
    /// The same requests by the contract's `operationId`, by the organization's id.
    pub endpoints_by_organization: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests of `loginAsUser`.
    pub sign_ins: u64,
    /// Requests of `partnerLogin`.
    pub partner_logins: u64,
    /// The maximum number of concurrent requests about an organization, by its id.
    pub max_concurrent_by_organization: BTreeMap<String, usize>,
    /// Errors by BILL's code, including those of faults.
    pub errors_by_code: BTreeMap<String, u64>,
}

impl Statistics {
    /// Counts a request. `None` stands for an unknown path.
    pub(crate) fn count_request(&mut self, operation: Option<Operation>) {
        self.requests += 1;
        let endpoint = operation.map_or("unknown", Operation::id);
        *self.by_endpoint.entry(endpoint.to_owned()).or_default() += 1;

        match operation {
            Some(Operation::LoginAsUser) => self.sign_ins += 1,
            Some(Operation::PartnerLogin) => self.partner_logins += 1,
            _ => {}
        }
    }

    /// Counts a request about an organization that has `concurrent` requests in flight.
    pub(crate) fn count_organization(&mut self, id: &str, operation: Operation, concurrent: usize) {
        *self.by_organization.entry(id.to_owned()).or_default() += 1;
        let endpoints = self
            .endpoints_by_organization
            .entry(id.to_owned())
            .or_default();
        *endpoints.entry(operation.id().to_owned()).or_default() += 1;

        let max = self
            .max_concurrent_by_organization
            .entry(id.to_owned())
            .or_default();
        *max = (*max).max(concurrent);
    }

    pub(crate) fn count_error(&mut self, code: &str) {
        *self.errors_by_code.entry(code.to_owned()).or_default() += 1;
    }
}
