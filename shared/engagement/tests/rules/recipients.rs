//! Recipients: who gets a step, in which order, and how many.

use engagement::{Campaign, EmailAddress, Role, Snapshot, Stage, User};
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{administrator, ago, campaign, days, first, ready, rules, step};

#[test]
fn administrators_are_written_to_the_oldest_first() {
    assert_eq!(
        recipients_of([administrator(2), administrator(1)]),
        ["006USER001", "006USER002"]
    );
}

#[test]
fn three_are_written_to_at_most_unless_the_campaign_says_otherwise() {
    let users = [5, 4, 3, 2, 1].map(administrator);
    assert_eq!(
        recipients_of(users.clone()),
        ["006USER001", "006USER002", "006USER003"]
    );
    assert_eq!(
        recipients(
            Campaign {
                max_recipients: 1,
                ..welcome()
            },
            users.clone()
        ),
        ["006USER001"]
    );
    assert_eq!(
        recipients(
            Campaign {
                max_recipients: 9,
                ..welcome()
            },
            users
        )
        .len(),
        5
    );
}

#[rstest]
#[case::in_the_audience(administrator(1))]
#[case::as_the_fallback(with_role(1, Some(Role::Payer)))]
fn a_campaign_for_nobody_is_for_nobody(#[case] user: User) {
    assert_eq!(
        recipients(
            Campaign {
                max_recipients: 0,
                ..welcome()
            },
            [user]
        ),
        Vec::<String>::new()
    );
}

#[test]
fn the_audience_is_the_campaigns() {
    let users = [
        with_role(1, Some(Role::Administrator)),
        with_role(2, Some(Role::Payer)),
        with_role(3, Some(Role::Clerk)),
        with_role(4, None),
    ];
    let for_payers_and_clerks = Campaign {
        audience: vec![Role::Clerk, Role::Payer],
        ..welcome()
    };
    assert_eq!(
        recipients(for_payers_and_clerks, users.clone()),
        ["006USER002", "006USER003"]
    );
    assert_eq!(recipients_of(users), ["006USER001"]);
}

#[test]
fn without_anyone_in_the_audience_the_oldest_user_with_an_address_is_written_to() {
    let users = [
        with_role(5, Some(Role::Clerk)),
        with_role(3, Some(Role::Payer)),
        User {
            email: None,
            ..with_role(2, Some(Role::Clerk))
        },
        User {
            archived: true,
            ..with_role(1, Some(Role::Clerk))
        },
        with_role(4, None),
    ];
    assert_eq!(recipients_of(users), ["006USER003"]);
}

#[test]
fn every_role_can_be_the_fallback_those_that_bill_adds_later_included() {
    for role in Role::iter().map(Some).chain([None]) {
        assert_eq!(
            recipients_of([with_role(1, role)]),
            ["006USER001"],
            "{role:?}"
        );
    }
}

#[test]
fn an_administrator_who_cannot_be_written_to_is_not_the_audience() {
    let users = [
        User {
            email: None,
            ..administrator(1)
        },
        User {
            archived: true,
            ..administrator(2)
        },
        with_role(3, Some(Role::Clerk)),
        with_role(4, Some(Role::Clerk)),
    ];
    assert_eq!(recipients_of(users), ["006USER003"]);
}

#[test]
fn one_address_is_written_to_once_and_the_oldest_user_stands_for_it() {
    let shared = |number, text: &str| User {
        email: Some(address(text)),
        ..administrator(number)
    };
    let users = [
        shared(4, "other@kestrel.example"),
        shared(3, "OFFICE@kestrel.example"),
        shared(2, "Office@Kestrel.Example"),
        shared(1, "office@kestrel.example"),
    ];
    assert_eq!(recipients_of(users), ["006USER001", "006USER004"]);
}

#[test]
fn duplicate_addresses_do_not_use_up_the_places() {
    let mut users: Vec<User> = (1..=6)
        .map(|number| User {
            email: Some(address("office@kestrel.example")),
            ..administrator(number)
        })
        .collect();
    users.extend([administrator(7), administrator(8)]);
    assert_eq!(
        recipients(welcome(), users),
        ["006USER001", "006USER007", "006USER008"]
    );
}

#[test]
fn a_user_listed_twice_is_written_to_once() {
    assert_eq!(
        recipients_of([administrator(1), administrator(1)]),
        ["006USER001"]
    );
}

#[test]
fn users_without_a_creation_time_come_last_and_equal_ones_by_id() {
    let created = |number, created_at| User {
        created_at,
        ..administrator(number)
    };
    let users = [
        created(1, None),
        created(4, Some(ago(days(3)))),
        created(3, Some(ago(days(3)))),
    ];
    assert_eq!(
        recipients_of(users),
        ["006USER003", "006USER004", "006USER001"]
    );
}

#[rstest]
#[case::no_users(vec![])]
#[case::no_address(vec![User { email: None, ..administrator(1) }])]
#[case::archived(vec![User { archived: true, ..administrator(1) }, User { email: None, ..administrator(2) }])]
fn with_nobody_to_write_to_nobody_is_written_to(#[case] users: Vec<User>) {
    assert_eq!(
        recipients(
            Campaign {
                stage: Stage::Active,
                ..welcome()
            },
            users
        ),
        Vec::<String>::new()
    );
}

#[test]
fn the_address_is_kept_as_the_customer_wrote_it() {
    let user = User {
        email: Some(address("Marisol.Vega@Kestrel.example")),
        ..administrator(1)
    };
    let decision = first(
        &Snapshot {
            users: vec![user],
            ..ready()
        },
        &rules([welcome()]),
    );
    assert_eq!(
        decision.notices[0].recipient.address.expose(),
        "Marisol.Vega@Kestrel.example"
    );
}

fn recipients_of<const N: usize>(users: [User; N]) -> Vec<String> {
    recipients(welcome(), users)
}

/// Ids of those whom the first check writes to.
fn recipients(campaign: Campaign, users: impl IntoIterator<Item = User>) -> Vec<String> {
    let base = if campaign.stage == Stage::Active {
        crate::support::paid(days(1))
    } else {
        ready()
    };
    let decision = first(
        &Snapshot {
            users: users.into_iter().collect(),
            ..base
        },
        &rules([campaign]),
    );
    decision
        .notices
        .into_iter()
        .map(|notice| notice.recipient.user_id.into())
        .collect()
}

fn welcome() -> Campaign {
    campaign(Stage::AwaitingFirstPayment, [step("welcome", days(0))])
}

fn with_role(number: u8, role: Option<Role>) -> User {
    User {
        role,
        ..administrator(number)
    }
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}
