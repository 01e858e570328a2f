//! What is expected of an organization: the rules of the stages once more, written on their own,
//! over the facts instead of the API.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::population::organization::{Bank, Organization, Payments, Shape, User};

/// The expected outcome of a check of one organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// None: its row cannot be told apart, so nothing is expected but that it does no harm.
    pub organization_id: Option<String>,
    /// Which case the organization stands for.
    pub scenario: String,
    /// The stage; none without an id.
    pub expected_stage: Option<String>,
    /// The reason for the stage; none without an id.
    pub expected_reason: Option<String>,
    /// Who would be written to, oldest user first, as BILL spells them; nobody once the
    /// organization is closed.
    pub expected_recipients: Vec<String>,
}

/// What a check at `as_of` should find. `archived_listed` says whether the API lists archived bank
/// accounts.
pub(crate) fn expect(
    organization: &Organization,
    as_of: Timestamp,
    archived_listed: bool,
) -> Expectation {
    let readable = organization.id.is_some()
        && matches!(organization.shape, Shape::Whole | Shape::WithoutCreatedTime);
    let scenario = organization.scenario.clone();
    if !readable {
        return Expectation {
            organization_id: None,
            scenario,
            expected_stage: None,
            expected_reason: None,
            expected_recipients: Vec::new(),
        };
    }
    let (stage, reason) = stage(organization, as_of, archived_listed);
    Expectation {
        organization_id: organization.id.clone(),
        scenario,
        expected_stage: Some(stage.to_owned()),
        expected_reason: Some(reason.to_owned()),
        expected_recipients: if stage == "closed" {
            Vec::new()
        } else {
            recipients(organization)
        },
    }
}

fn stage(
    organization: &Organization,
    as_of: Timestamp,
    archived_listed: bool,
) -> (&'static str, &'static str) {
    if organization.archived {
        return ("closed", "archived");
    }
    if current_users(organization).is_empty() {
        return ("enrolling", "no_users");
    }
    let banks: Vec<&Bank> = organization
        .banks
        .iter()
        .filter(|bank| bank.shape != Shape::NotAnObject)
        .filter(|bank| counts(bank, as_of) && (archived_listed || !bank.archived))
        .collect();
    let days_since_payment = newest_counted_payment_at(organization)
        .map(|newest| as_of.duration_since(newest).as_hours().max(0) / 24);
    if days_since_payment.is_some_and(|days| days < 30) {
        return ("active", "paid_recently");
    }
    if banks.is_empty() && days_since_payment.is_none() {
        let decision = organization
            .verification
            .as_ref()
            .map(|verification| verification.decision.as_str());
        match decision {
            None => return ("enrolling", "verification_not_started"),
            Some("DECLINE") => return ("closed", "declined"),
            Some("HOLD") => return ("enrolling", "verification_on_hold"),
            Some("APPROVE" | "REVIEW") => {}
            Some(_) => return ("enrolling", "verification_in_progress"),
        }
    }
    if banks.is_empty() {
        return ("no_bank_account", "none_connected");
    }
    if !banks.iter().any(|bank| bank.status == "VERIFIED") {
        let rejected = banks
            .iter()
            .all(|bank| matches!(bank.status.as_str(), "BLOCKED" | "EXPIRED" | "INVALID"));
        return (
            "bank_unverified",
            if rejected { "rejected" } else { "pending" },
        );
    }
    match days_since_payment {
        None => ("awaiting_first_payment", "never_paid"),
        Some(..60) => ("dormant_30", "last_payment"),
        Some(60..90) => ("dormant_60", "last_payment"),
        Some(90..) => ("dormant_90", "last_payment"),
    }
}

/// An archived account counts while it may still be on its way to being verified: for 30 days.
fn counts(bank: &Bank, as_of: Timestamp) -> bool {
    let changed = bank.updated_at.unwrap_or(bank.created_at);
    let is_recent = as_of.duration_since(changed) < SignedDuration::from_hours(24 * 30);
    !bank.archived || (is_recent && matches!(bank.status.as_str(), "PENDING" | "NOT_VERIFIED"))
}

/// The newest payment that counts among those that ten pages of a hundred show, newest first.
fn newest_counted_payment_at(organization: &Organization) -> Option<Timestamp> {
    let mut newest: Vec<(Timestamp, &Payments)> = organization
        .payments
        .iter()
        .flat_map(|run| {
            (0..run.count.min(MAX_PAYMENTS_READ)).map(move |place| (run.at(place), run))
        })
        .filter(|(_, run)| run.shape != Shape::WithoutCreatedTime)
        .collect();
    newest.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    newest
        .iter()
        .take(MAX_PAYMENTS_READ)
        .find(|(_, run)| {
            let cancelled = matches!(run.status.as_deref(), Some("CANCELLED" | "VOID"));
            !cancelled && run.online != Some(false) && run.shape != Shape::NotAnObject
        })
        .map(|(at, _)| *at)
}

fn recipients(organization: &Organization) -> Vec<String> {
    let users = current_users(organization);
    let reachable = || users.iter().filter_map(|user| Some((user, address(user)?)));
    let mut recipients: Vec<String> = Vec::new();
    for (_, address) in reachable().filter(|(user, _)| user.role == "ADMINISTRATOR") {
        if !recipients
            .iter()
            .any(|recipient| recipient.eq_ignore_ascii_case(address))
        {
            recipients.push(address.to_owned());
        }
    }
    recipients.truncate(MAX_RECIPIENTS);
    if recipients.is_empty() {
        recipients.extend(reachable().next().map(|(_, address)| address.to_owned()));
    }
    recipients
}

/// Unarchived users, oldest first.
fn current_users(organization: &Organization) -> Vec<&User> {
    let mut users: Vec<&User> = organization
        .users
        .iter()
        .filter(|user| !user.archived && user.shape != Shape::NotAnObject)
        .collect();
    users.sort_by_key(|user| user.created_at);
    users
}

/// An address that a mail can go to: line breaks and blanks would reach the mail's header.
fn address(user: &User) -> Option<&str> {
    let address = user.email.as_deref()?;
    let (mailbox, domain) = address.split_once('@')?;
    let plain =
        !address.contains(|character: char| character.is_control() || character.is_whitespace());
    (plain && !mailbox.is_empty() && !domain.is_empty()).then_some(address)
}

const MAX_RECIPIENTS: usize = 3;
const MAX_PAYMENTS_READ: usize = 1_000;
