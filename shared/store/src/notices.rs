//! The `notices` table: the queue of messages, and what became of each.

use std::ops::RangeInclusive;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, CancellationReason, Select, TransactWriteItem},
};
use engagement::{Contact, EventStamp, Notice, NoticeReason, NoticeStatus, due_bucket};
use jiff::{SignedDuration, Timestamp};

use crate::{
    attribute::{Item, moment, names, number, text, text_of},
    change::{Change, Changed},
    contacts,
    due::{self, Due},
    error::StoreError,
    transaction::{TransactionOutcome, is_condition_failure, transact},
};

/// A claim that its notifier may settle: its own, also after somebody took it for abandoned.
const HELD_BY_CLAIM: &str = "#claim_id = :claim_id AND #status IN (:claimed, :unknown)";

/// One attempt to send one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name; no two claims ever have the same.
    pub id: String,
    /// When it is made.
    pub at: Timestamp,
    /// The moment that the mail counts at for the address's caps.
    pub counted_at: Timestamp,
}

impl Claim {
    /// What the contact keeps of it.
    fn mark(&self) -> EventStamp {
        EventStamp::new(self.counted_at, &self.id)
    }
}

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The caller has the notice. It, and nobody else, may send it, once.
    Yes,
    /// Somebody else has the notice, or has settled it.
    NotDue,
    /// Something happened to the contact since it was read: read it again and decide anew. Nothing
    /// was written.
    ContactChanged,
}

/// The `notices` table, and the contacts whose mails it counts.
#[derive(Debug, Clone)]
pub struct Notices {
    pub(crate) client: Client,
    pub(crate) table: String,
    contacts: String,
}

impl Notices {
    /// The tables of those names.
    pub fn new(client: Client, notices_table: String, contacts_table: String) -> Self {
        Self {
            client,
            table: notices_table,
            contacts: contacts_table,
        }
    }

    /// Up to `limit` notices that are due at `as_of`, the highest priority of all of them first,
    /// then the longest due; those that `is_wanted` refuses are left out.
    ///
    /// The index lags behind the table by moments, so a notice may be listed that has just been
    /// claimed: [`Notices::claim`] decides. Reads only: may be repeated at will.
    pub async fn due(
        &self,
        as_of: Timestamp,
        limit: usize,
        is_wanted: impl Fn(&Notice) -> bool,
    ) -> Result<Due, StoreError> {
        due::due(&self.client, &self.table, as_of, limit, &is_wanted).await
    }

    /// Takes a due notice for sending, and counts the mail for its address, in one transaction: so
    /// neither can two notifiers have one notice, nor can two notices together pass what the
    /// address may get. Only who gets [`Claimed::Yes`] may send.
    ///
    /// `contact` is what the decision to send was made by (`None`: nothing is known of the
    /// address); it must not have changed since. Mails from before `count_retention` ago are no longer
    /// kept. When DynamoDB's answer is lost and the SDK asks again, the claim is recognized by its
    /// id. After an `Err` do not send: whether the claim was made is not known, and if it was, it
    /// ends in [`Notices::abandon_claims`].
    pub async fn claim(
        &self,
        notice: &Notice,
        contact: Option<&Contact>,
        claim: &Claim,
        count_retention: SignedDuration,
    ) -> Result<Claimed, StoreError> {
        let taken = self.update_if_due(
            notice,
            "SET #status = :claimed, #claim_id = :claim_id, #claimed_at = :at, #updated_at = :at REMOVE #due_bucket, #reason",
            vec![(":claimed", status(NoticeStatus::Claimed)), (":claim_id", text(&claim.id)), (":at", moment(claim.at))],
        );
        let counted = contacts::count_email(
            &self.contacts,
            &notice.address_hash,
            contact,
            &claim.mark(),
            count_retention,
        );
        match self.transact([taken, counted]).await? {
            TransactionOutcome::Written => Ok(Claimed::Yes),
            TransactionOutcome::Refused(mut reasons) => Ok(
                match reasons
                    .first_mut()
                    .filter(|reason| is_condition_failure(reason))
                {
                    Some(reason) => {
                        let present = reason.item.take().unwrap_or_default();
                        let is_ours = text_of(&present, "claim_id") == Some(&claim.id)
                            && has_status(&present, NoticeStatus::Claimed);
                        if is_ours {
                            Claimed::Yes
                        } else {
                            Claimed::NotDue
                        }
                    }
                    None => Claimed::ContactChanged,
                },
            ),
        }
    }

    /// SES accepted the mail.
    ///
    /// Settles a claim that was taken for abandoned meanwhile, too, and does nothing when SES's own
    /// events have settled it. May be repeated. `ClaimLost` means that something else was recorded;
    /// after any other `Err`, or when the process dies before this, the notice becomes `unknown` by
    /// and by, is not sent again, and is settled by SES's events.
    pub async fn sent(
        &self,
        notice: &Notice,
        claim: &Claim,
        message_id: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let update =
            "SET #status = :sent, #message_id = :message_id, #updated_at = :at REMOVE #reason";
        let values = vec![
            (":sent", status(NoticeStatus::Sent)),
            (":message_id", text(message_id)),
            (":at", moment(at)),
        ];
        self.write_settlement(self.settle(notice, claim, update, values), claim)
            .await
    }

