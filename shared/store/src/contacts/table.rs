//! The table itself.

use aws_sdk_dynamodb::Client;

/// The `contacts` table.
#[derive(Debug, Clone)]
pub struct Contacts {
    pub(super) client: Client,
    pub(super) table: String,
}

impl Contacts {
    /// Opens the table of that name. Sends no request.
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}
