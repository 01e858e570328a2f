//! The table itself.

use aws_sdk_dynamodb::Client;

/// The `runs` table.
#[derive(Debug, Clone)]
pub struct Runs {
    pub(super) client: Client,
    pub(super) table: String,
}

impl Runs {
    /// Opens the table of that name. Sends no request.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}
