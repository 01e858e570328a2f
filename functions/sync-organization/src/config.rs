//! The configuration of the function, read from environment variables.

use bill_connection::BillConfig;
use store::{HourlyLimits, TableNames};

environment::config! {
    /// The configuration of the function.
    pub struct Config {
        /// BILL's API.
        pub bill: BillConfig as group,
        /// BILL requests and sign-ins per hour.
        pub limits: HourlyLimits as group,
        /// The names of the tables.
        pub tables: TableNames as group,
        /// ARN of the secret with the key of the address hashes.
        pub address_key_secret: String,
        /// URL of the queue of messages that can never be processed.
        pub sync_dead_letter_queue_url: String,
        /// `local`, `sandbox` or `production`. A dimension of the metrics.
        pub environment: String,
    }
}
