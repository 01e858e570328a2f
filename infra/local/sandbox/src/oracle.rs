//! The expected outcome of a sync: an independent implementation of the product's stage rules,
//! computed from the generated facts instead of the API's rows.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::population::{
    organization::{BankAccount, Organization, User},
    payment_series::PaymentSeries,
    row_defect::RowDefect,
};

/// The maximum number of recipients of one organization.
const MAX_RECIPIENTS: usize = 3;

/// The maximum number of payments that a sync reads: ten pages of 100.
const MAX_PAYMENTS_READ: usize = 1_000;

/// The expected outcome of a sync of one organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// `None` for a row without a usable id, which clients must skip.
    pub organization_id: Option<String>,
    /// The test case that the organization represents.
    pub scenario: String,
    /// The stage. `None` without an id.
    pub expected_stage: Option<String>,
    /// The reason for the stage. `None` without an id.
    pub expected_reason: Option<String>,
    /// The e-mail addresses of the recipients in BILL's spelling, oldest user first. Empty for the
    /// stage `closed`.
    pub expected_recipients: Vec<String>,
}

/// The expected outcome of a sync at `as_of`. `list_archived` says whether the API lists archived
/// bank accounts.
pub(crate) fn expected_outcome(
    organization: &Organization,
    as_of: Timestamp,
    list_archived: bool,
) -> Expectation {
    let has_usable_row = matches!(
        organization.defect,
        RowDefect::None | RowDefect::WithoutCreatedTime
    );
    let scenario = organization.scenario.clone();
    if organization.id.is_none() || !has_usable_row {
        return Expectation {
            organization_id: None,
            scenario,
            expected_stage: None,
            expected_reason: None,
            expected_recipients: Vec::new(),
        };
    }

    let (stage, reason) = stage_and_reason(organization, as_of, list_archived);
    let expected_recipients = if stage == "closed" {
        Vec::new()
    } else {
        recipients(organization)
    };

    Expectation {
        organization_id: organization.id.clone(),
        scenario,
        expected_stage: Some(stage.to_owned()),
        expected_reason: Some(reason.to_owned()),
        expected_recipients,
    }
}

fn stage_and_reason(
    organization: &Organization,
    as_of: Timestamp,
    list_archived: bool,
) -> (&'static str, &'static str) {
    if organization.archived {
        return ("closed", "archived");
    }
    if current_users(organization).is_empty() {
        return ("enrolling", "no_users");
    }

    let days_since_payment = newest_counted_payment_at(organization)
        .map(|newest| as_of.duration_since(newest).as_hours().max(0) / 24);
    if days_since_payment.is_some_and(|days| days < 30) {
        return ("active", "paid_recently");
    }

    let accounts = counted_bank_accounts(organization, as_of, list_archived);
    if accounts.is_empty() {
        if days_since_payment.is_none()
            && let Some(stage_and_reason) = enrolling_or_closed(organization)
        {
            return stage_and_reason;
        }
        return ("no_bank_account", "none_connected");
    }
    if !accounts.iter().any(|account| account.status == "VERIFIED") {
        let is_rejected = |account: &&BankAccount| {
            matches!(account.status.as_str(), "BLOCKED" | "EXPIRED" | "INVALID")
        };
        let reason = if accounts.iter().all(is_rejected) {
            "rejected"
        } else {
            "pending"
        };
        return ("bank_unverified", reason);
    }

    match days_since_payment {
        None => ("awaiting_first_payment", "never_paid"),
        Some(..60) => ("dormant_30", "last_payment"),
        Some(60..90) => ("dormant_60", "last_payment"),
        Some(90..) => ("dormant_90", "last_payment"),
    }
}

/// The stage of an organization that never paid and has no bank account. `None` means that risk
/// verification does not keep it from connecting one.
fn enrolling_or_closed(organization: &Organization) -> Option<(&'static str, &'static str)> {
    let decision = organization
        .verification
        .as_ref()
        .map(|verification| verification.decision.as_str());

    match decision {
        None => Some(("enrolling", "verification_not_started")),
        Some("DECLINE") => Some(("closed", "declined")),
        Some("HOLD") => Some(("enrolling", "verification_on_hold")),
        Some("APPROVE" | "REVIEW") => None,
        Some(_) => Some(("enrolling", "verification_in_progress")),
    }
}

fn counted_bank_accounts(
    organization: &Organization,
    as_of: Timestamp,
    list_archived: bool,
) -> Vec<&BankAccount> {
    organization
        .bank_accounts
        .iter()
        .filter(|account| account.defect != RowDefect::NotAnObject)
        .filter(|account| list_archived || !account.archived)
        .filter(|account| is_counted(account, as_of))
        .collect()
}

/// An archived account counts for 30 days after its last update while its verification is pending.
fn is_counted(account: &BankAccount, as_of: Timestamp) -> bool {
    let updated_at = account.updated_at.unwrap_or(account.created_at);
    let is_recent = as_of.duration_since(updated_at) < SignedDuration::from_hours(24 * 30);

    !account.archived
        || (is_recent && matches!(account.status.as_str(), "PENDING" | "NOT_VERIFIED"))
}

/// The time of the newest counted payment among the newest 1,000 payments. Cancelled, void and
/// offline payments do not count.
fn newest_counted_payment_at(organization: &Organization) -> Option<Timestamp> {
    let mut newest: Vec<(Timestamp, &PaymentSeries)> = organization
        .payments
        .iter()
        .flat_map(|series| {
            (0..series.count.min(MAX_PAYMENTS_READ))
                .map(move |index| (series.created_at(index), series))
        })
        .filter(|(_, series)| series.defect != RowDefect::WithoutCreatedTime)
        .collect();
    newest.sort_by_key(|(created_at, _)| Reverse(*created_at));

    newest
        .iter()
        .take(MAX_PAYMENTS_READ)
        .find(|(_, series)| {
            let is_cancelled = matches!(series.status.as_deref(), Some("CANCELLED" | "VOID"));
            !is_cancelled && series.online != Some(false) && series.defect != RowDefect::NotAnObject
        })
        .map(|(created_at, _)| *created_at)
}

/// The oldest administrators with distinct addresses. Without one, the oldest user with an address.
fn recipients(organization: &Organization) -> Vec<String> {
    let users = current_users(organization);
    let reachable = || {
        users
            .iter()
            .filter_map(|user| Some((user, deliverable_address(user)?)))
    };

    let mut recipients: Vec<String> = Vec::new();
    for (_, address) in reachable().filter(|(user, _)| user.role == "ADMINISTRATOR") {
        let is_known = recipients
            .iter()
            .any(|recipient| recipient.eq_ignore_ascii_case(address));
        if !is_known {
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
        .filter(|user| !user.archived && user.defect != RowDefect::NotAnObject)
        .collect();
    users.sort_by_key(|user| user.created_at);

    users
}

/// The user's address, if an e-mail can be sent to it. Control characters and spaces are not
/// accepted because they could change the e-mail's headers.
fn deliverable_address(user: &User) -> Option<&str> {
    let address = user.email.as_deref()?;
    let (mailbox, domain) = address.split_once('@')?;
    let has_unsafe_character =
        address.contains(|character: char| character.is_control() || character.is_whitespace());

    (!has_unsafe_character && !mailbox.is_empty() && !domain.is_empty()).then_some(address)
}
