//! The configuration of the function, read from environment variables.

use store::TableNames;

environment::config! {
    /// The configuration of the function.
    pub struct Config {
        /// The names of the tables.
        pub tables: TableNames as group,
        /// ARN of the secret with the keys of the unsubscribe tokens.
        pub unsubscribe_keys_secret: String,
        /// `local`, `sandbox` or `production`. A dimension of the metrics.
        pub environment: String,
    }
}
