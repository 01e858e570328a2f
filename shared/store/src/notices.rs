//! The `notices` table: the queue of messages, and what became of each.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, TransactWriteItem},
};
use engagement::{Notice, NoticeStatus, Reason, due_bucket};
use jiff::Timestamp;

use crate::{
    attribute::{Item, moment, names, number, text, text_of},
    change::{Change, Changed},
    contacts,
    due::{self, Due},
    error::StoreError,
    transaction::{Transacted, transact},
};

/// A claim that its notifier may settle: its own, also after somebody took it for abandoned.
const HELD: &str = "#claim_id = :claim_id AND #status IN (:claimed, :unknown)";

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
        Self { client, table: notices_table, contacts: contacts_table }
    }

    /// Up to `limit` notices that are due at `as_of`, from each bucket the longest due, then the highest priority first.
    ///
    /// The index lags behind the table by moments, so a notice may be listed that has just been claimed: [`Notices::claim`]
    /// decides. Reads only: may be repeated at will.
    pub async fn due(&self, as_of: Timestamp, limit: usize) -> Result<Due, StoreError> {
        due::due(&self.client, &self.table, as_of, limit).await
    }

    /// Takes a due notice for sending. `false`: somebody else has it, or has settled it. Only who gets `true` may send.
    ///
    /// It never says `true` twice for one turn of being due. So when DynamoDB's answer is lost and the SDK asks again, nobody
    /// has the notice; like the claim of a process that dies, it ends in [`Notices::abandon_claims`]: rather a message too
    /// few, and known to be, than one twice. After an `Err` do not send.
    pub async fn claim(&self, notice: &Notice, claim_id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let values = vec![(":claimed", status(NoticeStatus::Claimed)), (":claim_id", text(claim_id)), (":at", moment(at))];
        let update = "SET #status = :claimed, #claim_id = :claim_id, #claimed_at = :at, #updated_at = :at REMOVE #due_bucket, #reason";
        self.while_due(notice, update, values).await
    }

    /// SES accepted the mail: the notice is sent and the contact has one mail more, in one transaction.
    ///
    /// Settles a claim that was taken for abandoned meanwhile, too. Repeating it counts no second mail. `ClaimLost` means that
    /// something else was recorded; after any other `Err`, or when the process dies before this, the notice becomes
    /// `unknown` by and by and is not sent again.
    pub async fn sent(&self, notice: &Notice, claim_id: &str, message_id: &str, at: Timestamp) -> Result<(), StoreError> {
        let change = self.settle(
            notice,
            claim_id,
            "SET #status = :sent, #message_id = :message_id, #updated_at = :at REMOVE #reason",
            vec![(":sent", status(NoticeStatus::Sent)), (":message_id", text(message_id)), (":at", moment(at))],
        );
        let counted = contacts::one_more_mail(&self.contacts, &notice.address_hash, at);
        let items = [change, counted].into_iter().map(|change| Ok(TransactWriteItem::builder().update(change.in_transaction()?).build()));
        match transact(&self.client, &self.table, items.collect::<Result<_, StoreError>>()?).await? {
            Transacted::Written => Ok(()),
            Transacted::Refused(mut reasons) => {
                let present = reasons.first_mut().and_then(|reason| reason.item.take()).unwrap_or_default();
                self.settled_before(&present, claim_id, NoticeStatus::Sent)
            }
        }
    }

    /// SES asked to slow down: the notice is due again, at `due_at`.
    ///
    /// Repeating it changes nothing while nobody has claimed the notice again. Lost, the notice becomes `unknown`.
    pub async fn release(
        &self,
        notice: &Notice,
        claim_id: &str,
        reason: Reason,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let change = self.settle(
            notice,
            claim_id,
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
        match change.write(&self.client).await? {
            Changed::Yes => Ok(()),
            Changed::No(present) if present.get("due_at") == Some(&moment(due_at)) && has_status(&present, NoticeStatus::Due) => Ok(()),
            Changed::No(_) => Err(self.claim_lost()),
        }
    }

    /// SES refused the mail for good: it was not sent and will not be.
    ///
    /// Settles a claim that was taken for abandoned meanwhile, too. Repeating it changes nothing. Lost, the notice becomes
    /// `unknown`.
    pub async fn fail(&self, notice: &Notice, claim_id: &str, reason: Reason, at: Timestamp) -> Result<(), StoreError> {
        self.end(notice, claim_id, NoticeStatus::Failed, reason, at).await
    }

    /// Nobody can tell whether SES accepted the mail. It is not sent again; feedback or an operator settles it.
    ///
    /// Repeating it changes nothing. Lost, the notice becomes `unknown` all the same, later.
    pub async fn unknown(&self, notice: &Notice, claim_id: &str, reason: Reason, at: Timestamp) -> Result<(), StoreError> {
        self.end(notice, claim_id, NoticeStatus::Unknown, reason, at).await
    }

    /// A guard said no for good. `false`: the notice is no longer due, and was left as it is.
    ///
    /// Repeating it is `false`. Lost, the next run decides again.
    pub async fn skip(&self, notice: &Notice, reason: Reason, at: Timestamp) -> Result<bool, StoreError> {
        let values = vec![(":skipped", status(NoticeStatus::Skipped)), (":reason", text(&reason)), (":at", moment(at))];
        let update = "SET #status = :skipped, #reason = :reason, #updated_at = :at REMOVE #due_bucket";
        self.while_due(notice, update, values).await
    }

    /// A guard said not now: the notice stays due and says why. `false`: it is no longer due, and was left as it is.
    ///
    /// Repeating it writes the same again. Lost, the next run decides again.
    pub async fn hold(&self, notice: &Notice, reason: Reason, at: Timestamp) -> Result<bool, StoreError> {
        self.while_due(notice, "SET #reason = :reason, #updated_at = :at", vec![(":reason", text(&reason)), (":at", moment(at))]).await
    }

    /// Turns the claims made before `claimed_before` into `unknown`: their notifiers did not come back, and may or may not
    /// have sent. Returns how many. `claimed_before` lies at least a notifier's time-out in the past.
    ///
    /// One by one and each under its condition, so it may be repeated, run twice at once, or stop half-way.
    pub async fn abandon_claims(&self, claimed_before: Timestamp, at: Timestamp) -> Result<usize, StoreError> {
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
            let key = key.map_err(|error| StoreError::of_call(&self.table, &error))?;
            abandoned += usize::from(self.abandon(key, claimed_before, at).await?);
        }
        Ok(abandoned)
    }

    async fn abandon(&self, key: Item, claimed_before: Timestamp, at: Timestamp) -> Result<bool, StoreError> {
        let change = Change {
            table: &self.table,
            key,
            update: "SET #status = :unknown, #reason = :reason, #updated_at = :at",
            condition: Some("#status = :claimed AND #updated_at < :before"),
            values: vec![
                (":claimed", status(NoticeStatus::Claimed)),
                (":unknown", status(NoticeStatus::Unknown)),
                (":reason", text(&Reason::ClaimAbandoned)),
                (":before", moment(claimed_before)),
                (":at", moment(at)),
            ],
        };
        Ok(change.write(&self.client).await? == Changed::Yes)
    }

    /// Changes a notice that is due and that nobody has claimed.
    async fn while_due(&self, notice: &Notice, update: &str, mut values: Vec<(&'static str, AttributeValue)>) -> Result<bool, StoreError> {
        values.push((":due", status(NoticeStatus::Due)));
        let change = Change { table: &self.table, key: key(notice), update, condition: Some("#status = :due"), values };
        Ok(change.write(&self.client).await? == Changed::Yes)
    }

    /// Ends a claim without a mail.
    async fn end(&self, notice: &Notice, claim_id: &str, end: NoticeStatus, reason: Reason, at: Timestamp) -> Result<(), StoreError> {
        let values = vec![(":end", status(end)), (":reason", text(&reason)), (":at", moment(at))];
        let change = self.settle(notice, claim_id, "SET #status = :end, #reason = :reason, #updated_at = :at", values);
        match change.write(&self.client).await? {
            Changed::Yes => Ok(()),
            Changed::No(present) => self.settled_before(&present, claim_id, end),
        }
    }

    /// Changes a notice that is held by a claim.
    fn settle<'a>(
        &'a self,
        notice: &Notice,
        claim_id: &str,
        update: &'a str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Change<'a> {
        values.push((":claim_id", text(claim_id)));
        values.push((":claimed", status(NoticeStatus::Claimed)));
        values.push((":unknown", status(NoticeStatus::Unknown)));
        Change { table: &self.table, key: key(notice), update, condition: Some(HELD), values }
    }

    /// A change that was refused is no loss when the same claim has made it before.
    fn settled_before(&self, present: &Item, claim_id: &str, end: NoticeStatus) -> Result<(), StoreError> {
        let is_settled = has_status(present, end) && text_of(present, "claim_id") == Some(claim_id);
        if is_settled { Ok(()) } else { Err(self.claim_lost()) }
    }

    fn claim_lost(&self) -> StoreError {
        StoreError::ClaimLost { table: self.table.clone() }
    }
}

fn key(notice: &Notice) -> Item {
    [("organization_id".to_owned(), text(&notice.organization_id)), ("notice".to_owned(), text(&notice.notice))].into()
}

fn status(status: NoticeStatus) -> AttributeValue {
    text(&status)
}

fn has_status(item: &Item, status: NoticeStatus) -> bool {
    text_of(item, "status") == Some(status.into())
}
