//! The cursor, the records of runs, and the hourly budget.

mod hourly_budget;
mod run_log;
