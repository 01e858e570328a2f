//! The cursor, the records of runs, and the hourly budget.

mod budget;
mod cursor;
mod records;

use crate::tables::behaviours;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cursor_and_run_records_are_stored() {
    behaviours![
        cursor::the_cursor_is_saved_replaced_and_cleared,
        cursor::an_unreadable_cursor_counts_as_none,
        records::a_run_record_is_replaced_by_a_run_of_the_same_as_of,
        cursor::an_error_names_the_missing_table,
    ];
}
