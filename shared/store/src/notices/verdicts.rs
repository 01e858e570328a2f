//! Records why a due notice is not sent, one method for each verdict of the guards.
//!
//! Each method returns `false` when the notice is no longer due; then nothing was written. If the
//! process stops before the write, the next run decides again.

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{Notice, NoticeReason, NoticeStatus};
use jiff::Timestamp;

use super::{item::status, table::Notices};
use crate::{
    dynamodb::{
        attribute::{text, timestamp},
        update::UpdateOutcome,
    },
    error::StoreError,
};

impl Notices {
    /// Records the verdict `Skip`: the notice is never sent.
    ///
    /// A second call returns `false`.
    pub async fn skip(
        &self,
        notice: &Notice,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_if_due(
            notice,
            "SET #status = :skipped, #reason = :reason, #updated_at = :at REMOVE #due_bucket",
            vec![
                (":skipped", status(NoticeStatus::Skipped)),
                (":reason", text(&reason)),
                (":at", timestamp(at)),
            ],
        )
        .await
    }

    /// Records the verdict `Defer`: the notice is due again at `due_at`.
    ///
    /// A second call writes the same values again.
    pub async fn defer(
        &self,
        notice: &Notice,
        reason: NoticeReason,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_if_due(
            notice,
            "SET #reason = :reason, #due_at = :due_at, #updated_at = :at",
            vec![
                (":reason", text(&reason)),
                (":due_at", timestamp(due_at)),
                (":at", timestamp(at)),
            ],
        )
        .await
    }

    /// Records the verdict `Hold`: the notice stays due, with the reason.
    ///
    /// A second call writes the same values again.
    pub async fn hold(
        &self,
        notice: &Notice,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_if_due(
            notice,
            "SET #reason = :reason, #updated_at = :at",
            vec![(":reason", text(&reason)), (":at", timestamp(at))],
        )
        .await
    }

    async fn write_if_due(
        &self,
        notice: &Notice,
        update: &str,
        values: Vec<(&'static str, AttributeValue)>,
    ) -> Result<bool, StoreError> {
        let outcome = self
            .update_if_due(notice, update, values)
            .write(&self.client)
            .await?;

        Ok(outcome == UpdateOutcome::Applied)
    }
}
