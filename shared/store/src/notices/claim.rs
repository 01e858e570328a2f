//! Claims a due notice, so that one notifier sends it once.

use aws_sdk_dynamodb::types::CancellationReason;
use engagement::{Contact, EventStamp, Notice, NoticeStatus};
use jiff::{SignedDuration, Timestamp};

use super::{
    item::{current_item, has_status, status},
    table::Notices,
};
use crate::{
    contacts::count_email,
    dynamodb::{
        attribute::{text, text_of, timestamp},
        transaction::{TransactionOutcome, is_condition_failure},
    },
    error::StoreError,
};

/// One attempt to send one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Id of the claim, unique among all claims.
    pub id: String,
    /// Time of the claim.
    pub claimed_at: Timestamp,
    /// Time at which the frequency caps of the address count the e-mail.
    pub counted_at: Timestamp,
}

impl Claim {
    /// The entry in the contact's list of recent e-mails.
    pub(super) fn stamp(&self) -> EventStamp {
        EventStamp::new(self.counted_at, &self.id)
    }
}

/// The outcome of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The caller holds the notice. Only the caller may send it, once.
    Claimed,
    /// Another claim holds the notice, or the notice is settled. Nothing was written.
    NotDue,
    /// The contact has changed since it was read. Nothing was written: read the contact again and
    /// make a new decision.
    ContactChanged,
}

impl Notices {
    /// Claims a due notice for sending and counts the e-mail to its address, in one transaction.
    /// Two notifiers can therefore not claim the same notice, and two notices to the same address
    /// cannot exceed its frequency caps together. Only the caller that gets
    /// [`ClaimOutcome::Claimed`] may send.
    ///
    /// `contact` is the contact that the decision to send was based on (`None`: the table has no
    /// item of the address); it must not have changed since. E-mails older than `count_retention`
    /// are removed from the contact's list of recent e-mails.
    ///
    /// Safe to repeat with the same claim: a claim whose response was lost is recognized by its id.
    /// After an `Err` do not send. Whether the claim was written is not known; if it was, it ends
    /// in [`Notices::abandon_claims`].
    pub async fn claim(
        &self,
        notice: &Notice,
        contact: Option<&Contact>,
        claim: &Claim,
        count_retention: SignedDuration,
    ) -> Result<ClaimOutcome, StoreError> {
        let claimed = self.update_if_due(
            notice,
            "SET #status = :claimed, #claim_id = :claim_id, #claimed_at = :at, #updated_at = :at \
             REMOVE #due_bucket, #reason",
            vec![
                (":claimed", status(NoticeStatus::Claimed)),
                (":claim_id", text(&claim.id)),
                (":at", timestamp(claim.claimed_at)),
            ],
        );
        let counted = count_email(
            &self.contacts,
            &notice.address_hash,
            contact,
            &claim.stamp(),
            count_retention,
        );

        Ok(match self.transact(claimed, counted).await? {
            TransactionOutcome::Committed => ClaimOutcome::Claimed,
            TransactionOutcome::ConditionsFailed(reasons) => failed_claim(reasons, claim),
        })
    }
}

/// The outcome of a claim whose conditions did not hold. It is `Claimed` when an earlier attempt of
/// the same claim was written.
fn failed_claim(reasons: Vec<CancellationReason>, claim: &Claim) -> ClaimOutcome {
    if !reasons.first().is_some_and(is_condition_failure) {
        return ClaimOutcome::ContactChanged;
    }

    let current = current_item(reasons);
    let is_own_claim = text_of(&current, "claim_id") == Some(&claim.id)
        && has_status(&current, NoticeStatus::Claimed);
    if is_own_claim {
        ClaimOutcome::Claimed
    } else {
        ClaimOutcome::NotDue
    }
}
