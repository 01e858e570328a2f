//! The DynamoDB tables of BILL Engage, one folder each.
//!
//! | Folder | Content |
//! |---|---|
//! | `organizations` | stage of each organization, time of its next sync |
//! | `transitions` | stages that organizations entered |
//! | `notices` | queue of notices with the outcome of each, dismissals of in-product messages |
//! | `contacts` | suppressions, preferences and e-mail counts of an address, by its pseudonym |
//! | `runs` | fan-out's cursor and records, hourly budget of BILL requests, daily e-mail count |
//!
//! [`DecisionWriter::write`] is the place to start reading: it writes the result of a sync to three
//! tables in one transaction. [`Notices::claim`] comes next: it makes sure that no notice is sent
//! twice.
//!
//! There are no locks. Each write carries the condition under which it is still valid, so that a
//! repeated, concurrent or incomplete operation never overwrites a newer result. The documentation
//! of each method states what a second call does, and what remains when the process stops before
//! the write.
//!
//! The crate knows the types of `engagement` and stores them. It makes no decisions and does
//! not read the clock: every time is an argument.

mod client;
mod contacts;
mod decisions;
mod dynamodb;
mod error;
mod notices;
mod organizations;
mod runs;
mod schema;
mod table_names;
mod tables;
mod transitions;

pub use client::{client, interactive_client};
pub use contacts::{Contacts, UnsubscribeScope};
pub use decisions::{DecisionWriter, WriteOutcome};
pub use error::{StoreError, StoreErrorKind};
pub use notices::{Claim, ClaimOutcome, Dismissals, DueNotices, FeedbackOutcome, Notices};
pub use organizations::{
    DueOrganization, ListedComparison, ListingChange, MakeDuePage, MakeDueProgress, MigrationPage,
    OrganizationRow, Organizations, StoredOrganization,
};
pub use runs::{
    BudgetAmount, BudgetShare, DailyQuota, DayStatistics, FullListing, HourlyBudget, HourlyLimits,
    MakeDueRequest, Migration, Reservation, RunLog, RunRecord, StatisticsLog, SweepState,
    SweepStates,
};
pub use table_names::TableNames;
pub use tables::Tables;
