//! The control group.

use engagement::{Holdout, NoticeReason, OrganizationId, SendPolicy};

use super::support::{VerdictKind, evaluate_guards, guard_context, notice, policy};

#[test]
fn holdout_is_stable_near_its_percentage_and_nested_in_larger_ones() {
    let ids: Vec<OrganizationId> = (0..2_000)
        .map(|number| format!("008KESTREL{number:08}").parse().unwrap())
        .collect();
    let members = |percent: &str| -> Vec<&OrganizationId> {
        let holdout: Holdout = percent.parse().unwrap();
        ids.iter().filter(|id| holdout.contains(id)).collect()
    };

    assert_eq!((members("0").len(), members("100").len()), (0, 2_000));

    let (ten, twenty) = (members("10"), members("20"));
    assert!(
        (150..250).contains(&ten.len()) && (330..470).contains(&twenty.len()),
        "{} {}",
        ten.len(),
        twenty.len()
    );
    assert!(ten.iter().all(|id| twenty.contains(id)));
}

#[test]
fn notice_of_an_organization_in_the_control_group_is_skipped() {
    let policy = SendPolicy {
        holdout: "100".parse().unwrap(),
        ..policy()
    };

    assert_eq!(
        evaluate_guards(&notice(), &guard_context(), &policy),
        VerdictKind::Skip(NoticeReason::Holdout)
    );
}

#[test]
fn holdout_outside_of_0_to_100_fails_to_parse() {
    for text in ["101", "-1", "ten"] {
        assert!(text.parse::<Holdout>().is_err(), "{text}");
    }
}
