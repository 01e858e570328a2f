//! Suppressions and preferences of contacts.

mod preferences;
mod suppressions;
