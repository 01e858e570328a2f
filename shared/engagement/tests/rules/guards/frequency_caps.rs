//! Frequency caps: how many e-mails an address may get.

use engagement::{Contact, EventStamp, FrequencyCaps, NoticeReason};
use rstest::rstest;

use super::support::{SEND, VerdictKind, new_contact, policy, verdict_for_contact};
use crate::support::{hours, later};

#[rstest]
#[case::one_just_now(&[0], Some(72))]
#[case::one_almost_three_days_ago(&[71], Some(1))]
#[case::one_three_days_ago(&[72], None)]
#[case::four_in_thirty_days(&[600, 400, 200, 100], Some(120))]
#[case::the_first_of_four_is_too_old(&[720, 400, 200, 100], None)]
#[case::both(&[600, 400, 200, 1], Some(120))]
fn frequency_caps_defer_after_one_email_in_3_days_and_four_in_30(
    #[case] hours_ago: &[i64],
    #[case] next_allowed_in_hours: Option<i64>,
) {
    let recent_mails = hours_ago
        .iter()
        .map(|ago| EventStamp::new(later(-hours(*ago)), format!("run/{ago}")))
        .collect();
    let contact = Contact {
        recent_mails,
        ..new_contact()
    };

    let expected = next_allowed_in_hours.map_or(SEND, |in_hours| {
        VerdictKind::Defer(NoticeReason::Capped, later(hours(in_hours)))
    });
    assert_eq!(verdict_for_contact(&contact, &policy()), expected);
}

#[rstest]
#[case("none", true)]
#[case("1/3d,4/30d", true)]
#[case("2/12h", true)]
#[case("0/3d", false)]
#[case("1/0d", false)]
#[case("1 per day", false)]
#[case("", false)]
#[case("1/-3d", false)]
fn frequency_caps_parse_from_text(#[case] text: &str, #[case] accepted: bool) {
    assert_eq!(text.parse::<FrequencyCaps>().is_ok(), accepted);
    assert_eq!("1/3d, 4/30d".parse(), Ok(FrequencyCaps::default()));
}

#[rstest]
#[case("none", 0)]
#[case("1/3d,4/30d", 30 * 24)]
#[case("9/12h,1/6h", 12)]
fn e_mails_count_for_the_longest_cap(#[case] caps: &str, #[case] expected: i64) {
    let caps: FrequencyCaps = caps.parse().unwrap();

    assert_eq!(caps.longest_period(), hours(expected));
}
