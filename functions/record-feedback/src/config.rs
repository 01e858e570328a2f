//! The configuration of the function, read from environment variables.

use store::TableNames;

environment::config! {
    /// The configuration of the function.
    pub struct Config {
        /// The names of the tables.
        pub tables: TableNames as group,
        /// ARN of the secret with the key of the address hashes.
        pub address_key_secret: String,
        /// URL of the queue of dead letters without personal data.
        pub feedback_dead_letter_queue_url: String,
        /// `local`, `sandbox` or `production`. A dimension of the metrics.
        pub environment: String,
    }
}
