//! What a command prints: lines and tables for people, one JSON value for programs. No key is ever
//! among it.

use bill::events::Subscription;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;
use store::MakeDueProgress;

use crate::{replay::Replayed, webhooks::receiver};

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
    /// Where notifications go; of another system's URL host and path alone, because what else it
    /// holds may be a secret.
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
                "switched off by BILL: {}",
                self.reason.as_deref().unwrap_or("no reason given")
            ),
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
        (
            "of this stack",
            if shown.of_this_stack { "yes" } else { "no" }.to_owned(),
        ),
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
        let (id, url) = (
            shown.id.as_deref().unwrap_or_default(),
            shown.notification_url.as_deref().unwrap_or_default(),
        );
        table.add_row([id, &shown.status(), ours, url]);
    }
    table.to_string()
}

/// What the answer to a made-up event means; `None` when BILL got none.
pub fn tested(status: Option<u16>) -> String {
    let advice = match status {
        None => "BILL got no answer from the stack; run this again",
        Some(200) => return "The event was answered with 200.".to_owned(),
        Some(401) => {
            "its signature was refused. A key that was just stored is taken up within 30 seconds: \
             run this again then. If it is still refused, `engage webhooks rotate-key` makes another key"
        }
        Some(429) => "the stack's HTTP API takes no more at the moment; run this again",
        Some(503) => {
            "the stack could not read its keys, or not write to its queue; the log of receive-events says why"
        }
        Some(_) => {
            "that is no answer of receive-events; is this where `delivers to` of `engage webhooks show` leads?"
        }
    };
    let answered = status.map_or_else(
        || "The event was not answered".to_owned(),
        |status| format!("The event was answered with {status}"),
    );
    format!("{answered}: {advice}")
}

/// What a replay has done. `since` is when events began to be missed, as far as the operator knows.
pub fn replayed(replayed: &Replayed, since: Option<&str>) -> String {
    let Replayed {
        made_due:
            MakeDueProgress {
                organizations,
                made_due,
                unreadable,
            },
        begun,
    } = replayed;
    let due_already = count(
        organizations
            .saturating_sub(*made_due)
            .saturating_sub(unreadable.len() as u64),
    );
    let rest = if begun.is_complete() {
        ""
    } else {
        ", the rest follows with the hourly sweeps as the budget allows"
    };
    let since = since
        .map(|since| format!("\nWhat changed since {since} will be found."))
        .unwrap_or_default();
    let passed_over = if unreadable.is_empty() {
        String::new()
    } else {
        format!(
            "\nThe items of {} cannot be read, and were left as they are: {}",
            count(unreadable.len() as u64),
            unreadable.join(", ")
        )
    };
    format!(
        "{} of {} organizations were made due, {due_already} were due already; {} are being looked at now{rest}.{since}{passed_over}",
        count(*made_due),
        count(*organizations),
        count(begun.queued),
    )
}

/// With a comma before every three digits.
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
        "1,043 of 1,050 organizations were made due, 7 were due already; 1,050 are being looked at now.",
    )]
    #[case::budget_spent_case(
        12_000, 12_000, &[], "budget_spent", 400,
        "12,000 of 12,000 organizations were made due, 0 were due already; 400 are being looked at now, \
         the rest follows with the hourly sweeps as the budget allows.",
    )]
    #[case::unreadable_items_case(
        20, 17, &["00801A", "00801B"], "completed", 18,
        "17 of 20 organizations were made due, 1 were due already; 18 are being looked at now.\n\
         The items of 2 cannot be read, and were left as they are: 00801A, 00801B",
    )]
    fn replay_summary_states_counts_and_remaining_work(
        #[case] organizations: u64,
        #[case] made_due: u64,
        #[case] unreadable: &[&str],
        #[case] outcome: &str,
        #[case] queued: u64,
        #[case] told: &str,
    ) {
        let unreadable = unreadable.iter().map(ToString::to_string).collect();
        let begun = FanOutResult {
            outcome: outcome.to_owned(),
            queued,
        };
        let done = Replayed {
            made_due: MakeDueProgress {
                organizations,
                made_due,
                unreadable,
            },
            begun,
        };
        assert_eq!(replayed(&done, None), told);
        let since = replayed(&done, Some("2026-11-23T09:00:00Z"));
        assert!(
            since.contains("What changed since 2026-11-23T09:00:00Z will be found."),
            "{since}"
        );
    }

    #[rstest]
    #[case(Some(200), &["answered with 200."])]
    #[case(Some(401), &["answered with 401", "within 30 seconds", "engage webhooks rotate-key"])]
    #[case(Some(429), &["answered with 429", "run this again"])]
    #[case(Some(503), &["answered with 503", "log of receive-events"])]
    #[case(Some(404), &["answered with 404", "engage webhooks show"])]
    #[case(None, &["not answered", "run this again"])]
    fn test_result_states_the_status_and_the_next_step(
        #[case] status: Option<u16>,
        #[case] parts: &[&str],
    ) {
        let told = tested(status);
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(1_234_567, "1,234,567")]
    fn thousands_are_separated_by_commas(#[case] number: u64, #[case] told: &str) {
        assert_eq!(count(number), told);
    }
}
