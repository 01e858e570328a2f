//! The configuration of the function, read from environment variables.

use store::TableNames;

environment::config! {
    /// The configuration of the function.
    pub struct Config {
        /// The names of the tables.
        pub tables: TableNames as group,
        /// `local`, `sandbox` or `production`. A dimension of the metrics.
        pub environment: String,
    }
}
