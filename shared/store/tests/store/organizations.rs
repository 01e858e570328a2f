//! Reading organizations, recording failed syncs, and making organizations due.

mod concurrent_syncs;
mod failures;
mod make_due;
mod next_syncs;
mod read;
mod syncs;

use crate::tables::behaviours;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn organizations_are_read_and_sync_failures_are_recorded() {
    behaviours![
        read::an_unknown_organization_is_none,
        read::an_unreadable_record_is_an_error_without_item_contents,
        next_syncs::next_syncs_are_read_in_batches_without_unreadable_items,
        next_syncs::a_changed_archived_flag_makes_an_organization_due,
        read::current_stages_are_read_in_batches_with_unreadable_items_as_none,
        failures::a_failed_first_sync_creates_an_item_that_reads_as_none,
        failures::a_sync_failure_is_recorded_beside_the_record,
        failures::an_older_failure_changes_nothing,
    ];
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make_due_is_safe_beside_concurrent_syncs() {
    behaviours![
        make_due::make_due_changes_nothing_but_next_check_at,
        make_due::organizations_beyond_the_hourly_budget_stay_due_until_synced,
        make_due::organizations_synced_since_are_not_made_due,
        make_due::an_organization_that_bill_refused_is_made_due,
        make_due::an_unreadable_item_is_reported_and_the_others_are_made_due,
        make_due::concurrent_and_repeated_make_due_runs_are_idempotent,
        concurrent_syncs::a_sync_written_after_make_due_is_kept,
        concurrent_syncs::a_sync_begun_before_make_due_is_superseded,
        concurrent_syncs::a_failed_sync_begun_before_make_due_leaves_the_organization_due,
    ];
}
