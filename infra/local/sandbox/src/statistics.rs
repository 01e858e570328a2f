//! What was asked of the sandbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::operations::Operation;

/// Counts since the start or the last reset. Refused requests count too; the control API does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// All requests.
    pub requests: u64,
    /// Requests by `operationId` of the contract; paths that are not served count as `unknown`.
    pub by_endpoint: BTreeMap<String, u64>,
    /// Requests about one organization (by session, header or body), by its id.
    pub by_organization: BTreeMap<String, u64>,
    /// Calls of login-as-user.
    pub sign_ins: u64,
    /// Calls of the partner's login.
    pub partner_logins: u64,
    /// The most requests that were under way at once for an organization, by its id; refused ones
    /// included.
    pub max_concurrent_by_organization: BTreeMap<String, usize>,
    /// Error answers by BILL's code, faults included.
    pub errors_by_code: BTreeMap<String, u64>,
}

impl Statistics {
    pub(crate) fn request(&mut self, operation: Option<Operation>) {
        self.requests += 1;
        let endpoint = operation.map_or("unknown", Operation::id);
        *self.by_endpoint.entry(endpoint.to_owned()).or_default() += 1;
        match operation {
            Some(Operation::LoginAsUser) => self.sign_ins += 1,
            Some(Operation::PartnerLogin) => self.partner_logins += 1,
            _ => {}
        }
    }

    pub(crate) fn organization(&mut self, id: &str, concurrent: usize) {
        *self.by_organization.entry(id.to_owned()).or_default() += 1;
        let most = self
            .max_concurrent_by_organization
            .entry(id.to_owned())
            .or_default();
        *most = (*most).max(concurrent);
    }

    pub(crate) fn error(&mut self, code: &str) {
        *self.errors_by_code.entry(code.to_owned()).or_default() += 1;
    }
}
