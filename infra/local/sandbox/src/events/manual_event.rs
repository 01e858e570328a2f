//! Events that are sent without a change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    events::{
        domain_event::DomainEvent,
        payloads::{self, Payload},
    },
    population::organization::Organization,
};

/// An event that is sent without a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualEvent {
    /// The organization that the event is about.
    pub organization_id: String,
    /// One of the five types with a payload in the contract, such as `payment.failed`.
    #[serde(rename = "type")]
    pub event_type: String,
}

impl ManualEvent {
    /// The event with a payload that describes the organization's current state. `None` means that
    /// the contract has no such type, or that the organization has nothing that it describes.
    pub(crate) fn to_domain_event(
        &self,
        organization: &Organization,
        now: Timestamp,
    ) -> Option<DomainEvent> {
        let id = organization.id.as_deref()?;
        let payload = self.payload(organization, now)?;

        Some(DomainEvent::new(&self.event_type, id, payload, now))
    }

    fn payload(&self, organization: &Organization, now: Timestamp) -> Option<Payload> {
        let has_bank_account = !organization.bank_accounts.is_empty();
        let has_payment = organization
            .payments
            .first()
            .is_some_and(|series| series.count > 0);

        Some(match self.event_type.as_str() {
            "bank-account.created" if has_bank_account => {
                payloads::created_account(organization, 0)
            }
            "bank-account.updated" => {
                payloads::updated_account(organization.bank_accounts.first()?)
            }
            "payment.updated" if has_payment => payloads::payment(organization, 0, 0),
            "payment.failed" => payloads::failed_payment(now),
            "risk-verification.updated" => {
                payloads::risk_verification(organization.verification.as_ref()?)
            }
            _ => return None,
        })
    }
}
