//! What a sync needs: clients, tables, secrets and rules.

use aws_config::SdkConfig;
use bill::{BillClient, Credentials};
use content::Content;
use engagement::Rules;
use runtime::{AsOfLimit, DeadLetterQueue, Failure, Secret};
use secrecy::SecretString;
use store::{DecisionWriter, HourlyBudget, Organizations, Tables};

use crate::config::Config;

/// Syncs organizations. Built once per process.
pub struct Sync {
    pub(crate) bill: BillClient,
    /// The credentials of `bill`. Each batch reads them first, so that a missing secret is reported
    /// before anything else happens.
    pub(crate) credentials: Secret<Credentials>,
    pub(crate) organizations: Organizations,
    pub(crate) decisions: DecisionWriter,
    pub(crate) budget: HourlyBudget,
    pub(crate) as_of_limit: AsOfLimit,
    pub(crate) dead_letters: DeadLetterQueue,
    /// The key of the address hashes.
    pub(crate) address_key: Secret<SecretString>,
    /// Campaigns and cadences.
    pub(crate) rules: Rules,
}

impl Sync {
    /// Builds the clients. An `Err` is permanent: BILL's client could not be built, or the embedded
    /// campaigns are invalid.
    pub fn new(config: Config, aws: &SdkConfig) -> Result<Self, Failure> {
        let rules = Content::embedded()?.rules().clone();
        let (bill, credentials) = bill_connection::connect(aws, config.bill)?;
        let tables = Tables::new(store::client(aws), config.tables);

        Ok(Self {
            bill,
            credentials,
            organizations: tables.organizations(),
            decisions: tables.decisions(),
            budget: tables.hourly_budget(config.limits),
            as_of_limit: AsOfLimit::for_environment(&config.environment),
            dead_letters: DeadLetterQueue::new(aws, config.sync_dead_letter_queue_url),
            address_key: Secret::text(aws, config.address_key_secret, "key of the address hashes"),
            rules,
        })
    }
}
