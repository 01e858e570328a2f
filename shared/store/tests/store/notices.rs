//! The states of a notice: every change is valid only under its condition, also when it is
//! repeated.

mod claim;
mod dismissals;
mod due;
mod feedback;
mod fixtures;
mod settle;
mod unknown;
mod verdicts;

use crate::tables::behaviours;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_changes_only_under_its_conditions() {
    behaviours![
        claim::one_of_ten_concurrent_claimers_wins,
        claim::two_notices_for_one_address_are_not_claimed_from_the_same_contact_version,
        claim::emails_older_than_the_retention_are_dropped_from_the_contact,
        claim::a_claimed_notice_is_no_longer_due,
        settle::marking_a_notice_sent_twice_changes_nothing,
        settle::another_claim_cannot_settle_the_notice,
        settle::a_released_notice_is_due_again_later,
        settle::a_failed_notice_is_not_sent_again,
        unknown::an_unknown_notice_is_marked_sent_by_its_own_late_claim,
        verdicts::a_due_notice_is_skipped_once,
        verdicts::a_held_notice_stays_due_with_its_reason,
        unknown::only_claims_older_than_the_limit_are_abandoned,
    ];
}
