//! The shipped content as customers see it, and what happens with files and names that are not as
//! they should be.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod bad_files;
mod headers;
mod hostile_names;
mod notices;
mod pages;
mod shipped;
mod snapshots;
