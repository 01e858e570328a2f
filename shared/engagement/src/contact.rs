//! Contacts: what is recorded for an e-mail address. Contains the pseudonym of the address, never
//! the address itself.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{address_hash::AddressHash, campaign::Category, event_stamp::EventStamp};

/// Number of soft bounces within [`SOFT_BOUNCE_PERIOD`] that suppresses an address.
const SOFT_BOUNCE_LIMIT: usize = 3;
const SOFT_BOUNCE_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One item of the `contacts` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Pseudonym of the address.
    pub address_hash: AddressHash,
    /// Number of e-mails claimed for the address since the item was created. Does not count e-mails
    /// that SES rejected.
    #[serde(default)]
    pub mails: u64,
    /// The e-mails of the last weeks, one stamp for each claim. Input of the frequency caps.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recent_mails: BTreeSet<EventStamp>,
    /// Time of the first permanent bounce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_bounced_at: Option<Timestamp>,
    /// When the recipient first reported an e-mail as spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<Timestamp>,
    /// Temporary bounces, and bounces of which SES cannot tell whether they are permanent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub soft_bounces: BTreeSet<EventStamp>,
    /// When the recipient unsubscribed from all categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_all: Option<Timestamp>,
    /// When the recipient unsubscribed from [`Category::Onboarding`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_onboarding: Option<Timestamp>,
    /// When the recipient unsubscribed from [`Category::Reengagement`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_reengagement: Option<Timestamp>,
    /// When the recipient unsubscribed from [`Category::Product`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_product: Option<Timestamp>,
    /// Incremented by each write, for optimistic locking: a write that depends on what was read
    /// carries the condition that the version is unchanged.
    #[serde(default)]
    pub version: u64,
}

impl Contact {
    /// A contact without history.
    pub fn new(address_hash: AddressHash) -> Self {
        Self {
            address_hash,
            mails: 0,
            recent_mails: BTreeSet::new(),
            hard_bounced_at: None,
            complained_at: None,
            soft_bounces: BTreeSet::new(),
            unsubscribed_all: None,
            unsubscribed_onboarding: None,
            unsubscribed_reengagement: None,
            unsubscribed_product: None,
            version: 0,
        }
    }

    /// Why no e-mail may be sent to the address. `None`: the address is not suppressed.
    pub fn suppression(&self) -> Option<Suppression> {
        if self.complained_at.is_some() {
            Some(Suppression::Complaint)
        } else if self.hard_bounced_at.is_some() {
            Some(Suppression::HardBounce)
        } else if self.has_repeated_soft_bounces() {
            Some(Suppression::SoftBounces)
        } else {
            None
        }
    }

    /// Whether the recipient unsubscribed from this category or from all categories.
    pub fn is_unsubscribed_from(&self, category: Category) -> bool {
        let unsubscribed_category = match category {
            Category::Onboarding => self.unsubscribed_onboarding,
            Category::Reengagement => self.unsubscribed_reengagement,
            Category::Product => self.unsubscribed_product,
        };
        unsubscribed_category.is_some() || self.unsubscribed_all.is_some()
    }

    /// Whether [`SOFT_BOUNCE_LIMIT`] soft bounces ever occurred within [`SOFT_BOUNCE_PERIOD`]. The
    /// period may lie in the past, so that a suppressed address remains suppressed.
    fn has_repeated_soft_bounces(&self) -> bool {
        let times: Vec<Timestamp> = self.soft_bounces.iter().map(EventStamp::time).collect();
        times.windows(SOFT_BOUNCE_LIMIT).any(|window| {
            window[SOFT_BOUNCE_LIMIT - 1].duration_since(window[0]) <= SOFT_BOUNCE_PERIOD
        })
    }
}

/// Why no e-mail may be sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Suppression {
    /// The recipient reported an e-mail as spam.
    Complaint,
    /// A mail server rejected the address permanently.
    HardBounce,
    /// Mail servers rejected e-mails to the address three times within 30 days.
    SoftBounces,
}