    /// SES did not take the mail, and may take it later: the notice is due again, at `due_at`, and
    /// the mail no longer counts for its address.
    ///
    /// Repeating it changes nothing while nobody has claimed the notice again. Lost, the notice
    /// becomes `unknown`.
    pub async fn release(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let released = self.settle(
            notice,
            claim,
            "SET #status = :due, #reason = :reason, #due_at = :due_at, #due_bucket = :due_bucket, #updated_at = :at \
             REMOVE #claim_id, #claimed_at",
            vec![
                (":due", status(NoticeStatus::Due)),
                (":reason", text(&reason)),
                (":due_at", moment(due_at)),
                (":due_bucket", number(due_bucket(&notice.organization_id))),
                (":at", moment(at)),
            ],
        );
        let uncounted =
            contacts::uncount_email(&self.contacts, &notice.address_hash, &claim.mark());
        match self.transact([released, uncounted]).await? {
            TransactionOutcome::Written => Ok(()),
            TransactionOutcome::Refused(reasons) => {
                let present = present(reasons);
                let is_released = present.get("due_at") == Some(&moment(due_at))
                    && has_status(&present, NoticeStatus::Due);
                if is_released {
                    Ok(())
                } else {
                    self.confirm_settled(&present, claim)
                }
            }
        }
    }

    /// SES refused the mail for good, or it could not be built: it was not sent and will not be,
    /// and does not count for its address.
    ///
    /// Settles a claim that was taken for abandoned meanwhile, too. Repeating it changes nothing.
    /// Lost, the notice becomes `unknown`.
    pub async fn fail(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let failed = self.end(notice, claim, NoticeStatus::Failed, reason, at);
        let uncounted =
            contacts::uncount_email(&self.contacts, &notice.address_hash, &claim.mark());
        match self.transact([failed, uncounted]).await? {
            TransactionOutcome::Written => Ok(()),
            TransactionOutcome::Refused(reasons) => self.confirm_settled(&present(reasons), claim),
        }
    }

    /// Nobody can tell whether SES accepted the mail. It is not sent again; feedback or an operator
    /// settles it.
    ///
    /// Repeating it changes nothing. Lost, the notice becomes `unknown` all the same, later.
    pub async fn unknown(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_settlement(
            self.end(notice, claim, NoticeStatus::Unknown, reason, at),
            claim,
        )
        .await
    }

    /// A guard said no for good. `false`: the notice is no longer due, and was left as it is.
    ///
    /// Repeating it is `false`. Lost, the next run decides again.
    pub async fn skip(
        &self,
        notice: &Notice,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = vec![
            (":skipped", status(NoticeStatus::Skipped)),
            (":reason", text(&reason)),
            (":at", moment(at)),
        ];
        let update =
            "SET #status = :skipped, #reason = :reason, #updated_at = :at REMOVE #due_bucket";
        self.write(self.update_if_due(notice, update, values)).await
    }

    /// A guard said later: the notice is due again at `due_at`. `false`: it is no longer due, and
    /// was left as it is.
    ///
    /// Repeating it writes the same again. Lost, the next run decides again.
    pub async fn defer(
        &self,
        notice: &Notice,
        reason: NoticeReason,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = vec![
            (":reason", text(&reason)),
            (":due_at", moment(due_at)),
            (":at", moment(at)),
        ];
        self.write(self.update_if_due(
            notice,
            "SET #reason = :reason, #due_at = :due_at, #updated_at = :at",
            values,
        ))
        .await
    }

    /// A guard said not now: the notice stays due and says why. `false`: it is no longer due, and
    /// was left as it is.
    ///
    /// Repeating it writes the same again. Lost, the next run decides again.
    pub async fn hold(
        &self,
        notice: &Notice,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = vec![(":reason", text(&reason)), (":at", moment(at))];
        self.write(self.update_if_due(notice, "SET #reason = :reason, #updated_at = :at", values))
            .await
    }

    /// Turns the claims made before `claimed_before` into `unknown`: their notifiers did not come
    /// back, and may or may not have sent. Returns how many. `claimed_before` lies at least a
    /// notifier's time-out in the past.
    ///
    /// One by one and each under its condition, so it may be repeated, run twice at once, or stop
    /// half-way.
    pub async fn abandon_claims(
        &self,
        claimed_before: Timestamp,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        const CONDITION: &str = "#status = :claimed AND #updated_at < :before";
        const KEY: &str = "#organization_id, #notice";
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-status")
            .key_condition_expression(CONDITION)
            .projection_expression(KEY)
            .set_expression_attribute_names(Some(names(&[CONDITION, KEY])))
            .expression_attribute_values(":claimed", status(NoticeStatus::Claimed))
            .expression_attribute_values(":before", moment(claimed_before))
            .into_paginator()
            .items()
            .send();
        let mut abandoned = 0;
        while let Some(key) = pages.next().await {
            let key = key.map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;
            abandoned += usize::from(self.abandon(key, claimed_before, at).await?);
        }
        Ok(abandoned)
    }

