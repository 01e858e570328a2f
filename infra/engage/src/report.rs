//! The text that the commands print, and the view of a subscription that they print as JSON.
//! Neither ever contains a key.

use bill::events::Subscription;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;
use store::MakeDueProgress;

use crate::{replay::ReplayResult, webhooks::host_and_path};

/// A subscription, as the commands print it.
#[derive(Debug, Serialize)]
pub struct SubscriptionView {
    /// BILL's id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether BILL sends notifications.
    pub enabled: bool,
    /// Who enabled or disabled it: `CLIENT` or `SYSTEM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// BILL's reason why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The types of its events.
    pub events: Vec<String>,
    /// Where notifications are sent. For a subscription of another system only host and path,
    /// because the other parts may contain a secret.
    pub notification_url: Option<String>,
    /// When it was created.
    pub created_time: Option<Timestamp>,
    /// When it was last changed.
    pub updated_time: Option<Timestamp>,
    /// Whether it delivers to this stack.
    pub of_this_stack: bool,
}

impl SubscriptionView {
    /// `of_this_stack` says whether the subscription delivers to this stack.
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
                url.map(host_and_path)
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

/// All fields of a subscription, one per line.
pub fn subscription_details(view: &SubscriptionView) -> String {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let of_this_stack = if view.of_this_stack { "yes" } else { "no" };

    let mut table = table();
    for (name, value) in [
        ("id", text(view.id.as_ref())),
        ("name", text(view.name.as_ref())),
        ("status", view.status()),
        ("events", view.events.join("\n")),
        ("delivers to", text(view.notification_url.as_ref())),
        ("created", time(view.created_time)),
        ("updated", time(view.updated_time)),
        ("of this stack", of_this_stack.to_owned()),
    ] {
        table.add_row([name, &value]);
    }
    table.to_string()
}

/// A table with one subscription per row.
pub fn subscription_list(views: &[SubscriptionView]) -> String {
    if views.is_empty() {
        return "no subscriptions".to_owned();
    }

    let mut table = table();
    table.set_header(["id", "status", "this stack", "delivers to"]);
    for view in views {
        let of_this_stack = if view.of_this_stack { "yes" } else { "" };
        let id = view.id.as_deref().unwrap_or_default();
        let url = view.notification_url.as_deref().unwrap_or_default();
        table.add_row([id, &view.status(), of_this_stack, url]);
    }
    table.to_string()
}

/// What the response to a test event means, and what to do next. `status` is `None` if BILL got no
/// response.
pub fn test_result(status: Option<u16>) -> String {
    let advice = match status {
        None => "run this again",
        Some(200) => return "The test event got 200.".to_owned(),
        Some(401) => {
            "its signature was rejected. A new key is used within 30 seconds after it is stored: \
             wait, and run this again. If the signature is still rejected, run \
             `engage webhooks rotate-key` for a new key"
        }
        Some(429) => "the stack's HTTP API is over its request limit; run this again",
        Some(503) => {
            "the stack could not read its keys or not write to its queue; the log of \
             receive-events gives the reason"
        }
        Some(_) => {
            "this is not a response of receive-events; check the URL at `delivers to` in the \
             output of `engage webhooks show`"
        }
    };
    let result = status.map_or_else(
        || "The test event got no response".to_owned(),
        |status| format!("The test event got {status}"),
    );

    format!("{result}: {advice}")
}

/// What a replay did. `since` is the time given by the operator since when events were missed.
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
    let unreadable_count = unreadable.len() as u64;
    let due_already = organizations
        .saturating_sub(*made_due)
        .saturating_sub(unreadable_count);

    let remaining_text = if fan_out.is_complete() {
        ""
    } else {
        "; the next hourly runs sync the rest, as the budget allows"
    };
    let since_text = since
        .map(|since| format!("\nThe syncs find every change since {since}."))
        .unwrap_or_default();
    let unreadable_text = if unreadable.is_empty() {
        String::new()
    } else {
        format!(
            "\nThe items of {} cannot be read and were not changed: {}",
            with_thousands_separators(unreadable_count),
            unreadable.join(", ")
        )
    };

    format!(
        "{} of {} organizations were made due, {} were due already; {} are being synced \
         now{remaining_text}.{since_text}{unreadable_text}",
        with_thousands_separators(*made_due),
        with_thousands_separators(*organizations),
        with_thousands_separators(due_already),
        with_thousands_separators(fan_out.queued),
    )
}

/// The number with a comma before every three digits.
fn with_thousands_separators(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

/// An empty table without borders.
fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

#[cfg(test)]
mod tests;
