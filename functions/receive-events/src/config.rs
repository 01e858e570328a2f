//! Configuration of the function.

use runtime::{ConfigError, Environment};

/// What the function reads from its environment.
#[derive(Debug)]
pub struct Config {
    /// `WEBHOOK_KEYS_SECRET`: ARN of the secret with the keys that BILL signs with.
    pub webhook_keys_secret: String,
    /// `EVENTS_QUEUE_URL`.
    pub events_queue_url: String,
    /// `ENVIRONMENT`: local, sandbox or production.
    pub environment: String,
}

impl Config {
    /// Reads the environment; an `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let webhook_keys_secret = environment.required("WEBHOOK_KEYS_SECRET");
        let events_queue_url = environment.required("EVENTS_QUEUE_URL");
        let name = environment.required("ENVIRONMENT");
        environment.build(|| {
            Some(Self {
                webhook_keys_secret: webhook_keys_secret?,
                events_queue_url: events_queue_url?,
                environment: name?,
            })
        })
    }
}
