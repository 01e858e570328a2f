//! Answers that are broken on demand.

use serde::{Deserialize, Serialize};

use crate::operations::Operation;

/// Which requests go wrong, how, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The `operationId` of the contract, such as `listPayments`. None: every endpoint.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The organization that the request is about (by session, header or body). None: any, and
    /// none.
    #[serde(default)]
    pub organization_id: Option<String>,
    /// What happens instead of the answer.
    pub kind: FaultKind,
    /// How many requests it hits. None: all until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What happens instead of the answer; in JSON `{"type": "status", "status": 503}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FaultKind {
    /// An error array.
    Status {
        /// HTTP status.
        status: u16,
        /// BILL's code. None: `BDC_1001` from 500 on, a placeholder below.
        #[serde(default)]
        code: Option<String>,
        /// Seconds in the `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// A gateway's HTML page.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The answer with the second half of its body missing.
    Truncated,
    /// The answer, late.
    Delay {
        /// How late, in milliseconds.
        milliseconds: u64,
    },
    /// The connection is closed without an answer.
    Reset,
}

/// The faults in force, oldest first.
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

    /// The fault that hits this request, if any; it is used up by one.
    pub(crate) fn take_matching(
        &mut self,
        operation: Operation,
        organization_id: Option<&str>,
    ) -> Option<FaultKind> {
        let position = self
            .active
            .iter()
            .position(|fault| fault.hits(operation, organization_id))?;
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
    fn hits(&self, operation: Operation, organization_id: Option<&str>) -> bool {
        self.times != Some(0)
            && self
                .endpoint
                .as_deref()
                .is_none_or(|endpoint| endpoint == operation.id())
            && (self.organization_id.is_none()
                || self.organization_id.as_deref() == organization_id)
    }
}
