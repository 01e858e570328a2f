//! Event stamps: the time and the id of an event, as members of sets that deduplicate events.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The time and the id of an event, as text `{time}#{id}`. An event that is recorded twice is one
/// member of a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventStamp {
    at: Timestamp,
    id: String,
}

/// The text is not an [`EventStamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not of the form TIME#ID")]
pub struct InvalidEventStamp;

impl EventStamp {
    /// The stamp of an event. Fractions of a second are dropped.
    pub fn new(at: Timestamp, id: impl Into<String>) -> Self {
        Self {
            at: Timestamp::from_second(at.as_second()).unwrap_or(at),
            id: id.into(),
        }
    }

    /// The time of the event, in whole seconds.
    pub fn time(&self) -> Timestamp {
        self.at
    }
}

impl fmt::Display for EventStamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.at, self.id)
    }
}

impl From<EventStamp> for String {
    fn from(stamp: EventStamp) -> Self {
        stamp.to_string()
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
