//! Configuration of the function, read from environment variables.

use runtime::{ConfigError, Environment};

/// The configuration. Each field names its environment variable.
#[derive(Debug)]
pub struct Config {
    /// `WEBHOOK_KEYS_SECRET`: ARN of the secret that holds the keys with which BILL signs.
    pub webhook_keys_secret: String,
    /// `EVENTS_QUEUE_URL`: URL of the FIFO queue that receives the sync requests.
    pub events_queue_url: String,
    /// `ENVIRONMENT`: `local`, `sandbox` or `production`. A dimension of the metrics.
    pub environment: String,
}

impl Config {
    /// Reads the environment. An `Err` lists every variable that is missing or invalid: the
    /// process cannot start until an operator corrects them.
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