    async fn abandon(
        &self,
        key: Item,
        claimed_before: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = Change {
            table: &self.table,
            key,
            update: "SET #status = :unknown, #reason = :reason, #updated_at = :at",
            condition: Some("#status = :claimed AND #updated_at < :before"),
            values: vec![
                (":claimed", status(NoticeStatus::Claimed)),
                (":unknown", status(NoticeStatus::Unknown)),
                (":reason", text(&NoticeReason::ClaimAbandoned)),
                (":before", moment(claimed_before)),
                (":at", moment(at)),
            ],
        };
        Ok(change.write(&self.client).await? == Changed::Yes)
    }

    /// Notices that became `unknown` in that time, and that nobody and nothing has settled.
    ///
    /// Reads only: may be repeated at will.
    pub async fn count_unknown(
        &self,
        became: RangeInclusive<Timestamp>,
    ) -> Result<u64, StoreError> {
        const CONDITION: &str = "#status = :unknown AND #updated_at BETWEEN :from AND :until";
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-status")
            .key_condition_expression(CONDITION)
            .select(Select::Count)
            .set_expression_attribute_names(Some(names(&[CONDITION])))
            .expression_attribute_values(":unknown", status(NoticeStatus::Unknown))
            .expression_attribute_values(":from", moment(*became.start()))
            .expression_attribute_values(":until", moment(*became.end()))
            .into_paginator()
            .send();
        let mut unknown = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;
            unknown += u64::try_from(page.count()).unwrap_or_default();
        }
        Ok(unknown)
    }

    /// A change of a notice that is due and that nobody has claimed.
    fn update_if_due<'a>(
        &'a self,
        notice: &Notice,
        update: &'a str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Change<'a> {
        values.push((":due", status(NoticeStatus::Due)));
        Change {
            table: &self.table,
            key: key(notice),
            update,
            condition: Some("#status = :due"),
            values,
        }
    }

    /// The end of a claim without a mail, or without knowing of one.
    fn end(
        &self,
        notice: &Notice,
        claim: &Claim,
        end: NoticeStatus,
        reason: NoticeReason,
        at: Timestamp,
    ) -> Change<'_> {
        let values = vec![
            (":end", status(end)),
            (":reason", text(&reason)),
            (":at", moment(at)),
        ];
        self.settle(
            notice,
            claim,
            "SET #status = :end, #reason = :reason, #updated_at = :at",
            values,
        )
    }

    /// A change of a notice that is held by a claim.
    fn settle<'a>(
        &'a self,
        notice: &Notice,
        claim: &Claim,
        update: &'a str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Change<'a> {
        values.push((":claim_id", text(&claim.id)));
        values.push((":claimed", status(NoticeStatus::Claimed)));
        values.push((":unknown", status(NoticeStatus::Unknown)));
        Change {
            table: &self.table,
            key: key(notice),
            update,
            condition: Some(HELD_BY_CLAIM),
            values,
        }
    }

    async fn write(&self, change: Change<'_>) -> Result<bool, StoreError> {
        Ok(change.write(&self.client).await? == Changed::Yes)
    }

    async fn write_settlement(&self, change: Change<'_>, claim: &Claim) -> Result<(), StoreError> {
        match change.write(&self.client).await? {
            Changed::Yes => Ok(()),
            Changed::No(present) => self.confirm_settled(&present, claim),
        }
    }

    async fn transact(&self, changes: [Change<'_>; 2]) -> Result<TransactionOutcome, StoreError> {
        let items = changes.into_iter().map(|change| {
            Ok(TransactWriteItem::builder()
                .update(change.into_update()?)
                .build())
        });
        transact(
            &self.client,
            &self.table,
            items.collect::<Result<_, StoreError>>()?,
        )
        .await
    }

    /// A change that was refused is no loss when the same claim was settled before: by the same
    /// call, or by SES's events, which know better.
    fn confirm_settled(&self, present: &Item, claim: &Claim) -> Result<(), StoreError> {
        let is_settled = !has_status(present, NoticeStatus::Due)
            && text_of(present, "claim_id") == Some(&claim.id);
        if is_settled {
            Ok(())
        } else {
            Err(self.claim_lost())
        }
    }

    fn claim_lost(&self) -> StoreError {
        StoreError::ClaimLost {
            table: self.table.clone(),
        }
    }
}

/// The notice as it stands when a transaction was refused.
fn present(mut reasons: Vec<CancellationReason>) -> Item {
    reasons
        .first_mut()
        .and_then(|reason| reason.item.take())
        .unwrap_or_default()
}

fn key(notice: &Notice) -> Item {
    [
        ("organization_id".to_owned(), text(&notice.organization_id)),
        ("notice".to_owned(), text(&notice.notice)),
    ]
    .into()
}

fn status(status: NoticeStatus) -> AttributeValue {
    text(&status)
}

fn has_status(item: &Item, status: NoticeStatus) -> bool {
    text_of(item, "status") == Some(status.into())
}
