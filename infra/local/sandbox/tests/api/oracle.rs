//! The expected outcome of a sync.

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use sandbox::{BankAccount, Organization, PaymentSeries, Sandbox, User, Verification};

use crate::support::{days_before_start, options, organization_with_payments, start_time};

#[rstest]
#[case::exactly_30_days(PaymentSeries::paid(days_before_start(30)), "dormant_30")]
#[case::a_second_less(
    PaymentSeries::paid(days_before_start(30) + SignedDuration::from_secs(1)),
    "active"
)]
#[case::exactly_60_days(PaymentSeries::paid(days_before_start(60)), "dormant_60")]
#[case::exactly_90_days(PaymentSeries::paid(days_before_start(90)), "dormant_90")]
#[case::in_the_future(PaymentSeries::paid(days_before_start(-3)), "active")]
#[case::cancelled(
    PaymentSeries::with_status("CANCELLED", days_before_start(1)),
    "awaiting_first_payment"
)]
#[case::of_unknown_status(
    PaymentSeries::with_status("TELEPORTED", days_before_start(1)),
    "active"
)]
#[case::outside_bill(
    PaymentSeries { online: Some(false), ..PaymentSeries::paid(days_before_start(1)) },
    "awaiting_first_payment"
)]
#[tokio::test]
async fn newest_counted_payment_determines_the_expected_stage(
    #[case] payment: PaymentSeries,
    #[case] stage: &str,
) {
    let payments = vec![payment];

    let expected = expected_stage_of(
        |organization| organization.payments = payments,
        start_time(),
    );

    assert_eq!(expected.await.0, stage);
}

#[tokio::test]
async fn only_the_newest_1000_payments_are_considered() {
    for (cancelled, stage) in [(999, "active"), (1_000, "awaiting_first_payment")] {
        let payments = vec![
            PaymentSeries::with_status("CANCELLED", days_before_start(1)).repeated(cancelled, 60),
            PaymentSeries::paid(days_before_start(20)),
        ];

        let expected = expected_stage_of(
            |organization| organization.payments = payments,
            start_time(),
        );

        assert_eq!(expected.await.0, stage);
    }
}

#[rstest]
#[case::verified(vec![account("VERIFIED", 50)], "awaiting_first_payment", "never_paid")]
#[case::none(vec![], "no_bank_account", "none_connected")]
#[case::verified_but_archived(
    vec![account("VERIFIED", 5).archived()],
    "no_bank_account",
    "none_connected"
)]
#[case::young_and_pending(vec![account("PENDING", 29).archived()], "bank_unverified", "pending")]
#[case::old_and_pending(
    vec![account("PENDING", 30).archived()],
    "no_bank_account",
    "none_connected"
)]
#[case::all_rejected(
    vec![account("BLOCKED", 3), account("EXPIRED", 3)],
    "bank_unverified",
    "rejected"
)]
#[case::one_pending(
    vec![account("BLOCKED", 3), account("PENDING", 3)],
    "bank_unverified",
    "pending"
)]
#[tokio::test]
async fn bank_accounts_determine_the_expected_stage(
    #[case] bank_accounts: Vec<BankAccount>,
    #[case] stage: &str,
    #[case] reason: &str,
) {
    let change = |organization: &mut Organization| {
        organization.bank_accounts = bank_accounts;
        organization.verification = Some(Verification::new("APPROVE"));
    };

    assert_eq!(
        expected_stage_of(change, start_time()).await,
        (stage.to_owned(), reason.to_owned())
    );
}

#[tokio::test]
async fn active_organization_becomes_dormant_over_time() {
    for (days, stage) in [
        (0, "active"),
        (19, "active"),
        (20, "dormant_30"),
        (50, "dormant_60"),
        (80, "dormant_90"),
    ] {
        let payments = vec![PaymentSeries::paid(days_before_start(10))];
        let as_of = start_time() + SignedDuration::from_hours(24 * days);

        let expected = expected_stage_of(|organization| organization.payments = payments, as_of);

        assert_eq!(expected.await.0, stage);
    }
}

#[tokio::test]
async fn recipients_are_the_three_oldest_administrators_with_distinct_addresses() {
    let administrator = |email: &str, days| User::administrator(email, days_before_start(days));
    let archived = User {
        archived: true,
        ..administrator("z@x.example", 99)
    };
    let without_address = User {
        email: None,
        ..administrator("", 98)
    };

    let users = vec![
        administrator("d@x.example", 1),
        administrator("c@x.example", 2),
        administrator("A@x.example", 3),
        administrator("a@x.example", 4),
        administrator("b@x.example", 5),
        User::new("CLERK", "clerk@x.example", days_before_start(50)),
        archived.clone(),
        without_address.clone(),
    ];
    assert_eq!(
        expected_recipients_of(users).await,
        ["b@x.example", "a@x.example", "c@x.example"]
    );

    let without_administrator = vec![
        User::new("PAYER", "p@x.example", days_before_start(5)),
        User::new("CLERK", "q@x.example", days_before_start(6)),
        archived,
        without_address.clone(),
    ];
    assert_eq!(
        expected_recipients_of(without_administrator).await,
        ["q@x.example"]
    );

    let recipients = expected_recipients_of(vec![without_address]).await;
    assert!(recipients.is_empty());
}

/// A bank account with this status, created this many days before the start.
fn account(status: &str, days: i64) -> BankAccount {
    BankAccount::new(status, days_before_start(days))
}

/// The expected stage and reason of an organization with this change.
async fn expected_stage_of(
    change: impl FnOnce(&mut Organization),
    as_of: Timestamp,
) -> (String, String) {
    let mut organization = organization_with_payments("008A", Vec::new());
    change(&mut organization);
    let sandbox = Sandbox::start(options()).await.unwrap();
    sandbox.put_organization(organization);

    let expectation = sandbox.expectations(as_of).pop().unwrap();
    (
        expectation.expected_stage.unwrap(),
        expectation.expected_reason.unwrap(),
    )
}

async fn expected_recipients_of(users: Vec<User>) -> Vec<String> {
    let sandbox = Sandbox::start(options()).await.unwrap();
    sandbox.put_organization(Organization {
        users,
        ..organization_with_payments("008A", Vec::new())
    });

    sandbox
        .expectations(start_time())
        .pop()
        .unwrap()
        .expected_recipients
}
