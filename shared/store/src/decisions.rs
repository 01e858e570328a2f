//! Writes the result of a sync: the organization's record, its transition and its notices. Several
//! items are written in one transaction, the record alone in one put.

use aws_sdk_dynamodb::{
    Client,
    types::{CancellationReason, TransactWriteItem},
};
use engagement::{AddressHashKey, Decision};

use crate::{
    dynamodb::{
        put::put_item,
        transaction::{TransactionOutcome, is_condition_failure, transact},
    },
    error::StoreError,
    notices,
    organizations::{self, OrganizationRow},
    table_names::TableNames,
    transitions,
};

/// Writes the decisions of syncs.
#[derive(Debug, Clone)]
pub struct DecisionWriter {
    client: Client,
    names: TableNames,
}

/// The outcome of writing a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The decision was written.
    Written {
        /// Number of new notices.
        notices: usize,
        /// Number of notices that existed before. They are unchanged.
        notices_existing: usize,
    },
    /// Nothing was written, and nothing needs to be: a concurrent or newer sync wrote its decision,
    /// or the organization was made due meanwhile.
    Superseded,
}

impl DecisionWriter {
    /// Opens the tables of those names. Sends no request.
    pub(crate) fn new(client: Client, names: TableNames) -> Self {
        Self { client, names }
    }

    /// Writes a decision: the record, the transition and the notices. A record alone is put without
    /// a transaction, which would cost twice the write units.
    ///
    /// `previous` is the item that the decision is based on; `None` when there was none. The record
    /// is written only over that item, only if it was synced at an earlier time, and only if the
    /// organization was not made due, renamed, archived or restored meanwhile: the cause may be
    /// newer than the data that the sync read. A notice is written only if it does not exist. All times are truncated to
    /// seconds. The failure of an earlier sync is removed, because the whole item is replaced.
    ///
    /// The write is atomic: if the process stops before it, the organization stays due. A second
    /// call with the same decision changes nothing. After a retryable `Err`, sync the organization
    /// again later.
    pub async fn write(
        &self,
        decision: &Decision,
        previous: Option<&OrganizationRow>,
        key: &AddressHashKey,
    ) -> Result<WriteOutcome, StoreError> {
        let TableNames {
            organizations_table,
            transitions_table,
            notices_table,
            ..
        } = &self.names;
        let record =
            organizations::put_over(organizations_table, &decision.organization, previous)?;
        if decision.transition.is_none() && decision.notices.is_empty() {
            return Ok(if put_item(&self.client, record).await? {
                WriteOutcome::Written {
                    notices: 0,
                    notices_existing: 0,
                }
            } else {
                WriteOutcome::Superseded
            });
        }

        let mut items = vec![TransactWriteItem::builder().put(record).build()];
        if let Some(transition) = &decision.transition {
            items.push(transitions::put(transitions_table, transition)?);
        }
        let notices_start = items.len();
        for planned in &decision.notices {
            items.push(notices::put_if_absent(notices_table, planned, key)?);
        }

        loop {
            let reasons = match transact(&self.client, organizations_table, items.clone()).await? {
                TransactionOutcome::Committed => {
                    let notices = items.len() - notices_start;
                    return Ok(WriteOutcome::Written {
                        notices,
                        notices_existing: decision.notices.len() - notices,
                    });
                }
                TransactionOutcome::ConditionsFailed(reasons) => reasons,
            };
            if reasons.iter().take(notices_start).any(is_condition_failure) {
                return Ok(WriteOutcome::Superseded);
            }
            items = without_failed_conditions(items, &reasons);
        }
    }
}

/// The items whose conditions held.
fn without_failed_conditions(
    items: Vec<TransactWriteItem>,
    reasons: &[CancellationReason],
) -> Vec<TransactWriteItem> {
    items
        .into_iter()
        .zip(reasons)
        .filter(|(_, reason)| !is_condition_failure(reason))
        .map(|(item, _)| item)
        .collect()
}
