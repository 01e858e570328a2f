//! The configuration of the function: environment variables, read once at start.

use runtime::{ConfigError, Environment};

/// What the function reads from its environment.
#[derive(Debug)]
pub struct Config {
    /// `NOTICES_TABLE`.
    pub notices_table: String,
    /// `CONTACTS_TABLE`.
    pub contacts_table: String,
    /// `ADDRESS_KEY_SECRET`: ARN of the secret with the key of the address hashes.
    pub address_key_secret: String,
    /// `FEEDBACK_DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue_url: String,
    /// `ENVIRONMENT`: `local`, `sandbox` or `production`.
    pub environment: String,
}

impl Config {
    /// Reads the environment. An `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let notices_table = environment.required("NOTICES_TABLE");
        let contacts_table = environment.required("CONTACTS_TABLE");
        let address_key_secret = environment.required("ADDRESS_KEY_SECRET");
        let dead_letter_queue_url = environment.required("FEEDBACK_DEAD_LETTER_QUEUE_URL");
        let name = environment.required("ENVIRONMENT");

        environment.build(|| {
            Some(Self {
                notices_table: notices_table?,
                contacts_table: contacts_table?,
                address_key_secret: address_key_secret?,
                dead_letter_queue_url: dead_letter_queue_url?,
                environment: name?,
            })
        })
    }
}
