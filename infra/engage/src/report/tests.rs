use rstest::rstest;
use store::MakeDueProgress;

use super::{replay_summary, test_result, with_thousands_separators};
use crate::replay::{FanOutResult, ReplayResult};

#[rstest]
#[case::completed(
    1_050, 1_043, &[], "completed", 1_050,
    "1,043 of 1,050 organizations were made due, 7 were due already; 1,050 are being synced now.",
)]
#[case::budget_spent(
    12_000, 12_000, &[], "budget_spent", 400,
    "12,000 of 12,000 organizations were made due, 0 were due already; 400 are being synced now; \
     the next hourly runs sync the rest, as the budget allows.",
)]
#[case::unreadable_items(
    20, 17, &["00801A", "00801B"], "completed", 18,
    "17 of 20 organizations were made due, 1 were due already; 18 are being synced now.\n\
     The items of 2 cannot be read and were not changed: 00801A, 00801B",
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
        since.contains("The syncs find every change since 2026-11-23T09:00:00Z."),
        "{since}"
    );
}

#[rstest]
#[case(Some(200), &["got 200."])]
#[case(Some(401), &["got 401", "within 30 seconds", "engage webhooks rotate-key"])]
#[case(Some(429), &["got 429", "run this again"])]
#[case(Some(503), &["got 503", "log of receive-events"])]
#[case(Some(404), &["got 404", "engage webhooks show"])]
#[case(None, &["got no response", "run this again"])]
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
    assert_eq!(with_thousands_separators(number), expected);
}
