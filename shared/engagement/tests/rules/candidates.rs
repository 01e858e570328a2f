//! Whom to sign in as.

use engagement::{Organization, Role, Rules, Snapshot, User, UserId, decide, sign_in_candidates};

use crate::support::{administrator, days, first_sync, later, organization_id, ready_to_pay};

/// The user of this number.
fn user_id(number: u8) -> UserId {
    administrator(number).id
}

#[test]
fn who_could_read_stands_first_and_who_was_refused_last() {
    let rules = Rules::default();
    let bill = Snapshot {
        users: Some((1..=4).map(administrator).collect()),
        ..ready_to_pay()
    };
    let contacts = |previous: Option<&Organization>, snapshot: &Snapshot| {
        let decision = decide(
            &organization_id(),
            previous,
            snapshot,
            &rules,
            later(days(1)),
        );
        decision.organization.contacts
    };

    let read_as_third = Snapshot {
        reader: Some(user_id(3)),
        refused: vec![user_id(1), user_id(2)],
        ..bill.clone()
    };
    assert_eq!(contacts(None, &read_as_third), [3, 4].map(user_id));

    // Without the list of users, the remembered ones change places.
    let previous = first_sync(&bill, &rules).organization;
    assert_eq!(previous.contacts, [1, 2].map(user_id));
    let read_as_second = Snapshot {
        users: None,
        reader: Some(user_id(2)),
        refused: vec![user_id(1)],
        ..bill.clone()
    };
    assert_eq!(
        contacts(Some(&previous), &read_as_second),
        [2, 1].map(user_id)
    );

    // One who could read goes on to stand first, though another ranks before, but not if demoted.
    let previous = Organization {
        contacts: [3, 4].map(user_id).to_vec(),
        ..previous
    };
    let again = sign_in_candidates(Some(&previous), &bill);
    assert_eq!(again, [3, 1, 2, 4].map(user_id));
    let demoted = Snapshot {
        users: Some(vec![
            User {
                role: Some(Role::NoAccess),
                ..administrator(3)
            },
            administrator(4),
        ]),
        ..bill
    };
    let again = sign_in_candidates(Some(&previous), &demoted);
    assert_eq!(again, [4, 3].map(user_id));
}
