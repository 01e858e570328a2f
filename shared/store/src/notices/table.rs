//! The table itself.

use aws_sdk_dynamodb::Client;

/// The `notices` table, and the `contacts` table, which counts the e-mails to each address.
#[derive(Debug, Clone)]
pub struct Notices {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) contacts: String,
}

impl Notices {
    /// Opens the tables of those names. Sends no request.
    pub(crate) fn new(client: Client, notices_table: String, contacts_table: String) -> Self {
        Self {
            client,
            table: notices_table,
            contacts: contacts_table,
        }
    }
}
