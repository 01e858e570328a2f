//! Guards: each by itself, its boundary, and the order in which they are asked.

use engagement::{
    Address, Category, Contact, CurrentStage, EmailAddress, EventStamp, Expiry, FrequencyCaps,
    GuardContext, Holdout, Notice, NoticeReason, OrganizationId, Policy, Rules, Snapshot, Stage,
    Verdict,
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::{
    notices::address_key,
    support::{NANOSECOND, SECOND, as_of, campaign, days, first, hours, later, ready, rules, step},
};

#[test]
fn a_notice_goes_out_while_nothing_speaks_against_it() {
    assert_eq!(guard(&notice(), &circumstances(), &policy()), SENT);
}

#[rstest]
#[case::at_once(hours(0), SENT)]
#[case::before_its_time(-hours(5), SENT)]
#[case::seventy_two_hours(hours(72), SENT)]
#[case::a_nanosecond_more(hours(72) + NANOSECOND, Said::Skip(NoticeReason::Expired))]
#[case::a_second_more(hours(72) + SECOND, Said::Skip(NoticeReason::Expired))]
#[case::long_ago(days(400), Said::Skip(NoticeReason::Expired))]
fn a_notice_expires_seventy_two_hours_past_its_time(
    #[case] elapsed: SignedDuration,
    #[case] verdict: Said,
) {
    assert_eq!(
        guard(
            &notice(),
            &GuardContext {
                as_of: later(elapsed),
                ..circumstances()
            },
            &policy()
        ),
        verdict
    );
}

#[rstest]
#[case::fourteen_days(days(14), SENT)]
#[case::a_second_more(days(14) + SECOND, Said::Skip(NoticeReason::Expired))]
fn a_notice_that_was_put_off_expires_fourteen_days_after_it_was_planned(
    #[case] elapsed: SignedDuration,
    #[case] verdict: Said,
) {
    let notice = Notice {
        due_at: later(elapsed),
        ..notice()
    };
    assert_eq!(
        guard(
            &notice,
            &GuardContext {
                as_of: later(elapsed),
                ..circumstances()
            },
            &policy()
        ),
        verdict
    );
}

#[test]
fn expiry_is_a_parameter() {
    let policy = Policy {
        expiry: Expiry {
            after_due: hours(1),
            after_planned: hours(2),
        },
        ..policy()
    };
    let verdict = |due_at, elapsed| {
        guard(
            &Notice { due_at, ..notice() },
            &GuardContext {
                as_of: later(elapsed),
                ..circumstances()
            },
            &policy,
        )
    };
    assert_eq!(verdict(as_of(), hours(1)), SENT);
    assert_eq!(
        verdict(as_of(), hours(1) + SECOND),
        Said::Skip(NoticeReason::Expired)
    );
    assert_eq!(verdict(later(hours(2)), hours(2)), SENT);
    assert_eq!(
        verdict(later(hours(2)), hours(2) + SECOND),
        Said::Skip(NoticeReason::Expired)
    );
    assert_eq!(
        Expiry::default(),
        Expiry {
            after_due: hours(72),
            after_planned: days(14)
        }
    );
}

#[rstest]
#[case::another_stage(Some(CurrentStage { stage: Stage::Active, since: as_of() }))]
#[case::another_episode(Some(CurrentStage { stage: Stage::AwaitingFirstPayment, since: later(SECOND) }))]
#[case::closed(Some(CurrentStage { stage: Stage::Closed, since: as_of() }))]
#[case::nothing_known_any_more(None)]
fn a_notice_is_skipped_once_the_organization_stands_elsewhere(
    #[case] current_stage: Option<CurrentStage>,
) {
    assert_eq!(
        guard(
            &notice(),
            &GuardContext {
                current_stage,
                ..circumstances()
            },
            &policy()
        ),
        Said::Skip(NoticeReason::StateChanged)
    );
}

#[rstest]
#[case::erased(None, NoticeReason::MissingAddress)]
#[case::blank(Some(" "), NoticeReason::MissingAddress)]
#[case::no_address(Some("marisol at kestrel"), NoticeReason::InvalidAddress)]
fn a_notice_without_a_usable_address_is_skipped(
    #[case] address: Option<&str>,
    #[case] reason: NoticeReason,
) {
    let mut notice = notice();
    notice.recipient.address = Address::from(address.map(str::to_owned));
    assert_eq!(
        guard(&notice, &circumstances(), &policy()),
        Said::Skip(reason)
    );
}

#[test]
fn a_suppressed_address_is_not_written_to() {
    for contact in [
        bounced(),
        Contact {
            complained_at: Some(as_of()),
            ..new_contact()
        },
    ] {
        assert_eq!(
            with_contact(&contact, &policy()),
            Said::Skip(NoticeReason::Suppressed)
        );
    }
}

#[test]
fn leaving_a_category_stops_that_category_and_leaving_all_stops_all() {
    let left = |contact: Contact, category| {
        let notice = Notice {
            category,
            ..notice()
        };
        guard(
            &notice,
            &GuardContext {
                contact: Some(&contact),
                ..circumstances()
            },
            &policy(),
        )
    };
    let product = Contact {
        unsubscribed_product: Some(as_of()),
        ..new_contact()
    };
    assert_eq!(
        left(product.clone(), Category::Product),
        Said::Skip(NoticeReason::Unsubscribed)
    );
    assert_eq!(left(product.clone(), Category::Onboarding), SENT);
    assert_eq!(left(product, Category::Reengagement), SENT);
    let all = Contact {
        unsubscribed_all: Some(as_of()),
        ..new_contact()
    };
    for category in [
        Category::Onboarding,
        Category::Reengagement,
        Category::Product,
    ] {
        assert_eq!(
            left(all.clone(), category),
            Said::Skip(NoticeReason::Unsubscribed)
        );
    }
}

#[test]
fn the_control_group_is_stable_of_about_its_size_and_grows_with_its_share() {
    let ids: Vec<OrganizationId> = (0..2_000)
        .map(|number| format!("008KESTREL{number:08}").parse().unwrap())
        .collect();
    let group = |percent: &str| -> Vec<&OrganizationId> {
        let holdout: Holdout = percent.parse().unwrap();
        ids.iter().filter(|id| holdout.contains(id)).collect()
    };
    assert_eq!((group("0").len(), group("100").len()), (0, 2_000));
    let (ten, twenty) = (group("10"), group("20"));
    assert!(
        (150..250).contains(&ten.len()) && (330..470).contains(&twenty.len()),
        "{} {}",
        ten.len(),
        twenty.len()
    );
    assert!(ten.iter().all(|id| twenty.contains(id)));
    assert!(
        "101".parse::<Holdout>().is_err()
            && "-1".parse::<Holdout>().is_err()
            && "ten".parse::<Holdout>().is_err()
    );
    let policy = Policy {
        holdout: "100".parse().unwrap(),
        ..policy()
    };
    assert_eq!(
        guard(&notice(), &circumstances(), &policy),
        Said::Skip(NoticeReason::Holdout)
    );
}

#[rstest]
#[case::one_just_now(&[0], Some(72))]
#[case::one_almost_three_days_ago(&[71], Some(1))]
#[case::one_three_days_ago(&[72], None)]
#[case::four_in_thirty_days(&[600, 400, 200, 100], Some(120))]
#[case::the_first_of_four_is_too_old(&[720, 400, 200, 100], None)]
#[case::both(&[600, 400, 200, 1], Some(120))]
fn an_address_gets_one_mail_in_three_days_and_four_in_thirty(
    #[case] hours_ago: &[i64],
    #[case] free_in_hours: Option<i64>,
) {
    let recent_mails = hours_ago
        .iter()
        .map(|ago| EventStamp::new(later(-hours(*ago)), format!("run/{ago}")))
        .collect();
    let expected = free_in_hours.map_or(SENT, |in_hours| {
        Said::Defer(NoticeReason::Capped, later(hours(in_hours)))
    });
    assert_eq!(
        with_contact(
            &Contact {
                recent_mails,
                ..new_contact()
            },
            &policy()
        ),
        expected
    );
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
fn caps_are_read_from_text(#[case] text: &str, #[case] accepted: bool) {
    assert_eq!(text.parse::<FrequencyCaps>().is_ok(), accepted);
    assert_eq!("1/3d, 4/30d".parse(), Ok(FrequencyCaps::default()));
}

#[test]
fn outside_of_the_window_a_notice_waits_until_it_opens() {
    let policy = Policy {
        window: "Mon-Fri 09:00-17:00 America/New_York".parse().unwrap(),
        ..policy()
    };
    let saturday: Timestamp = "2026-11-28T15:00:00Z".parse().unwrap();
    let notice = Notice {
        due_at: saturday,
        planned_at: saturday,
        ..notice()
    };
    let verdict = guard(
        &notice,
        &GuardContext {
            as_of: saturday,
            ..circumstances()
        },
        &policy,
    );
    assert_eq!(
        verdict,
        Said::Defer(
            NoticeReason::QuietHours,
            "2026-11-30T14:00:00Z".parse().unwrap()
        )
    );
}

#[test]
fn once_the_days_limit_is_reached_a_notice_waits_for_the_next_days_window() {
    let policy = Policy {
        window: "Mon-Sun 09:00-17:00 America/New_York".parse().unwrap(),
        ..policy()
    };
    let noon: Timestamp = "2026-11-28T17:00:00Z".parse().unwrap();
    let notice = Notice {
        due_at: noon,
        planned_at: noon,
        ..notice()
    };
    let verdict = guard(
        &notice,
        &GuardContext {
            as_of: noon,
            daily_limit_reached: true,
            ..circumstances()
        },
        &policy,
    );
    assert_eq!(
        verdict,
        Said::Defer(
            NoticeReason::DailyLimit,
            "2026-11-29T14:00:00Z".parse().unwrap()
        )
    );
}

#[test]
fn a_dry_run_holds_the_notice() {
    assert_eq!(
        guard(
            &notice(),
            &circumstances(),
            &Policy {
                dry_run: true,
                ..policy()
            }
        ),
        Said::Hold(NoticeReason::DryRun)
    );
}

/// Everything speaks against the notice; then one objection after the other falls away, in the
/// order of the guards.
#[test]
fn guards_run_in_order_and_the_first_objection_wins() {
    let now: Timestamp = "2026-11-28T15:00:00Z".parse().unwrap();
    let recent_mails = [EventStamp::new(now, "run/1")].into();
    let mut contact = Contact {
        recent_mails,
        unsubscribed_all: Some(now),
        ..bounced()
    };
    let mut policy = Policy {
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
    notice.recipient.address = Address::Missing;
    let mut current_stage = None;
    let mut daily_limit_reached = true;
    let mut reasons = Vec::new();
    for removed_objections in 0..10 {
        match removed_objections {
            1 => notice.due_at = now,
            2 => current_stage = circumstances().current_stage,
            3 => {
                notice.recipient.address =
                    Address::from(Some("marisol@kestrel.example".to_owned()));
            }
            4 => contact.hard_bounced_at = None,
            5 => contact.unsubscribed_all = None,
            6 => policy.holdout = Holdout::default(),
            7 => contact.recent_mails.clear(),
            8 => policy.window = engagement::SendWindow::Always,
            9 => daily_limit_reached = false,
            _ => {}
        }
        let circumstances = GuardContext {
            as_of: now,
            current_stage,
            contact: Some(&contact),
            daily_limit_reached,
        };
        reasons.push(match guard(&notice, &circumstances, &policy) {
            Said::Skip(reason) | Said::Defer(reason, _) | Said::Hold(reason) => reason,
            Said::Send => panic!("everything has fallen away too soon"),
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

#[test]
fn a_record_stands_where_it_says() {
    let organization = first(&ready(), &Rules::default()).organization;
    assert_eq!(
        CurrentStage::from(&organization),
        CurrentStage {
            stage: Stage::AwaitingFirstPayment,
            since: as_of()
        }
    );
    let closed = first(
        &Snapshot {
            archived: true,
            ..ready()
        },
        &Rules::default(),
    )
    .organization;
    assert_eq!(CurrentStage::from(&closed).stage, Stage::Closed);
}

#[test]
fn times_at_the_ends_of_time_are_judged() {
    let ancient = Notice {
        due_at: Timestamp::MIN,
        planned_at: Timestamp::MIN,
        ..notice()
    };
    assert_eq!(
        guard(
            &ancient,
            &GuardContext {
                as_of: Timestamp::MAX,
                ..circumstances()
            },
            &policy()
        ),
        Said::Skip(NoticeReason::Expired)
    );
    let distant = Notice {
        due_at: Timestamp::MAX,
        planned_at: Timestamp::MAX,
        ..notice()
    };
    assert_eq!(
        guard(
            &distant,
            &GuardContext {
                as_of: Timestamp::MIN,
                ..circumstances()
            },
            &policy()
        ),
        SENT
    );
}

fn notice() -> Notice {
    let decision = first(
        &ready(),
        &rules([campaign(
            Stage::AwaitingFirstPayment,
            [step("welcome", days(0))],
        )]),
    );
    Notice::due(decision.notices[0].clone(), &address_key())
}

/// A verdict without the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Send,
    Skip(NoticeReason),
    Defer(NoticeReason, Timestamp),
    Hold(NoticeReason),
}

const SENT: Said = Said::Send;

fn guard(notice: &Notice, circumstances: &GuardContext<'_>, policy: &Policy) -> Said {
    match engagement::guard(notice, circumstances, policy) {
        Verdict::Send(address) => {
            assert_eq!(
                Address::Usable(EmailAddress::clone(address)),
                notice.recipient.address
            );
            Said::Send
        }
        Verdict::Skip(reason) => Said::Skip(reason),
        Verdict::Defer(reason, due_at) => Said::Defer(reason, due_at),
        Verdict::Hold(reason) => Said::Hold(reason),
    }
}

fn with_contact(contact: &Contact, policy: &Policy) -> Said {
    guard(
        &notice(),
        &GuardContext {
            contact: Some(contact),
            ..circumstances()
        },
        policy,
    )
}

fn new_contact() -> Contact {
    Contact::new(notice().address_hash)
}

fn bounced() -> Contact {
    Contact {
        hard_bounced_at: Some(as_of()),
        ..new_contact()
    }
}

fn policy() -> Policy {
    Policy {
        expiry: Expiry::default(),
        caps: FrequencyCaps::default(),
        window: engagement::SendWindow::Always,
        holdout: Holdout::default(),
        dry_run: false,
    }
}

fn circumstances() -> GuardContext<'static> {
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
