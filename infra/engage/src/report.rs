//! Formats the output of commands: text and tables for people, JSON for programs. The output never
//! contains a key.

use bill::events::Subscription;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;
use store::MakeDueProgress;

use crate::{replay::ReplayResult, webhooks::receiver};

/// A subscription as it is printed.
#[derive(Debug, Serialize)]
pub struct SubscriptionView {
    /// BILL's id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether notifications are sent.
    pub enabled: bool,
    /// Who set that: `CLIENT` or `SYSTEM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// BILL's reason for disabling it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Event types, with their versions.
    pub events: Vec<String>,
    /// URL that receives the notifications. For another system only host and path, because the
    /// rest can contain a secret.
    pub notification_url: Option<String>,
    /// Time of its creation.
    pub created_time: Option<Timestamp>,
    /// Time of its last change.
    pub updated_time: Option<Timestamp>,
    /// Whether it delivers to this stack.
    pub of_this_stack: bool,
}

impl SubscriptionView {
    /// A view of a subscription. Its whole URL is shown only if it delivers to this stack.
    pub fn new(subscription: &Subscription, of_this_stack: bool) -> Self {
        let url = subscription.notification_url.as_ref();
        let status = subscription.status.clone().unwrap_or_default();
        Self {
            id: subscription.id.as_ref().map(ToString::to_string),
            name: subscription.name.clone(),
            enabled: subscription.is_enabled(),
            actor: status.actor,
            reason: status.reason,
            events: subscription
                .events()
                .map(|event| event.to_string())
                .collect(),
            notification_url: if of_this_stack {
                url.map(ToString::to_string)
            } else {
                url.map(receiver)
            },
            created_time: subscription.created_time,
            updated_time: subscription.updated_time,
            of_this_stack,
        }
    }

    fn status(&self) -> String {
        match (self.enabled, self.actor.as_deref()) {
            (true, _) => "enabled".to_owned(),
            (false, Some("SYSTEM")) => format!(
                "disabled by BILL: {}",
                self.reason.as_deref().unwrap_or("no reason given")
            ),
            (false, _) => "disabled".to_owned(),
        }
    }
}

/// All fields of one subscription, as a table.
pub fn subscription_details(view: &SubscriptionView) -> String {
    let mut table = table();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    for (name, value) in [
        ("id", text(view.id.as_ref())),
        ("name", text(view.name.as_ref())),
        ("status", view.status()),
        ("events", view.events.join("\n")),
        ("delivers to", text(view.notification_url.as_ref())),
        ("created", time(view.created_time)),
        ("changed", time(view.updated_time)),
        (
            "of this stack",
            if view.of_this_stack { "yes" } else { "no" }.to_owned(),
        ),
    ] {
        table.add_row([name, &value]);
    }
    table.to_string()
}

/// A table of subscriptions, one per row.
pub fn subscription_list(all: &[SubscriptionView]) -> String {
    if all.is_empty() {
        return "no subscriptions".to_owned();
    }
    let mut table = table();
    table.set_header(["id", "status", "this stack", "delivers to"]);
    for view in all {
        let ours = if view.of_this_stack { "yes" } else { "" };
        let (id, url) = (
            view.id.as_deref().unwrap_or_default(),
            view.notification_url.as_deref().unwrap_or_default(),
        );
        table.add_row([id, &view.status(), ours, url]);
    }
    table.to_string()
}

/// What the response to a test event means and what to do. `None`: BILL got no response.
pub fn test_result(status: Option<u16>) -> String {
    let advice = match status {
        None => "BILL got no response from the stack; run this again",
        Some(200) => return "The stack responded to the event with 200.".to_owned(),
        Some(401) => {
            "its signature was rejected. A key that was just stored is used within 30 seconds: run \
             this again then. If it is still rejected, run `engage webhooks rotate-key`"
        }
        Some(429) => "the stack's HTTP API throttles at the moment; run this again",
        Some(503) => {
            "the stack could not read its keys or send to its queue; see the log of receive-events"
        }
        Some(_) => {
            "this is not a response of receive-events; check the URL in `engage webhooks show`"
        }
    };
    let answered = status.map_or_else(
        || "The stack did not respond to the event".to_owned(),
        |status| format!("The stack responded to the event with {status}"),
    );
    format!("{answered}: {advice}")
}

