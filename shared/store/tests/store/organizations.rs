//! Reading organizations, recording failed syncs, and making organizations due.

mod concurrent_syncs;
mod failures;
mod make_due;
mod newer;
mod next_syncs;
mod read;
mod syncs;
