//! Contacts: what is known of an address, and when it may be written to. No address in clear, only
//! its pseudonym.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{campaign::Category, personal::AddressHash};

/// One item of the `contacts` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Pseudonym of the address.
    pub address_hash: AddressHash,
    /// Mails that were claimed for it, ever, less those that SES refused.
    #[serde(default)]
    pub mails: u64,
    /// The same of the last while, one by one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recent_mails: BTreeSet<EventStamp>,
    /// The first time that a mail server refused the address for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_bounced_at: Option<Timestamp>,
    /// The first time that the recipient called a message spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<Timestamp>,
    /// Each time that a mail server refused the address for a time, or it is not known for how
    /// long.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub soft_bounces: BTreeSet<EventStamp>,
    /// When the recipient left everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_all: Option<Timestamp>,
    /// When the recipient left `onboarding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_onboarding: Option<Timestamp>,
    /// When the recipient left `reengagement`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_reengagement: Option<Timestamp>,
    /// When the recipient left `product`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribed_product: Option<Timestamp>,
    /// Goes up with each change: whoever decides by what was read writes under the condition that
    /// it is still the same.
    #[serde(default)]
    pub version: u64,
}

impl Contact {
    /// An address of which nothing is known yet.
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

    /// Why the address must not be written to at all.
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

    /// Whether the recipient does not want mails of this category.
    pub fn is_unsubscribed_from(&self, category: Category) -> bool {
        let left = match category {
            Category::Onboarding => self.unsubscribed_onboarding,
            Category::Reengagement => self.unsubscribed_reengagement,
            Category::Product => self.unsubscribed_product,
        };
        left.is_some() || self.unsubscribed_all.is_some()
    }

    /// Three within 30 days, at any time: what was suppressed stays so.
    fn has_repeated_soft_bounces(&self) -> bool {
        const SOFT_BOUNCE_LIMIT: usize = 3;
        const SOFT_BOUNCE_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);
        let times: Vec<Timestamp> = self.soft_bounces.iter().map(EventStamp::at).collect();
        times.windows(SOFT_BOUNCE_LIMIT).any(|window| {
            window[SOFT_BOUNCE_LIMIT - 1].duration_since(window[0]) <= SOFT_BOUNCE_PERIOD
        })
    }
}

/// Why an address must not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Suppression {
    /// The recipient called a message spam.
    Complaint,
    /// A mail server refused the address for good.
    HardBounce,
    /// Mail servers refused the address three times within 30 days.
    SoftBounces,
}

/// Something that happened once, as `{time}#{id}`: in a set, the same thing told twice is one
/// member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventStamp {
    at: Timestamp,
    id: String,
}

/// The text is no mark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not of the form TIME#ID")]
pub struct InvalidEventStamp;

impl EventStamp {
    /// Marks what happened at that second.
    pub fn new(at: Timestamp, id: impl Into<String>) -> Self {
        Self {
            at: Timestamp::from_second(at.as_second()).unwrap_or(at),
            id: id.into(),
        }
    }

    /// When it happened, in whole seconds.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl fmt::Display for EventStamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.at, self.id)
    }
}

impl From<EventStamp> for String {
    fn from(mark: EventStamp) -> Self {
        mark.to_string()
    }
}

impl FromStr for EventStamp {
    type Err = InvalidEventStamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, id) = text.split_once('#').ok_or(InvalidEventStamp)?;
        Ok(Self {
            at: at.parse().map_err(|_| InvalidEventStamp)?,
            id: id.to_owned(),
        })
    }
}

impl TryFrom<String> for EventStamp {
    type Error = InvalidEventStamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// How many mails an address may get, over all organizations and campaigns.
///
/// As text `1/3d,4/30d`: 1 mail in 3 days and 4 in 30 days; or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrequencyCaps(Vec<FrequencyCap>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrequencyCap {
    mails: usize,
    period: SignedDuration,
}

/// The text does not say how many mails an address may get.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected caps such as 1/3d,4/30d (1 mail in 3 days and 4 in 30 days) or none")]
pub struct InvalidFrequencyCaps;

impl Default for FrequencyCaps {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self(vec![
            FrequencyCap {
                mails: 1,
                period: days(3),
            },
            FrequencyCap {
                mails: 4,
                period: days(30),
            },
        ])
    }
}

impl FrequencyCaps {
    /// When the address may get another mail; `None`: now. A mail counts for less than the period
    /// after it was claimed.
    pub fn next_allowed_at(&self, contact: &Contact, as_of: Timestamp) -> Option<Timestamp> {
        let waits = self.0.iter().filter_map(|cap| {
            let counted: Vec<Timestamp> = contact
                .recent_mails
                .iter()
                .map(EventStamp::at)
                .filter(|at| as_of.duration_since(*at) < cap.period)
                .collect();
            let index_of_limiting_email = counted.len().checked_sub(cap.mails)?;
            counted[index_of_limiting_email]
                .checked_add(cap.period)
                .ok()
        });
        waits.max()
    }

    /// Mails older than this count for no cap.
    pub fn longest(&self) -> SignedDuration {
        self.0
            .iter()
            .map(|cap| cap.period)
            .max()
            .unwrap_or_default()
    }
}

impl FromStr for FrequencyCaps {
    type Err = InvalidFrequencyCaps;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "none" {
            return Ok(Self(Vec::new()));
        }
        text.split(',')
            .map(|cap| FrequencyCap::parse(cap.trim()).ok_or(InvalidFrequencyCaps))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FrequencyCap {
    fn parse(text: &str) -> Option<Self> {
        let (mails, period) = text.split_once('/')?;
        let mails = mails.trim().parse().ok().filter(|mails| *mails > 0)?;
        let period: jiff::Span = period.trim().parse().ok()?;
        let period = period
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .ok()
            .filter(SignedDuration::is_positive)?;
        Some(Self { mails, period })
    }
}
