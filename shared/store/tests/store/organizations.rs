//! Reading organizations, recording failed syncs, and making organizations due.

mod concurrent_syncs;
mod due;
mod failures;
mod listing;
mod make_due;
mod migration;
mod newer;
mod read;
mod syncs;
