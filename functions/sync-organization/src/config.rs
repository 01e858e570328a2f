//! The configuration of the function, read from environment variables.

use bill::BaseUrl;
use runtime::{ConfigError, Environment};
use store::HourlyLimits;

/// The configuration of the function.
#[derive(Debug)]
pub struct Config {
    /// `BILL_BASE_URL`: base URL of BILL's API.
    pub bill_base_url: BaseUrl,
    /// `BILL_CREDENTIALS_SECRET`: ARN of the secret with the credentials.
    pub bill_credentials_secret: String,
    /// `BILL_REQUESTS_PER_HOUR` and `BILL_SIGN_INS_PER_HOUR` (0: no separate limit).
    pub limits: HourlyLimits,
    /// `ADDRESS_KEY_SECRET`: ARN of the secret with the key of the address hashes.
    pub address_key_secret: String,
    /// `ORGANIZATIONS_TABLE`.
    pub organizations_table: String,
    /// `TRANSITIONS_TABLE`.
    pub transitions_table: String,
    /// `NOTICES_TABLE`.
    pub notices_table: String,
    /// `RUNS_TABLE`.
    pub runs_table: String,
    /// `SYNC_DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue_url: String,
    /// `ENVIRONMENT`: local, sandbox or production.
    pub environment: String,
}

impl Config {
    /// Reads the environment. An `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let bill_base_url = environment.required("BILL_BASE_URL");
        let bill_credentials_secret = environment.required("BILL_CREDENTIALS_SECRET");
        let requests_per_hour = environment.optional("BILL_REQUESTS_PER_HOUR", 10_000);
        let sign_ins_per_hour = environment.optional("BILL_SIGN_INS_PER_HOUR", 0);
        let address_key_secret = environment.required("ADDRESS_KEY_SECRET");
        let organizations_table = environment.required("ORGANIZATIONS_TABLE");
        let transitions_table = environment.required("TRANSITIONS_TABLE");
        let notices_table = environment.required("NOTICES_TABLE");
        let runs_table = environment.required("RUNS_TABLE");
        let dead_letter_queue_url = environment.required("SYNC_DEAD_LETTER_QUEUE_URL");
        let name = environment.required("ENVIRONMENT");
        environment.build(|| {
            Some(Self {
                bill_base_url: bill_base_url?,
                bill_credentials_secret: bill_credentials_secret?,
                limits: HourlyLimits {
                    requests_per_hour: requests_per_hour?,
                    sign_ins_per_hour: sign_ins_per_hour.filter(|limit| *limit > 0),
                },
                address_key_secret: address_key_secret?,
                organizations_table: organizations_table?,
                transitions_table: transitions_table?,
                notices_table: notices_table?,
                runs_table: runs_table?,
                dead_letter_queue_url: dead_letter_queue_url?,
                environment: name?,
            })
        })
    }
}
