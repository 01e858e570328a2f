//! Settles a claim: records what became of the e-mail.
//!
//! Each method is valid only for the claim that holds the notice, also after the claim was
//! abandoned. [`StoreErrorKind::ClaimLost`] means that something else was recorded for the notice
//! meanwhile.

use engagement::{Notice, NoticeReason, NoticeStatus, due_bucket};
use jiff::Timestamp;

use super::{
    claim::Claim,
    item::{current_item, has_status, status},
    table::Notices,
};
use crate::{
    contacts::uncount_email,
    dynamodb::{
        attribute::{Item, number, text, text_of, timestamp},
        transaction::TransactionOutcome,
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
};

impl Notices {
    /// Marks a notice as sent: SES accepted the e-mail.
    ///
    /// Safe to repeat, and changes nothing when SES's events have settled the notice. If the
    /// process stops before this write, or after an `Err` other than `ClaimLost`, the notice
    /// becomes `unknown` later, is not sent again, and is settled by SES's events.
    pub async fn mark_sent(
        &self,
        notice: &Notice,
        claim: &Claim,
        message_id: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sent = self.update_if_held(
            notice,
            &claim.id,
            "SET #status = :sent, #message_id = :message_id, #updated_at = :at REMOVE #reason",
            vec![
                (":sent", status(NoticeStatus::Sent)),
                (":message_id", text(message_id)),
                (":at", timestamp(at)),
            ],
        );

        self.write_settlement(sent, claim).await
    }

    /// Makes a notice due again at `due_at`: SES did not accept the e-mail, but may accept it
    /// later. The e-mail no longer counts for its address.
    ///
    /// A second call changes nothing while the notice is not claimed again. If the process stops
    /// before this write, the notice becomes `unknown` later.
    pub async fn release(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let released = self.update_if_held(
            notice,
            &claim.id,
            "SET #status = :due, #reason = :reason, #due_at = :due_at, \
             #due_bucket = :due_bucket, #updated_at = :at \
             REMOVE #claim_id, #claimed_at",
            vec![
                (":due", status(NoticeStatus::Due)),
                (":reason", text(&reason)),
                (":due_at", timestamp(due_at)),
                (":due_bucket", number(due_bucket(&notice.organization_id))),
                (":at", timestamp(at)),
            ],
        );
        let uncounted = uncount_email(&self.contacts, &notice.address_hash, &claim.stamp());

        match self.transact(released, uncounted).await? {
            TransactionOutcome::Committed => Ok(()),
            TransactionOutcome::ConditionsFailed(reasons) => {
                let current = current_item(reasons);
                let is_released = current.get("due_at") == Some(&timestamp(due_at))
                    && has_status(&current, NoticeStatus::Due);
                if is_released {
                    Ok(())
                } else {
                    self.confirm_settled(&current, claim)
                }
            }
        }
    }

    /// Marks a notice as failed: SES refused the e-mail permanently, or it could not be rendered.
    /// It was not sent, will not be sent, and does not count for its address.
    ///
    /// A second call changes nothing. If the process stops before this write, the notice becomes
    /// `unknown` later.
    pub async fn mark_failed(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let failed = self.update_final(notice, &claim.id, NoticeStatus::Failed, reason, at);
        let uncounted = uncount_email(&self.contacts, &notice.address_hash, &claim.stamp());

        match self.transact(failed, uncounted).await? {
            TransactionOutcome::Committed => Ok(()),
            TransactionOutcome::ConditionsFailed(reasons) => {
                self.confirm_settled(&current_item(reasons), claim)
            }
        }
    }

    /// Marks a notice as unknown: whether SES accepted the e-mail cannot be determined. It is not
    /// sent again; SES's events or an operator settle it.
    ///
    /// A second call changes nothing. If the process stops before this write, the notice becomes
    /// `unknown` later.
    pub async fn mark_unknown(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let unknown = self.update_final(notice, &claim.id, NoticeStatus::Unknown, reason, at);

        self.write_settlement(unknown, claim).await
    }

    /// Writes a settlement that does not change the contact.
    async fn write_settlement(
        &self,
        update: ConditionalUpdate<'_>,
        claim: &Claim,
    ) -> Result<(), StoreError> {
        match update.write(&self.client).await? {
            UpdateOutcome::Applied => Ok(()),
            UpdateOutcome::ConditionFailed(current) => self.confirm_settled(&current, claim),
        }
    }

    /// Succeeds when the same claim was settled before, by an earlier attempt or by SES's events,
    /// which take precedence. Otherwise the claim is lost.
    fn confirm_settled(&self, current: &Item, claim: &Claim) -> Result<(), StoreError> {
        let is_settled = !has_status(current, NoticeStatus::Due)
            && text_of(current, "claim_id") == Some(&claim.id);
        if is_settled {
            return Ok(());
        }

        Err(StoreError::claim_lost(&self.table))
    }
}
