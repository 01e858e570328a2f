//! The configuration of the function: environment variables, read once at start.

use runtime::{ConfigError, Environment};

/// What the function reads from its environment.
#[derive(Debug)]
pub struct Config {
    /// `CONTACTS_TABLE`.
    pub contacts_table: String,
    /// `UNSUBSCRIBE_KEYS_SECRET`: ARN of the secret with the keys of the unsubscribe tokens.
    pub unsubscribe_keys_secret: String,
    /// `ENVIRONMENT`: `local`, `sandbox` or `production`.
    pub environment: String,
}

impl Config {
    /// Reads the environment. An `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let contacts_table = environment.required("CONTACTS_TABLE");
        let unsubscribe_keys_secret = environment.required("UNSUBSCRIBE_KEYS_SECRET");
        let name = environment.required("ENVIRONMENT");

        environment.build(|| {
            Some(Self {
                contacts_table: contacts_table?,
                unsubscribe_keys_secret: unsubscribe_keys_secret?,
                environment: name?,
            })
        })
    }
}
