//! Reads the configuration of a function from environment variables, once at start. One error
//! names all variables that are missing or invalid.
//!
//! [`config!`] declares a configuration. Each field is read from the variable of its name in upper
//! case: `runs_table` from `RUNS_TABLE`.
//!
//! ```
//! use environment::{EnvironmentReader, FromEnvironment};
//!
//! environment::config! {
//!     /// The names of the tables.
//!     pub struct TableNames {
//!         /// The table of runs.
//!         pub runs_table: String,
//!     }
//! }
//!
//! environment::config! {
//!     /// The configuration of the function.
//!     pub struct Config {
//!         /// The names of the tables.
//!         pub tables: TableNames as group,
//!         /// E-mails per day.
//!         pub daily_send_limit: u32 = 10_000,
//!     }
//! }
//!
//! let variables = EnvironmentReader::from_pairs([("RUNS_TABLE", "runs")]);
//! let config = Config::from_variables(variables)?;
//!
//! assert_eq!(config.tables.runs_table, "runs");
//! assert_eq!(config.daily_send_limit, 10_000);
//! # Ok::<(), environment::ConfigError>(())
//! ```
//!
//! It is written without a library. Those that read a struct with serde, such as envy and figment,
//! stop at the first error. conf reports all errors, but quotes invalid values, and brings a parser
//! of command lines into each function.

mod config;
mod error;
mod reader;

pub use config::FromEnvironment;
pub use error::ConfigError;
pub use reader::EnvironmentReader;
