//! Expiry: when a notice is too old to be sent.

use engagement::{Expiry, GuardContext, Notice, NoticeReason, SendPolicy};
use jiff::SignedDuration;
use rstest::rstest;

use super::support::{SEND, VerdictKind, evaluate_guards, guard_context, notice, policy};
use crate::support::{NANOSECOND, SECOND, as_of, days, hours, later};

const EXPIRED: VerdictKind = VerdictKind::Skip(NoticeReason::Expired);

#[rstest]
#[case::at_once(hours(0), SEND)]
#[case::before_due_at(-hours(5), SEND)]
#[case::seventy_two_hours(hours(72), SEND)]
#[case::a_nanosecond_more(hours(72) + NANOSECOND, EXPIRED)]
#[case::a_second_more(hours(72) + SECOND, EXPIRED)]
#[case::long_ago(days(400), EXPIRED)]
fn notice_expires_72_hours_after_due_at(
    #[case] elapsed: SignedDuration,
    #[case] verdict: VerdictKind,
) {
    let context = GuardContext {
        as_of: later(elapsed),
        ..guard_context()
    };

    assert_eq!(evaluate_guards(&notice(), &context, &policy()), verdict);
}

#[rstest]
#[case::fourteen_days(days(14), SEND)]
#[case::a_second_more(days(14) + SECOND, EXPIRED)]
fn deferred_notice_expires_14_days_after_planned_at(
    #[case] elapsed: SignedDuration,
    #[case] verdict: VerdictKind,
) {
    let deferred = Notice {
        due_at: later(elapsed),
        ..notice()
    };
    let context = GuardContext {
        as_of: later(elapsed),
        ..guard_context()
    };

    assert_eq!(evaluate_guards(&deferred, &context, &policy()), verdict);
}

#[test]
fn expiry_is_configurable() {
    let policy = SendPolicy {
        expiry: Expiry {
            after_due: hours(1),
            after_planned: hours(2),
        },
        ..policy()
    };
    let verdict = |due_at, elapsed| {
        let notice = Notice { due_at, ..notice() };
        let context = GuardContext {
            as_of: later(elapsed),
            ..guard_context()
        };
        evaluate_guards(&notice, &context, &policy)
    };

    assert_eq!(verdict(as_of(), hours(1)), SEND);
    assert_eq!(verdict(as_of(), hours(1) + SECOND), EXPIRED);
    assert_eq!(verdict(later(hours(2)), hours(2)), SEND);
    assert_eq!(verdict(later(hours(2)), hours(2) + SECOND), EXPIRED);
}

#[test]
fn expiry_defaults_to_72_hours_and_14_days() {
    let default = Expiry {
        after_due: hours(72),
        after_planned: days(14),
    };

    assert_eq!(Expiry::default(), default);
}
