//! What a sync needs: clients, tables, secrets and rules.

use std::sync::Arc;

use bill::{BillClient, Credentials};
use engagement::Rules;
use runtime::{DeadLetterQueue, Secret};
use secrecy::SecretString;
use store::{DecisionWriter, HourlyLimits, Organizations, Runs};

/// Syncs organizations. Built once per process.
pub struct Sync {
    /// BILL's partner API.
    pub bill: BillClient,
    /// The credentials of `bill`. Each batch reads them first, so that a missing secret is reported
    /// before anything else happens.
    pub credentials: Secret<Credentials>,
    /// The records of the organizations.
    pub organizations: Organizations,
    /// Writes the result of a sync.
    pub decisions: DecisionWriter,
    /// The hour's budget of BILL requests.
    pub runs: Runs,
    /// The queue of messages that can never be processed.
    pub dead_letters: DeadLetterQueue,
    /// The key of the address hashes.
    pub address_key: Secret<SecretString>,
    /// Campaigns and cadences.
    pub rules: Arc<Rules>,
    /// BILL requests and sign-ins per hour.
    pub limits: HourlyLimits,
}
