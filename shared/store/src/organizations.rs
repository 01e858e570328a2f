//! The `organizations` table: the stage of each organization, and when its next sync is due.

mod current_stages;
mod due;
mod failures;
mod full_listing;
mod index_migration;
mod item;
mod listing_row;
mod make_due;
mod put;
mod read;
mod table;

pub(crate) use put::put_over;

pub use due::DueOrganization;
pub use full_listing::{ListedComparison, ListingChange};
pub use index_migration::MigrationPage;
pub use make_due::{MakeDuePage, MakeDueProgress};
pub use read::{OrganizationRow, StoredOrganization};
pub use table::Organizations;
