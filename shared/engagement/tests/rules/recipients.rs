//! Recipients: which users get the e-mail of a step, in which order, and how many.

use engagement::{Campaign, EmailAddress, Role, Snapshot, Stage, User};
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{
    administrator, ago, campaign, days, first_sync, paid, ready_to_pay, rules, step,
};

#[test]
fn administrators_are_recipients_oldest_first() {
    assert_eq!(
        recipients_of([administrator(2), administrator(1)]),
        ["006USER001", "006USER002"]
    );
}

#[test]
fn at_most_three_recipients_unless_the_campaign_sets_max_recipients() {
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
fn max_recipients_zero_plans_no_notice(#[case] user: User) {
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
fn recipients_have_the_roles_of_the_campaign_audience() {
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
fn empty_audience_falls_back_to_the_oldest_user_with_an_address() {
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
fn any_role_known_or_unknown_can_be_the_fallback() {
    for role in Role::iter().map(Some).chain([None]) {
        assert_eq!(
            recipients_of([with_role(1, role)]),
            ["006USER001"],
            "{role:?}"
        );
    }
}

#[test]
fn administrator_without_usable_address_does_not_prevent_the_fallback() {
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
fn shared_address_gets_one_notice_for_its_oldest_user() {
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
fn duplicate_addresses_do_not_count_toward_max_recipients() {
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
fn user_listed_twice_gets_one_notice() {
    assert_eq!(
        recipients_of([administrator(1), administrator(1)]),
        ["006USER001"]
    );
}

#[test]
fn users_without_creation_time_sort_last_and_ties_sort_by_id() {
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
#[case::archived(vec![
    User { archived: true, ..administrator(1) },
    User { email: None, ..administrator(2) },
])]
fn no_reachable_user_plans_no_notice(#[case] users: Vec<User>) {
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
fn recipient_address_keeps_its_original_case() {
    let user = User {
        email: Some(address("Marisol.Vega@Kestrel.example")),
        ..administrator(1)
    };
    let decision = first_sync(
        &Snapshot {
            users: Some(vec![user]),
            ..ready_to_pay()
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

/// The user ids of the notices that the first sync plans.
fn recipients(campaign: Campaign, users: impl IntoIterator<Item = User>) -> Vec<String> {
    let base = if campaign.stage == Stage::Active {
        paid(days(1))
    } else {
        ready_to_pay()
    };
    let decision = first_sync(
        &Snapshot {
            users: Some(users.into_iter().collect()),
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
