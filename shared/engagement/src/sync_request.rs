//! The message that asks for a look at one organization: what the sync queue carries.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{identity::OrganizationId, personal::Name};

/// A request to look at one organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// Version of this format: [`SyncRequest::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run that asks.
    pub run_id: String,
    /// Which organization, and what the list of organizations says about it.
    pub organization: ListedOrganization,
    /// The moment that the look is for.
    pub as_of: Timestamp,
    /// Look even if the organization is not due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Present when BILL's events ask and not a run: the message stands for all events about the
    /// organization that arrived, or will arrive, before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_until: Option<Timestamp>,
}

impl SyncRequest {
    /// The version written today, and the only one read.
    pub const SCHEMA_VERSION: u32 = 1;

    /// The request of an event that arrived at `at`, in whole seconds, and the end of the minute
    /// that it stands for.
    ///
    /// Events about one organization that arrive within one minute need no more than one message:
    /// the look that it causes at once, and the one that it causes when the minute is over, see
    /// what all of them are about.
    pub fn of_event(
        organization: OrganizationId,
        event_id: &str,
        at: Timestamp,
    ) -> (Self, Timestamp) {
        let window = EVENT_COALESCING_WINDOW.as_secs();
        let events_until = Timestamp::from_second((at.as_second().div_euclid(window) + 1) * window)
            .unwrap_or(Timestamp::MAX);
        let request = Self {
            schema_version: Self::SCHEMA_VERSION,
            run_id: format!("event#{event_id}"),
            organization: ListedOrganization {
                id: organization,
                name: None,
                archived: false,
                created_at: None,
            },
            // A look that began within the same second may have begun before the event.
            as_of: at
                .saturating_add(SignedDuration::from_secs(1))
                .unwrap_or(at),
            all: true,
            events_until: Some(events_until),
        };
        (request, events_until)
    }
}

/// How long events about one organization are gathered into one message.
const EVENT_COALESCING_WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// What `GET /v3/partner/organizations` says about an organization, less everything that is
/// nobody's business.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedOrganization {
    /// BILL's id.
    pub id: OrganizationId,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// When it was created in BILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-11-23T09:00:00Z", "2026-11-23T09:01:00Z")]
    #[case("2026-11-23T09:00:59Z", "2026-11-23T09:01:00Z")]
    #[case("2026-11-23T09:01:00Z", "2026-11-23T09:02:00Z")]
    #[case("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z")]
    fn an_event_stands_for_the_minute_in_which_it_arrived(
        #[case] at: &str,
        #[case] expected: &str,
    ) {
        let at: Timestamp = at.parse().unwrap();
        let (request, events_until) = SyncRequest::of_event("00801A".parse().unwrap(), "e", at);
        assert_eq!(
            (events_until, request.events_until),
            (expected.parse().unwrap(), Some(events_until))
        );
        assert!(request.as_of > at && request.as_of <= events_until);
    }

    #[test]
    fn the_message_of_an_event_is_one_that_every_reader_of_the_queue_understands() {
        let (request, _) = SyncRequest::of_event(
            "00801A".parse().unwrap(),
            "5b0c",
            "2026-11-23T09:00:30Z".parse().unwrap(),
        );
        let expected = r#"{"schema_version":1,"run_id":"event#5b0c","organization":{"id":"00801A","archived":false},"as_of":"2026-11-23T09:00:31Z","all":true,"events_until":"2026-11-23T09:01:00Z"}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), expected);
        assert_eq!(
            serde_json::from_str::<SyncRequest>(expected).unwrap(),
            request
        );
    }
}
