//! The `runs` table: fan-out's cursor and records, the hourly budget of BILL requests, and the
//! daily number of e-mails.

mod budget;
mod cursor;
mod daily_emails;
mod item;
mod records;
mod table;

pub use budget::{BudgetAmount, HourlyLimits, Reservation};
pub use cursor::Cursor;
pub use records::RunRecord;
pub use table::Runs;
