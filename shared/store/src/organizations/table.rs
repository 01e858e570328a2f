//! The table itself.

use aws_sdk_dynamodb::Client;

/// The `organizations` table.
#[derive(Debug, Clone)]
pub struct Organizations {
    pub(super) client: Client,
    pub(super) table: String,
}

impl Organizations {
    /// Opens the table of that name. Sends no request.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}
