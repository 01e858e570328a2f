//! Snapshots: who can be signed in as. BILL's names of roles.

use engagement::{EmailAddress, OrganizationId, Role, Snapshot, User};
use rstest::rstest;

use crate::support::administrator;

#[test]
fn sign_in_candidates_are_administrators_first_then_oldest_without_archived() {
    let user = |number, role| User {
        role,
        ..administrator(number)
    };
    let snapshot = Snapshot {
        users: Some(vec![
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
        ]),
        ..Snapshot::default()
    };
    let ids: Vec<&str> = snapshot
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
#[case("ADMINISTRATOR", Role::Administrator)]
#[case("NO_ACCESS", Role::NoAccess)]
#[case("PURCHASE_REQUESTER", Role::PurchaseRequester)]
#[case("CONSOLE_CUSTOM", Role::ConsoleCustom)]
fn role_parses_from_and_displays_as_bill_name(#[case] name: &str, #[case] role: Role) {
    assert_eq!(name.parse(), Ok(role));
    assert_eq!(role.to_string(), name);
}

#[rstest]
#[case("SOMETHING_NEW")]
#[case("administrator")]
#[case("")]
fn unknown_role_name_fails_to_parse(#[case] name: &str) {
    assert!(name.parse::<Role>().is_err());
}

#[test]
fn deserialization_validates_identifiers() {
    assert!(serde_json::from_value::<OrganizationId>("00802KESTRELBAKEm7q2".into()).is_ok());
    assert!(serde_json::from_value::<OrganizationId>("008#1".into()).is_err());
    assert!(serde_json::from_value::<EmailAddress>("nobody".into()).is_err());
}
