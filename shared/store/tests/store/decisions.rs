//! The result of a sync is written in one transaction, and only over the record that it is based
//! on.

mod concurrency;
mod retries;
mod writes;

use crate::tables::behaviours;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_written_atomically_once_and_never_over_newer_data() {
    behaviours![
        writes::record_transition_and_notices_are_written_together,
        writes::times_are_truncated_to_seconds_in_every_table,
        concurrency::a_decision_written_twice_is_superseded,
        concurrency::a_stale_version_writes_nothing,
        concurrency::an_older_sync_never_overwrites_a_newer_one,
        concurrency::a_sync_never_undoes_a_concurrent_make_due,
        concurrency::one_of_ten_concurrent_writers_wins,
        writes::an_existing_notice_is_never_overwritten,
        writes::a_decision_that_dynamodb_refuses_writes_nothing,
        writes::a_successful_sync_clears_the_recorded_failure,
    ];
}
