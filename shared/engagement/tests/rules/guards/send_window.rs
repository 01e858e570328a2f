//! The send window and the daily limit: until when a notice is deferred.

use engagement::{GuardContext, Notice, NoticeReason, SendPolicy};

use super::support::{VerdictKind, evaluate_guards, guard_context, notice, policy};
use crate::support::time;

#[test]
fn notice_outside_the_send_window_is_deferred_until_it_opens() {
    let saturday = time("2026-11-28T15:00:00Z");
    let notice = Notice {
        due_at: saturday,
        planned_at: saturday,
        ..notice()
    };
    let context = GuardContext {
        as_of: saturday,
        ..guard_context()
    };

    let verdict = evaluate_guards(
        &notice,
        &context,
        &with_window("Mon-Fri 09:00-17:00 America/New_York"),
    );

    let monday_morning = time("2026-11-30T14:00:00Z");
    assert_eq!(
        verdict,
        VerdictKind::Defer(NoticeReason::QuietHours, monday_morning)
    );
}

#[test]
fn daily_limit_defers_a_notice_to_the_next_days_window() {
    let noon = time("2026-11-28T17:00:00Z");
    let notice = Notice {
        due_at: noon,
        planned_at: noon,
        ..notice()
    };
    let context = GuardContext {
        as_of: noon,
        daily_limit_reached: true,
        ..guard_context()
    };

    let verdict = evaluate_guards(
        &notice,
        &context,
        &with_window("Mon-Sun 09:00-17:00 America/New_York"),
    );

    let next_morning = time("2026-11-29T14:00:00Z");
    assert_eq!(
        verdict,
        VerdictKind::Defer(NoticeReason::DailyLimit, next_morning)
    );
}

fn with_window(window: &str) -> SendPolicy {
    SendPolicy {
        window: window.parse().unwrap(),
        ..policy()
    }
}
