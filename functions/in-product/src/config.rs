//! Configuration of the function.

use runtime::{ConfigError, Environment};

/// What the function reads from its environment.
#[derive(Debug)]
pub struct Config {
    /// `ORGANIZATIONS_TABLE`.
    pub organizations_table: String,
    /// `NOTICES_TABLE`.
    pub notices_table: String,
    /// `ENVIRONMENT`: local, sandbox or production.
    pub environment: String,
}

impl Config {
    /// Reads the environment; an `Err` names every variable that is missing or invalid.
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
