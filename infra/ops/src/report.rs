//! What a command prints: lines and tables for people, one JSON value for programs. No key is ever among it.

use bill::events::Subscription;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;

/// A subscription, as it is printed.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// BILL's id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether notifications are sent.
    pub enabled: bool,
    /// Who decided that, `CLIENT` or `SYSTEM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// BILL's words on why it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it asks for.
    pub events: Vec<String>,
    /// Where notifications go.
    pub notification_url: Option<String>,
    /// When it was made.
    pub created_time: Option<Timestamp>,
    /// When it changed last.
    pub updated_time: Option<Timestamp>,
    /// Whether it delivers to this stack.
    pub of_this_stack: bool,
}

impl Shown {
    /// A subscription that does, or does not, deliver to this stack.
    pub fn new(subscription: &Subscription, of_this_stack: bool) -> Self {
        let status = subscription.status.clone().unwrap_or_default();
        Self {
            id: subscription.id.as_ref().map(ToString::to_string),
            name: subscription.name.clone(),
            enabled: subscription.is_enabled(),
            actor: status.actor,
            reason: status.reason,
            events: subscription.events().map(|event| event.to_string()).collect(),
            notification_url: subscription.notification_url.as_ref().map(ToString::to_string),
            created_time: subscription.created_time,
            updated_time: subscription.updated_time,
            of_this_stack,
        }
    }

    fn status(&self) -> String {
        match (self.enabled, self.actor.as_deref()) {
            (true, _) => "enabled".to_owned(),
            (false, Some("SYSTEM")) => format!("switched off by BILL: {}", self.reason.as_deref().unwrap_or("no reason given")),
            (false, _) => "disabled".to_owned(),
        }
    }
}

/// One subscription in full.
pub fn one(shown: &Shown) -> String {
    let mut table = table();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    for (name, value) in [
        ("id", text(shown.id.as_ref())),
        ("name", text(shown.name.as_ref())),
        ("status", shown.status()),
        ("events", shown.events.join("\n")),
        ("delivers to", text(shown.notification_url.as_ref())),
        ("made", time(shown.created_time)),
        ("changed", time(shown.updated_time)),
        ("of this stack", if shown.of_this_stack { "yes" } else { "no" }.to_owned()),
    ] {
        table.add_row([name, &value]);
    }
    table.to_string()
}

/// Subscriptions, one a row.
pub fn many(all: &[Shown]) -> String {
    if all.is_empty() {
        return "no subscriptions".to_owned();
    }
    let mut table = table();
    table.set_header(["id", "status", "this stack", "delivers to"]);
    for shown in all {
        let ours = if shown.of_this_stack { "yes" } else { "" };
        let (id, url) = (shown.id.as_deref().unwrap_or_default(), shown.notification_url.as_deref().unwrap_or_default());
        table.add_row([id, &shown.status(), ours, url]);
    }
    table.to_string()
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}
