//! The outcome of a check: record, transition and notices, written together.

use aws_sdk_dynamodb::{
    Client,
    error::BuildError,
    types::{CancellationReason, Put, TransactWriteItem, builders::PutBuilder},
};
use engagement::{AddressHashKey, Decision, Notice, Organization, PlannedNotice, Transition};

use crate::{
    attribute::{Item, expires_at, moment, names, number, text, to_item, whole},
    error::StoreError,
    organizations,
    transaction::{TransactionOutcome, is_condition_failure, transact},
};

/// Days after which transitions and notices are deleted by DynamoDB's time to live.
const RETENTION_DAYS: i64 = 400;

/// The three tables that a check writes.
#[derive(Debug, Clone)]
pub struct DecisionTables {
    /// Name of the `organizations` table.
    pub organizations: String,
    /// Name of the `transitions` table.
    pub transitions: String,
    /// Name of the `notices` table.
    pub notices: String,
}

/// Writes what checks decided.
#[derive(Debug, Clone)]
pub struct Checks {
    client: Client,
    tables: DecisionTables,
}

/// What came of writing a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It was written.
    Written {
        /// Notices that are new.
        notices: usize,
        /// Notices that were there already, and were left as they are.
        notices_existing: usize,
    },
    /// Another check wrote meanwhile, or one of a newer observation did, or the organization was
    /// made due: nothing was written, and nothing needs to be.
    Superseded,
}

impl Checks {
    /// The tables of those names.
    pub fn new(client: Client, tables: DecisionTables) -> Self {
        Self { client, tables }
    }

    /// Writes a decision in one transaction: the record, the stage that was entered, and the
    /// notices.
    ///
    /// `previous` is the record that the decision rests on, `None` when there was none. The record
    /// is written only over that version, only if it was checked earlier, and only if nobody has
    /// made it due meanwhile: what that was for may be newer than what was observed. The notices
    /// are written only where there is none yet. Moments are cut to whole seconds, in the record
    /// and in its notices alike. The failure that was noted for an earlier check is gone, because
    /// the whole record is put.
    ///
    /// All or nothing: a process that dies here leaves the organization as due as it was. Repeating
    /// an applied decision is [`WriteOutcome::Superseded`]. An `Err` that is retryable means: look at
    /// the organization again later.
    pub async fn apply(
        &self,
        decision: &Decision,
        previous: Option<&Organization>,
        key: &AddressHashKey,
    ) -> Result<WriteOutcome, StoreError> {
        let mut items = vec![self.organization(decision, previous)?];
        if let Some(transition) = &decision.transition {
            items.push(self.transition(transition)?);
        }
        let first_notice = items.len();
        for planned in &decision.notices {
            items.push(self.notice(planned, key)?);
        }
        loop {
            let reasons =
                match transact(&self.client, &self.tables.organizations, items.clone()).await? {
                    TransactionOutcome::Written => {
                        let notices = items.len() - first_notice;
                        return Ok(WriteOutcome::Written {
                            notices,
                            notices_existing: decision.notices.len() - notices,
                        });
                    }
                    TransactionOutcome::Refused(reasons) => reasons,
                };
            if reasons.iter().take(first_notice).any(is_condition_failure) {
                return Ok(WriteOutcome::Superseded);
            }
            items = without_failed_conditions(items, &reasons);
        }
    }

    fn organization(
        &self,
        decision: &Decision,
        previous: Option<&Organization>,
    ) -> Result<TransactWriteItem, StoreError> {
        let table = &self.tables.organizations;
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(organizations::item(table, &decision.organization)?));
        let put = match previous {
            None => conditional(put, "attribute_not_exists(#version)"),
            Some(previous) => conditional(
                put,
                "#version = :previous AND #next_check_at = :due AND #checked_at < :checked_at",
            )
            .expression_attribute_values(":previous", number(previous.version))
            .expression_attribute_values(":due", moment(previous.next_check_at))
            .expression_attribute_values(":checked_at", moment(decision.organization.checked_at)),
        };
        member(table, put.build())
    }

    fn transition(&self, transition: &Transition) -> Result<TransactWriteItem, StoreError> {
        let table = &self.tables.transitions;
        let at = whole(transition.at);
        let mut item = to_item(
            table,
            &Transition {
                at,
                ..transition.clone()
            },
        )?;
        item.insert("day".to_owned(), text(&at.strftime("%Y-%m-%d")));
        item.insert("expires_at".to_owned(), expires_at(at, RETENTION_DAYS));
        member(
            table,
            Put::builder()
                .table_name(table)
                .set_item(Some(item))
                .build(),
        )
    }

    fn notice(
        &self,
        planned: &PlannedNotice,
        key: &AddressHashKey,
    ) -> Result<TransactWriteItem, StoreError> {
        let table = &self.tables.notices;
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(notice_item(table, planned, key)?));
        member(
            table,
            conditional(put, "attribute_not_exists(#notice)").build(),
        )
    }
}

fn notice_item(
    table: &str,
    planned: &PlannedNotice,
    key: &AddressHashKey,
) -> Result<Item, StoreError> {
    let planned = PlannedNotice {
        stage_since: whole(planned.stage_since),
        since: whole(planned.since),
        planned_at: whole(planned.planned_at),
        due_at: whole(planned.due_at),
        ..planned.clone()
    };
    let expires_at = expires_at(planned.planned_at, RETENTION_DAYS);
    let mut item = to_item(table, &Notice::due(planned, key))?;
    item.insert("expires_at".to_owned(), expires_at);
    Ok(item)
}

fn conditional(put: PutBuilder, condition: &str) -> PutBuilder {
    put.condition_expression(condition)
        .set_expression_attribute_names(Some(names(&[condition])))
}

fn member(table: &str, put: Result<Put, BuildError>) -> Result<TransactWriteItem, StoreError> {
    let put = put.map_err(|_| StoreError::from_code(table, "request not built", None))?;
    Ok(TransactWriteItem::builder().put(put).build())
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
