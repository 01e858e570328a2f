//! Conditional updates of a notice, and the transaction of a notice with its contact.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use engagement::{Notice, NoticeReason, NoticeStatus};
use jiff::Timestamp;

use super::{
    item::{key, status},
    table::Notices,
};
use crate::{
    dynamodb::{
        attribute::{text, timestamp},
        transaction::{TransactionOutcome, transact},
        update::ConditionalUpdate,
    },
    error::StoreError,
};

/// The claim still holds the notice. A claim that was abandoned keeps the notice, as `unknown`, and
/// its notifier may still settle it.
const HELD_BY_CLAIM: &str = "#claim_id = :claim_id AND #status IN (:claimed, :unknown)";

impl Notices {
    /// An update of a notice that is due and not claimed.
    pub(super) fn update_if_due<'a>(
        &'a self,
        notice: &Notice,
        update: &'a str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> ConditionalUpdate<'a> {
        values.push((":due", status(NoticeStatus::Due)));

        ConditionalUpdate {
            table: &self.table,
            key: key(&notice.organization_id, notice.notice.as_str()),
            update,
            condition: Some("#status = :due"),
            values,
        }
    }

    /// An update of a notice that the claim holds.
    pub(super) fn update_if_held<'a>(
        &'a self,
        notice: &Notice,
        claim_id: &str,
        update: &'a str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> ConditionalUpdate<'a> {
        values.push((":claim_id", text(claim_id)));
        values.push((":claimed", status(NoticeStatus::Claimed)));
        values.push((":unknown", status(NoticeStatus::Unknown)));

        ConditionalUpdate {
            table: &self.table,
            key: key(&notice.organization_id, notice.notice.as_str()),
            update,
            condition: Some(HELD_BY_CLAIM),
            values,
        }
    }

    /// An update that ends a claim with a status and a reason: the e-mail was not sent, or whether
    /// it was sent is unknown.
    pub(super) fn update_final(
        &self,
        notice: &Notice,
        claim_id: &str,
        final_status: NoticeStatus,
        reason: NoticeReason,
        at: Timestamp,
    ) -> ConditionalUpdate<'_> {
        let values = vec![
            (":final_status", status(final_status)),
            (":reason", text(&reason)),
            (":at", timestamp(at)),
        ];

        self.update_if_held(
            notice,
            claim_id,
            "SET #status = :final_status, #reason = :reason, #updated_at = :at",
            values,
        )
    }

    /// Writes an update of a notice and one of its contact in one transaction.
    pub(super) async fn transact(
        &self,
        notice_update: ConditionalUpdate<'_>,
        contact_update: ConditionalUpdate<'_>,
    ) -> Result<TransactionOutcome, StoreError> {
        let items = [notice_update, contact_update].into_iter().map(|update| {
            Ok(TransactWriteItem::builder()
                .update(update.into_update()?)
                .build())
        });
        let items = items.collect::<Result<_, StoreError>>()?;

        transact(&self.client, &self.table, items).await
    }
}
