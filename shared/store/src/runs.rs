//! The `runs` table: fan-out's cursor and records, the hourly budget of BILL requests, and the
//! daily number of e-mails. Each is a type of its own.

mod daily_quota;
mod day_statistics;
mod hour_item;
mod hourly_budget;
mod hourly_limits;
mod run_log;
mod sweep_state;
mod table;

pub(crate) use table::RunsTable;

pub use daily_quota::DailyQuota;
pub use day_statistics::{DayStatistics, StatisticsLog};
pub use hourly_budget::{HourlyBudget, Reservation};
pub use hourly_limits::{BudgetAmount, BudgetShare, HourlyLimits};
pub use run_log::{RunLog, RunRecord};
pub use sweep_state::{FullListing, MakeDueRequest, Migration, SweepState, SweepStates};
