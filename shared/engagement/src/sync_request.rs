//! The message of the sync queue: a request to sync one organization.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{identity::OrganizationId, personal::Name};

/// How long events about one organization are gathered into one message.
const EVENT_COALESCING_WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// A request to sync one organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// Version of this format: [`SyncRequest::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The fan-out run that sent the request, or `event#{event id}`.
    pub run_id: String,
    /// The organization, as the list of organizations describes it.
    pub organization: ListedOrganization,
    /// The time that the sync is requested for. An organization that was synced later is up to
    /// date.
    pub as_of: Timestamp,
    /// Whether to sync an organization that is not due yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Present if a BILL event caused the request. The request covers all events about the
    /// organization that arrive before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_until: Option<Timestamp>,
}

impl SyncRequest {
    /// The version that is written, and the only one that is read.
    pub const SCHEMA_VERSION: u32 = 1;

    /// The request to sync an organization that is due at `as_of`. Its listing is in the table.
    pub fn for_due(organization: OrganizationId, run_id: String, as_of: Timestamp) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            run_id,
            organization: ListedOrganization {
                id: organization,
                name: None,
                archived: false,
                created_at: None,
            },
            as_of,
            all: false,
            events_until: None,
        }
    }

    /// The request for an event that arrived at `at`, in whole seconds, and the end of the minute
    /// that the request covers.
    ///
    /// Events about one organization that arrive within one minute need only one message. It causes
    /// two syncs: one immediately and one at the end of the minute. Together they see the effect of
    /// all these events.
    pub fn for_event(
        organization: OrganizationId,
        event_id: &str,
        at: Timestamp,
    ) -> (Self, Timestamp) {
        let window = EVENT_COALESCING_WINDOW.as_secs();
        let window_end = (at.as_second().div_euclid(window) + 1) * window;
        let events_until = Timestamp::from_second(window_end).unwrap_or(Timestamp::MAX);

        let request = Self {
            schema_version: Self::SCHEMA_VERSION,
            run_id: format!("event#{event_id}"),
            organization: ListedOrganization {
                id: organization,
                name: None,
                archived: false,
                created_at: None,
            },
            // A sync that started within the same second may have started before the event.
            as_of: at
                .saturating_add(SignedDuration::from_secs(1))
                .unwrap_or(at),
            all: true,
            events_until: Some(events_until),
        };
        (request, events_until)
    }
}

/// What `GET /v3/partner/organizations` returns for an organization, reduced to what a sync needs.
/// Other personal data is dropped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedOrganization {
    /// BILL's id of the organization.
    pub id: OrganizationId,
    /// The name of the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether the organization is archived in BILL.
    #[serde(default)]
    pub archived: bool,
    /// When the organization was created in BILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

impl ListedOrganization {
    /// Whether more than the id is known. BILL gives every organization a name and a time of
    /// creation.
    pub fn is_described(&self) -> bool {
        self.name.is_some() || self.created_at.is_some()
    }
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
    fn event_request_covers_the_minute_of_arrival(#[case] at: &str, #[case] expected: &str) {
        let at: Timestamp = at.parse().unwrap();

        let (request, events_until) = SyncRequest::for_event("00801A".parse().unwrap(), "e", at);

        assert_eq!(
            (events_until, request.events_until),
            (expected.parse().unwrap(), Some(events_until))
        );
        assert!(request.as_of > at && request.as_of <= events_until);
    }

    #[test]
    fn event_request_serializes_to_schema_version_1() {
        let (request, _) = SyncRequest::for_event(
            "00801A".parse().unwrap(),
            "5b0c",
            "2026-11-23T09:00:30Z".parse().unwrap(),
        );
        let expected = concat!(
            r#"{"schema_version":1,"run_id":"event#5b0c","#,
            r#""organization":{"id":"00801A","archived":false},"#,
            r#""as_of":"2026-11-23T09:00:31Z","all":true,"#,
            r#""events_until":"2026-11-23T09:01:00Z"}"#,
        );

        assert_eq!(serde_json::to_string(&request).unwrap(), expected);
        assert_eq!(
            serde_json::from_str::<SyncRequest>(expected).unwrap(),
            request
        );
    }
}
