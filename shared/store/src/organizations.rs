//! The `organizations` table: the stage of each organization, and when its next sync is due.

mod current_stages;
mod failures;
mod item;
mod make_due;
mod next_syncs;
mod put;
mod read;
mod table;

pub(crate) use put::put_over;

pub use make_due::MakeDueProgress;
pub use next_syncs::NextSync;
pub use read::StoredOrganization;
pub use table::Organizations;
