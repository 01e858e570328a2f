//! Configuration of the function, read from environment variables.

use runtime::{ConfigError, Environment};

/// The configuration. Each field names its environment variable.
#[derive(Debug)]
pub struct Config {
    /// `ORGANIZATIONS_TABLE`: name of the table with the stage of each organization.
    pub organizations_table: String,
    /// `NOTICES_TABLE`: name of the table with the dismissals.
    pub notices_table: String,
    /// `ENVIRONMENT`: `local`, `sandbox` or `production`. A dimension of the metrics.
    pub environment: String,
}

impl Config {
    /// Reads the environment. An `Err` lists every variable that is missing or invalid: the
    /// process cannot start until an operator corrects them.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let organizations_table = environment.required("ORGANIZATIONS_TABLE");
        let notices_table = environment.required("NOTICES_TABLE");
        let name = environment.required("ENVIRONMENT");

        environment.build(|| {
            Some(Self {
                organizations_table: organizations_table?,
                notices_table: notices_table?,
                environment: name?,
            })
        })
    }
}
