//! Configuration of the function.

use bill::BaseUrl;
use runtime::{ConfigError, Environment};
use store::Limits;

/// What the function reads from its environment.
#[derive(Debug)]
pub struct Config {
    /// `BILL_BASE_URL`: where BILL's API begins.
    pub bill_base_url: BaseUrl,
    /// `BILL_CREDENTIALS_SECRET`: ARN of the secret.
    pub bill_credentials_secret: String,
    /// `BILL_REQUESTS_PER_HOUR` (the sweep's share of BILL's limit) and `BILL_SIGN_INS_PER_HOUR`
    /// (0: no limit of their own).
    pub limits: Limits,
    /// `ORGANIZATIONS_TABLE`.
    pub organizations_table: String,
    /// `RUNS_TABLE`.
    pub runs_table: String,
    /// `SYNC_QUEUE_URL`.
    pub sync_queue_url: String,
    /// `ENVIRONMENT`: local, sandbox or production.
    pub environment: String,
}

impl Config {
    /// Reads the environment; an `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let bill_base_url = environment.required("BILL_BASE_URL");
        let bill_credentials_secret = environment.required("BILL_CREDENTIALS_SECRET");
        let requests_per_hour = environment.optional("BILL_REQUESTS_PER_HOUR", 10_000);
        let sign_ins_per_hour = environment.optional("BILL_SIGN_INS_PER_HOUR", 0);
        let organizations_table = environment.required("ORGANIZATIONS_TABLE");
        let runs_table = environment.required("RUNS_TABLE");
        let sync_queue_url = environment.required("SYNC_QUEUE_URL");
        let name = environment.required("ENVIRONMENT");
        environment.build(|| {
            Some(Self {
                bill_base_url: bill_base_url?,
                bill_credentials_secret: bill_credentials_secret?,
                limits: Limits {
                    requests_per_hour: requests_per_hour?,
                    sign_ins_per_hour: Some(sign_ins_per_hour?).filter(|limit| *limit > 0),
                },
                organizations_table: organizations_table?,
                runs_table: runs_table?,
                sync_queue_url: sync_queue_url?,
                environment: name?,
            })
        })
    }
}