/// The result of a replay. `since` is the time since which the operator missed events.
pub fn replay_summary(result: &ReplayResult, since: Option<&str>) -> String {
    let ReplayResult {
        made_due:
            MakeDueProgress {
                organizations,
                made_due,
                unreadable,
            },
        fan_out,
    } = result;
    let due_already = count(
        organizations
            .saturating_sub(*made_due)
            .saturating_sub(unreadable.len() as u64),
    );
    let rest = if fan_out.is_complete() {
        ""
    } else {
        ", the hourly sweeps sync the rest as the budget allows"
    };
    let since = since
        .map(|since| format!("\nThe syncs find whatever changed since {since}."))
        .unwrap_or_default();
    let skipped = if unreadable.is_empty() {
        String::new()
    } else {
        format!(
            "\n{} items cannot be read and were not changed: {}",
            count(unreadable.len() as u64),
            unreadable.join(", ")
        )
    };
    format!(
        "{} of {} organizations were made due, {due_already} were due already; \
         {} are being synced now{rest}.{since}{skipped}",
        count(*made_due),
        count(*organizations),
        count(fan_out.queued),
    )
}

/// A number with thousands separators.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::replay::FanOutResult;

    #[rstest]
    #[case::completed_case(
        1_050, 1_043, &[], "completed", 1_050,
        "1,043 of 1,050 organizations were made due, 7 were due already; \
         1,050 are being synced now.",
    )]
    #[case::budget_spent_case(
        12_000, 12_000, &[], "budget_spent", 400,
        "12,000 of 12,000 organizations were made due, 0 were due already; \
         400 are being synced now, \
         the hourly sweeps sync the rest as the budget allows.",
    )]
    #[case::unreadable_items_case(
        20, 17, &["00801A", "00801B"], "completed", 18,
        "17 of 20 organizations were made due, 1 were due already; 18 are being synced now.\n\
         2 items cannot be read and were not changed: 00801A, 00801B",
    )]
    fn replay_summary_states_counts_and_remaining_work(
        #[case] organizations: u64,
        #[case] made_due: u64,
        #[case] unreadable: &[&str],
        #[case] outcome: &str,
        #[case] queued: u64,
        #[case] expected: &str,
    ) {
        let unreadable = unreadable.iter().map(ToString::to_string).collect();
        let fan_out = FanOutResult {
            outcome: outcome.to_owned(),
            queued,
        };
        let result = ReplayResult {
            made_due: MakeDueProgress {
                organizations,
                made_due,
                unreadable,
            },
            fan_out,
        };

        assert_eq!(replay_summary(&result, None), expected);
        let since = replay_summary(&result, Some("2026-11-23T09:00:00Z"));
        assert!(
            since.contains("The syncs find whatever changed since 2026-11-23T09:00:00Z."),
            "{since}"
        );
    }

    #[rstest]
    #[case(Some(200), &["responded to the event with 200."])]
    #[case(Some(401), &["event with 401", "within 30 seconds", "engage webhooks rotate-key"])]
    #[case(Some(429), &["responded to the event with 429", "run this again"])]
    #[case(Some(503), &["responded to the event with 503", "log of receive-events"])]
    #[case(Some(404), &["responded to the event with 404", "engage webhooks show"])]
    #[case(None, &["did not respond", "run this again"])]
    fn test_result_states_the_status_and_the_next_step(
        #[case] status: Option<u16>,
        #[case] parts: &[&str],
    ) {
        let text = test_result(status);

        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(1_234_567, "1,234,567")]
    fn thousands_are_separated_by_commas(#[case] number: u64, #[case] expected: &str) {
        assert_eq!(count(number), expected);
    }
}
