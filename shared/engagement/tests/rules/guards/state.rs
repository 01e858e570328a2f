//! Whether the organization is still in the stage that the notice was planned for.

use engagement::{CurrentStage, GuardContext, NoticeReason, Rules, Snapshot, Stage};
use rstest::rstest;

use super::support::{VerdictKind, evaluate_guards, guard_context, notice, policy};
use crate::support::{SECOND, as_of, first_sync, later, ready_to_pay};

#[rstest]
#[case::another_stage(Some(CurrentStage { stage: Stage::Active, since: as_of() }))]
#[case::another_episode(Some(CurrentStage {
    stage: Stage::AwaitingFirstPayment,
    since: later(SECOND),
}))]
#[case::closed(Some(CurrentStage { stage: Stage::Closed, since: as_of() }))]
#[case::no_record(None)]
fn notice_is_skipped_when_stage_or_episode_changed(#[case] current_stage: Option<CurrentStage>) {
    let context = GuardContext {
        current_stage,
        ..guard_context()
    };

    assert_eq!(
        evaluate_guards(&notice(), &context, &policy()),
        VerdictKind::Skip(NoticeReason::StateChanged)
    );
}

#[test]
fn current_stage_is_taken_from_the_organization_record() {
    let organization = first_sync(&ready_to_pay(), &Rules::default()).organization;
    assert_eq!(
        CurrentStage::from(&organization),
        CurrentStage {
            stage: Stage::AwaitingFirstPayment,
            since: as_of()
        }
    );

    let archived = Snapshot {
        archived: true,
        ..ready_to_pay()
    };
    let closed = first_sync(&archived, &Rules::default()).organization;
    assert_eq!(CurrentStage::from(&closed).stage, Stage::Closed);
}
