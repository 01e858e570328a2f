//! The body of `createSubscription`.

use serde::Deserialize;
use serde_json::Value;
use url::{Host, Url};

use crate::{events::switches::EventSwitches, responses::ErrorResponse};

/// The validated body of `createSubscription`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionRequest {
    #[serde(default)]
    pub(super) name: String,
    status: Option<Status>,
    #[serde(default)]
    pub(super) events: Vec<EventVersion>,
    #[serde(default)]
    pub(super) notification_url: String,
}

#[derive(Clone, Deserialize)]
struct Status {
    #[serde(default)]
    enabled: bool,
}

/// A type of events, in one version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct EventVersion {
    #[serde(default, rename = "type")]
    pub(super) event_type: String,
    #[serde(default)]
    pub(super) version: String,
}

impl SubscriptionRequest {
    /// Parses a request's body. `Err` is a 400 with one error for each invalid field.
    pub(crate) fn parse(body: &Value, switches: &EventSwitches) -> Result<Self, ErrorResponse> {
        let request: Self = serde_json::from_value(body.clone())
            .map_err(|error| ErrorResponse::validation(vec![format!("body: {error}")]))?;

        let errors = request.errors(switches);
        if errors.is_empty() {
            Ok(request)
        } else {
            Err(ErrorResponse::validation(errors))
        }
    }

    fn errors(&self, switches: &EventSwitches) -> Vec<String> {
        let has_event_without = |field: fn(&EventVersion) -> &str| {
            self.events.iter().any(|event| field(event).is_empty())
        };
        let checks = [
            (self.name.is_empty(), "name: must not be empty"),
            (self.status.is_none(), "status: must not be null"),
            (self.events.is_empty(), "events: must not be empty"),
            (
                has_event_without(|event| &event.event_type),
                "events.type: must not be empty",
            ),
            (
                has_event_without(|event| &event.version),
                "events.version: must not be empty",
            ),
            (
                !is_acceptable_url(&self.notification_url, switches),
                "notificationUrl: must be an HTTPS URL",
            ),
        ];

        checks
            .iter()
            .filter(|(is_invalid, _)| *is_invalid)
            .map(|(_, message)| (*message).to_owned())
            .collect()
    }

    /// Whether the subscription is to be created as enabled.
    pub(super) fn is_enabled(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.enabled)
    }

    /// Whether both have the same notification URL and the same events in any order. Name and
    /// status can differ.
    pub(super) fn is_duplicate_of(&self, other: &Self) -> bool {
        let sorted = |events: &[EventVersion]| {
            let mut events = events.to_vec();
            events.sort();
            events
        };

        self.notification_url == other.notification_url
            && sorted(&self.events) == sorted(&other.events)
    }
}

fn is_acceptable_url(url: &str, switches: &EventSwitches) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };

    match url.scheme() {
        "https" => url.has_host(),
        "http" => switches.allow_http_to_loopback && is_loopback(&url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
