//! The `notices` table: the queue of notices with the outcome of each, and the dismissals of
//! in-product messages.
//!
//! A notice is `due` until a notifier claims it. The claim ends as `sent`, `failed` or `unknown`,
//! or the notice is due again. SES's events settle what was sent or is unknown.

mod claim;
mod dismissals;
mod due;
mod feedback;
mod item;
mod plan;
mod settle;
mod table;
mod unknown;
mod update;
mod verdicts;

pub(crate) use plan::put_if_absent;

pub use claim::{Claim, ClaimOutcome};
pub use dismissals::Dismissals;
pub use due::DueNotices;
pub use feedback::FeedbackOutcome;
pub use table::Notices;
