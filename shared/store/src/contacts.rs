//! The `contacts` table: suppressions, preferences and e-mail counts of each address. It contains
//! no addresses, only their pseudonyms.

mod email_count;
mod item;
mod preferences;
mod read;
mod suppressions;
mod table;

pub(crate) use email_count::{count_email, uncount_email};

pub use preferences::UnsubscribeScope;
pub use table::Contacts;
