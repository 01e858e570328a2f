//! The steps of a run, one file each.

mod due;
mod full_listing;
mod make_all_due;
mod migration;
mod new_organizations;
