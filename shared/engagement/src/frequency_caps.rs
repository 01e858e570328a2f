//! Frequency caps: how many e-mails an address may get within a period.

use std::str::FromStr;

use jiff::{SignedDuration, SpanRelativeTo, Timestamp};

use crate::{contact::Contact, event_stamp::EventStamp};

/// How many e-mails an address may get, counted over all organizations and campaigns.
///
/// As text `1/3d,4/30d`: 1 e-mail in 3 days and 4 in 30 days. `none`: no cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrequencyCaps(Vec<FrequencyCap>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrequencyCap {
    emails: usize,
    period: SignedDuration,
}

/// The text is not a list of caps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected caps such as 1/3d,4/30d (1 e-mail in 3 days and 4 in 30 days) or none")]
pub struct InvalidFrequencyCaps;

impl Default for FrequencyCaps {
    fn default() -> Self {
        let cap = |emails, days: i64| FrequencyCap {
            emails,
            period: SignedDuration::from_hours(24 * days),
        };
        Self(vec![cap(1, 3), cap(4, 30)])
    }
}

impl FrequencyCaps {
    /// When the caps allow the next e-mail to the contact. `None`: now. A cap counts an e-mail from
    /// its claim until the period of the cap is over.
    pub fn next_allowed_at(&self, contact: &Contact, as_of: Timestamp) -> Option<Timestamp> {
        self.0
            .iter()
            .filter_map(|cap| cap.next_allowed_at(contact, as_of))
            .max()
    }

    /// The period of the longest cap. Older e-mails are not counted.
    pub fn longest_period(&self) -> SignedDuration {
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
    fn next_allowed_at(self, contact: &Contact, as_of: Timestamp) -> Option<Timestamp> {
        let counted: Vec<Timestamp> = contact
            .recent_mails
            .iter()
            .map(EventStamp::time)
            .filter(|time| as_of.duration_since(*time) < self.period)
            .collect();
        // Once this e-mail is older than the period, fewer than `emails` are counted.
        let limiting = counted.len().checked_sub(self.emails)?;
        counted[limiting].checked_add(self.period).ok()
    }

    fn parse(text: &str) -> Option<Self> {
        let (emails, period) = text.split_once('/')?;
        let emails = emails.trim().parse().ok().filter(|emails| *emails > 0)?;
        let period: jiff::Span = period.trim().parse().ok()?;
        let period = period
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .ok()
            .filter(SignedDuration::is_positive)?;
        Some(Self { emails, period })
    }
}
