//! Records SES's events on a notice.
//!
//! SES sends events more than once and in any order. The update is refused when the notice already
//! has the same or higher-ranked feedback, so that the result does not depend on order, repetition
//! or concurrency.

use engagement::{Feedback, NoticeId};
use jiff::Timestamp;

use super::{
    item::{key, status},
    table::Notices,
};
use crate::{
    dynamodb::{
        attribute::{number, text, timestamp},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
};

/// The outcome of recording feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedbackOutcome {
    /// The notice has a new status or reason.
    Updated,
    /// The same or higher-ranked feedback is already recorded. Nothing was written.
    AlreadyKnown,
    /// The notice does not exist. Nothing was written.
    NoSuchNotice,
}

impl Notices {
    /// Sets the status and reason of a notice to those of the feedback, unless higher-ranked
    /// feedback is recorded. Also removes the notice from the queue: SES accepted the e-mail, so it
    /// must not be sent again, whatever the status of the notice was.
    ///
    /// The rank is stored in the attribute `feedback_rank`, which notifiers do not write. An `Err`
    /// that is not retryable means that no notice can have this id, or that DynamoDB does not
    /// permit the write.
    pub async fn record_feedback(
        &self,
        id: &NoticeId,
        feedback: &Feedback,
        at: Timestamp,
    ) -> Result<FeedbackOutcome, StoreError> {
        let mut expression =
            "SET #status = :status, #feedback_rank = :rank, #updated_at = :at".to_owned();
        let mut values = vec![
            (":status", status(feedback.status)),
            (":rank", number(feedback.rank())),
            (":at", timestamp(at)),
        ];
        if let Some(message_id) = &feedback.message_id {
            expression.push_str(", #message_id = if_not_exists(#message_id, :message_id)");
            values.push((":message_id", text(message_id)));
        }
        match &feedback.reason {
            Some(reason) => {
                expression.push_str(", #reason = :reason REMOVE #due_bucket");
                values.push((":reason", text(reason)));
            }
            None => expression.push_str(" REMOVE #due_bucket, #reason"),
        }

        let update = ConditionalUpdate {
            table: &self.table,
            key: key(&id.organization_id, id.notice.as_str()),
            update: &expression,
            condition: Some(
                "attribute_exists(#status) \
                 AND (attribute_not_exists(#feedback_rank) OR #feedback_rank < :rank)",
            ),
            values,
        };

        Ok(match update.write(&self.client).await? {
            UpdateOutcome::Applied => FeedbackOutcome::Updated,
            UpdateOutcome::ConditionFailed(current) if current.is_empty() => {
                FeedbackOutcome::NoSuchNotice
            }
            UpdateOutcome::ConditionFailed(_) => FeedbackOutcome::AlreadyKnown,
        })
    }
}
