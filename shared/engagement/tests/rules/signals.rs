//! What the facts themselves tell: BILL's names, who can be signed in as, and when verification is
//! asked for.

use engagement::{BankStatus, OrganizationId, Role, Snapshot, User};
use rstest::rstest;

use crate::support::{administrator, archived_bank, as_of, bank, days, paid, ready};

#[rstest]
#[case::no_bank_and_never_paid(Snapshot { banks: vec![], ..ready() }, true)]
#[case::archived_account_alone(Snapshot { banks: vec![archived_bank(BankStatus::Verified, days(1))], ..ready() }, true)]
#[case::a_bank_account(ready(), false)]
#[case::a_rejected_bank_account(Snapshot { banks: vec![bank(BankStatus::Blocked)], ..ready() }, false)]
#[case::a_bank_account_that_is_being_added(Snapshot { banks: vec![archived_bank(BankStatus::Pending, days(1))], ..ready() }, false)]
#[case::paid_long_ago(Snapshot { banks: vec![], ..paid(days(400)) }, false)]
#[case::archived(Snapshot { archived: true, banks: vec![], ..ready() }, false)]
#[case::nobody_to_sign_in_as(Snapshot { banks: vec![], users: vec![], ..ready() }, false)]
fn verification_is_asked_for_only_where_it_decides(
    #[case] signals: Snapshot,
    #[case] wanted: bool,
) {
    assert_eq!(signals.needs_verification(as_of()), wanted);
}

#[test]
fn administrators_are_signed_in_first_then_the_oldest_and_never_the_archived() {
    let user = |number, role| User {
        role,
        ..administrator(number)
    };
    let signals = Snapshot {
        users: vec![
            user(1, Some(Role::NoAccess)),
            user(2, Some(Role::Clerk)),
            User {
                created_at: None,
                ..user(3, Some(Role::Administrator))
            },
            user(5, Some(Role::Administrator)),
            user(4, Some(Role::Administrator)),
            User {
                archived: true,
                ..user(6, Some(Role::Administrator))
            },
            user(0, None),
        ],
        ..Snapshot::default()
    };
    let ids: Vec<&str> = signals
        .sign_in_candidates()
        .into_iter()
        .map(|user| user.id.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "006USER004",
            "006USER005",
            "006USER003",
            "006USER000",
            "006USER002",
            "006USER001"
        ]
    );
}

#[rstest]
#[case("NOT_VERIFIED", BankStatus::NotVerified)]
#[case("VERIFIED", BankStatus::Verified)]
#[case("PENDING", BankStatus::Pending)]
#[case("BLOCKED", BankStatus::Blocked)]
#[case("EXPIRED", BankStatus::Expired)]
#[case("INVALID", BankStatus::Invalid)]
#[case("UNDEFINED", BankStatus::Undefined)]
fn a_bank_status_is_read_by_bills_name(#[case] name: &str, #[case] status: BankStatus) {
    assert_eq!(name.parse(), Ok(status));
}

#[rstest]
#[case("ADMINISTRATOR", Role::Administrator)]
#[case("NO_ACCESS", Role::NoAccess)]
#[case("PURCHASE_REQUESTER", Role::PurchaseRequester)]
#[case("CONSOLE_CUSTOM", Role::ConsoleCustom)]
fn a_role_is_read_by_bills_name(#[case] name: &str, #[case] role: Role) {
    assert_eq!(name.parse(), Ok(role));
    assert_eq!(role.to_string(), name);
}

#[rstest]
#[case("SOMETHING_NEW")]
#[case("verified")]
#[case("")]
fn an_unknown_name_is_an_error_that_the_reader_turns_into_undefined(#[case] name: &str) {
    assert_eq!(
        name.parse().unwrap_or(BankStatus::Undefined),
        BankStatus::Undefined
    );
    assert_eq!(name.parse().unwrap_or(Role::Undefined), Role::Undefined);
}

#[test]
fn a_stored_identifier_is_checked_when_it_is_read() {
    assert!(serde_json::from_value::<OrganizationId>("00802KESTRELBAKEm7q2".into()).is_ok());
    assert!(serde_json::from_value::<OrganizationId>("008#1".into()).is_err());
    assert!(serde_json::from_value::<engagement::EmailAddress>("nobody".into()).is_err());
}
