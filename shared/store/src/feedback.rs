//! What became of a mail, on its notice and on the contact it went to.
//!
//! Feedback repeats and comes in any order. Each change here is one write under a condition that
//! refuses what is known already or outranked, so any of them may be made twice, side by side, and
//! after an answer was lost; the outcome is the same.

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{AddressHash, EventStamp, Feedback, NoticeId};
use jiff::Timestamp;

use crate::{
    SCHEMA_VERSION,
    attribute::{Item, moment, number, text},
    change::{Change, Changed},
    contacts::{self, Contacts},
    error::StoreError,
    notices::Notices,
};

/// What feedback changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedbackOutcome {
    /// The notice has a new status or reason.
    Changed,
    /// As much, or more, was known.
    AlreadyKnown,
    /// There is no such notice, and none was made.
    NoSuchNotice,
}

impl Notices {
    /// Takes a notice to where feedback says it is, unless it is there or further, and out of the
    /// queue: a mail that SES had needs no sending, whoever holds the notice.
    ///
    /// The attribute `feedback_rank` remembers how far feedback has taken it; notifiers write none.
    /// An `Err` that is not retryable says that the id is none that a notice can have, or that the
    /// table is not ours to write.
    pub async fn feedback(
        &self,
        id: &NoticeId,
        feedback: &Feedback,
        at: Timestamp,
    ) -> Result<FeedbackOutcome, StoreError> {
        let mut update =
            "SET #status = :status, #feedback_rank = :rank, #updated_at = :at".to_owned();
        let mut values = vec![
            (":status", text(&feedback.status)),
            (":rank", number(feedback.rank())),
            (":at", moment(at)),
        ];
        if let Some(message_id) = &feedback.message_id {
            update.push_str(", #message_id = if_not_exists(#message_id, :message_id)");
            values.push((":message_id", text(message_id)));
        }
        match &feedback.reason {
            Some(reason) => {
                update.push_str(", #reason = :reason REMOVE #due_bucket");
                values.push((":reason", text(reason)));
            }
            None => update.push_str(" REMOVE #due_bucket, #reason"),
        }
        let change = Change {
            table: &self.table,
            key: notice_key(id),
            update: &update,
            condition: Some(
                "attribute_exists(#status) AND (attribute_not_exists(#feedback_rank) OR #feedback_rank < :rank)",
            ),
            values,
        };
        Ok(match change.write(&self.client).await? {
            Changed::Yes => FeedbackOutcome::Changed,
            Changed::No(present) if present.is_empty() => FeedbackOutcome::NoSuchNotice,
            Changed::No(_) => FeedbackOutcome::AlreadyKnown,
        })
    }
}

impl Contacts {
    /// A mail server refused the address for good at `at`. `false`: the same, or an earlier time,
    /// was on record.
    pub async fn hard_bounced(
        &self,
        address: &AddressHash,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.keep(
            address,
            "SET #hard_bounced_at = :at, #schema_version = :schema_version ADD #version :one",
            "attribute_not_exists(#hard_bounced_at) OR #hard_bounced_at > :at",
            vec![(":at", moment(at))],
        )
        .await
    }

    /// The recipient called a message spam at `at`. `false`: the same, or an earlier time, was on
    /// record.
    pub async fn complained(
        &self,
        address: &AddressHash,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.keep(
            address,
            "SET #complained_at = :at, #schema_version = :schema_version ADD #version :one",
            "attribute_not_exists(#complained_at) OR #complained_at > :at",
            vec![(":at", moment(at))],
        )
        .await
    }

    /// A mail server refused the address at `at`, perhaps for a time only. `id`: SES's id of the
    /// bounce, not empty. `false`: this bounce was on record.
    pub async fn soft_bounced(
        &self,
        address: &AddressHash,
        at: Timestamp,
        id: &str,
    ) -> Result<bool, StoreError> {
        let mark = EventStamp::new(at, id).to_string();
        self.keep(
            address,
            "SET #schema_version = :schema_version ADD #soft_bounces :marks, #version :one",
            "attribute_not_exists(#soft_bounces) OR NOT contains(#soft_bounces, :mark)",
            vec![
                (":marks", AttributeValue::Ss(vec![mark.clone()])),
                (":mark", AttributeValue::S(mark)),
            ],
        )
        .await
    }

    /// Writes what is not on record yet, also of an address of which nothing is known.
    async fn keep(
        &self,
        address: &AddressHash,
        update: &str,
        condition: &str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Result<bool, StoreError> {
        values.push((":schema_version", number(SCHEMA_VERSION)));
        values.push((":one", number(1)));
        let change = Change {
            table: &self.table,
            key: contacts::key(address),
            update,
            condition: Some(condition),
            values,
        };
        Ok(change.write(&self.client).await? == Changed::Yes)
    }
}

fn notice_key(id: &NoticeId) -> Item {
    [
        ("organization_id".to_owned(), text(&id.organization_id)),
        ("notice".to_owned(), text(&id.notice)),
    ]
    .into()
}
