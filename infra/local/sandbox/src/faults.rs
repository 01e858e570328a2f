//! Faults: responses that fail on demand.

use serde::{Deserialize, Serialize};

use crate::operations::Operation;

/// A fault: which requests fail, how, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The contract's `operationId`, such as `listPayments`. `None` matches every operation.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The organization that the request is about, by its session, header or body. `None` matches
    /// every request.
    #[serde(default)]
    pub organization_id: Option<String>,
    /// How the request fails.
    pub kind: FaultKind,
    /// The number of requests that fail. `None` means all requests until the fault is removed.
    #[serde(default)]
    pub times: Option<u32>,
}

/// How a request fails. The JSON is `{"type": "status", "status": 503}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FaultKind {
    /// The response is an error array.
    Status {
        /// HTTP status.
        status: u16,
        /// BILL's code. `None` means `BDC_1001` for a status from 500 on, else a placeholder.
        #[serde(default)]
        code: Option<String>,
        /// Seconds in the `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The response is a gateway's HTML page.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The second half of the response's body is missing.
    Truncated,
    /// The response is delayed.
    Delay {
        /// The delay in milliseconds.
        milliseconds: u64,
    },
    /// The connection is closed without a response.
    Reset,
}

/// The active faults, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    active: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.active.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.active
    }

    /// The oldest fault that matches this request. Counts the request and removes the fault if it
    /// was the last one.
    pub(crate) fn take_matching(
        &mut self,
        operation: Operation,
        organization_id: Option<&str>,
    ) -> Option<FaultKind> {
        let position = self
            .active
            .iter()
            .position(|fault| fault.matches(operation, organization_id))?;
        let fault = &mut self.active[position];
        let kind = fault.kind.clone();

        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.active.remove(position);
            }
        }

        Some(kind)
    }
}

impl Fault {
    fn matches(&self, operation: Operation, organization_id: Option<&str>) -> bool {
        self.times != Some(0)
            && self
                .endpoint
                .as_deref()
                .is_none_or(|endpoint| endpoint == operation.id())
            && (self.organization_id.is_none()
                || self.organization_id.as_deref() == organization_id)
    }
}
