//! Guards: the order in which they are evaluated, and what none of them objects to.

mod contact;
mod expiry;
mod frequency_caps;
mod holdout;
mod send_window;
mod state;
mod support;

use engagement::{
    Contact, EventStamp, GuardContext, Holdout, Notice, NoticeReason, SendPolicy, SendWindow,
    StoredAddress,
};
use jiff::Timestamp;

use self::support::{
    SEND, VerdictKind, bounced_contact, evaluate_guards, guard_context, notice, policy,
};
use crate::support::{days, time};

#[test]
fn notice_is_sent_when_no_guard_objects() {
    assert_eq!(
        evaluate_guards(&notice(), &guard_context(), &policy()),
        SEND
    );
}

#[test]
fn a_dry_run_holds_the_notice() {
    let dry_run = SendPolicy {
        dry_run: true,
        ..policy()
    };

    assert_eq!(
        evaluate_guards(&notice(), &guard_context(), &dry_run),
        VerdictKind::Hold(NoticeReason::DryRun)
    );
}

#[test]
fn guards_accept_minimum_and_maximum_timestamps() {
    let verdict = |notice_time, as_of| {
        let notice = Notice {
            due_at: notice_time,
            planned_at: notice_time,
            ..notice()
        };
        let context = GuardContext {
            as_of,
            ..guard_context()
        };
        evaluate_guards(&notice, &context, &policy())
    };

    assert_eq!(
        verdict(Timestamp::MIN, Timestamp::MAX),
        VerdictKind::Skip(NoticeReason::Expired)
    );
    assert_eq!(verdict(Timestamp::MAX, Timestamp::MIN), SEND);
}

/// All guards object at first. Each round removes the objection that decided the round before.
#[test]
fn guards_run_in_order_and_the_first_objection_wins() {
    let now = time("2026-11-28T15:00:00Z");
    let mut contact = Contact {
        recent_mails: [EventStamp::new(now, "run/1")].into(),
        unsubscribed_all: Some(now),
        ..bounced_contact()
    };
    let mut policy = SendPolicy {
        window: "Mon-Fri 09:00-17:00 UTC".parse().unwrap(),
        holdout: "100".parse().unwrap(),
        dry_run: true,
        ..policy()
    };
    let mut notice = Notice {
        due_at: now - days(30),
        planned_at: now,
        ..notice()
    };
    notice.recipient.address = StoredAddress::Missing;
    let mut current_stage = None;
    let mut daily_limit_reached = true;

    let mut reasons = Vec::new();
    for removed_objections in 0..10 {
        match removed_objections {
            1 => notice.due_at = now,
            2 => current_stage = guard_context().current_stage,
            3 => {
                notice.recipient.address =
                    StoredAddress::from(Some("marisol@kestrel.example".to_owned()));
            }
            4 => contact.hard_bounced_at = None,
            5 => contact.unsubscribed_all = None,
            6 => policy.holdout = Holdout::default(),
            7 => contact.recent_mails.clear(),
            8 => policy.window = SendWindow::Always,
            9 => daily_limit_reached = false,
            _ => {}
        }
        let context = GuardContext {
            as_of: now,
            current_stage,
            contact: Some(&contact),
            daily_limit_reached,
        };
        reasons.push(match evaluate_guards(&notice, &context, &policy) {
            VerdictKind::Skip(reason)
            | VerdictKind::Defer(reason, _)
            | VerdictKind::Hold(reason) => reason,
            VerdictKind::Send => panic!("no guard objects after {removed_objections} rounds"),
        });
    }

    let expected = [
        NoticeReason::Expired,
        NoticeReason::StateChanged,
        NoticeReason::MissingAddress,
        NoticeReason::Suppressed,
        NoticeReason::Unsubscribed,
        NoticeReason::Holdout,
        NoticeReason::Capped,
        NoticeReason::QuietHours,
        NoticeReason::DailyLimit,
        NoticeReason::DryRun,
    ];
    assert_eq!(reasons, expected);
}
