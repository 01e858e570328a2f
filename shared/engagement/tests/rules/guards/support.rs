//! A notice to which no guard objects, and the verdict about it.

use engagement::{
    Contact, CurrentStage, EmailAddress, Expiry, FrequencyCaps, GuardContext, Holdout, Notice,
    NoticeReason, SendPolicy, SendWindow, Stage, StoredAddress, Verdict,
};
use jiff::Timestamp;

use crate::support::{address_key, as_of, days, first_sync, ready_to_pay, rules_with_steps, step};

pub const SEND: VerdictKind = VerdictKind::Send;

/// A [`Verdict`] without the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictKind {
    Send,
    Skip(NoticeReason),
    Defer(NoticeReason, Timestamp),
    Hold(NoticeReason),
}

/// Evaluates the guards. Asserts that an e-mail is sent to the address of the notice.
pub fn evaluate_guards(
    notice: &Notice,
    context: &GuardContext<'_>,
    policy: &SendPolicy,
) -> VerdictKind {
    match engagement::evaluate_guards(notice, context, policy) {
        Verdict::Send(address) => {
            assert_eq!(
                StoredAddress::Valid(EmailAddress::clone(address)),
                notice.recipient.address
            );
            VerdictKind::Send
        }
        Verdict::Skip(reason) => VerdictKind::Skip(reason),
        Verdict::Defer(reason, due_at) => VerdictKind::Defer(reason, due_at),
        Verdict::Hold(reason) => VerdictKind::Hold(reason),
    }
}

pub fn verdict_for_contact(contact: &Contact, policy: &SendPolicy) -> VerdictKind {
    let context = GuardContext {
        contact: Some(contact),
        ..guard_context()
    };
    evaluate_guards(&notice(), &context, policy)
}

pub fn notice() -> Notice {
    let rules = rules_with_steps([step("welcome", days(0))]);
    let decision = first_sync(&ready_to_pay(), &rules);
    Notice::from_planned(decision.notices[0].clone(), &address_key())
}

pub fn new_contact() -> Contact {
    Contact::new(notice().address_hash)
}

pub fn bounced_contact() -> Contact {
    Contact {
        hard_bounced_at: Some(as_of()),
        ..new_contact()
    }
}

pub fn policy() -> SendPolicy {
    SendPolicy {
        expiry: Expiry::default(),
        caps: FrequencyCaps::default(),
        window: SendWindow::Always,
        holdout: Holdout::default(),
        dry_run: false,
    }
}

pub fn guard_context() -> GuardContext<'static> {
    GuardContext {
        as_of: as_of(),
        current_stage: Some(CurrentStage {
            stage: Stage::AwaitingFirstPayment,
            since: as_of(),
        }),
        contact: None,
        daily_limit_reached: false,
    }
}
