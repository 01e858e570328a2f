//! SQS batches: each record is handled by itself, and one response reports which of them failed.

mod batch_outcome;

use std::{borrow::Cow, fmt, panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use errors::ErrorType;
use futures::{FutureExt, StreamExt, stream};
use tracing::{Instrument, error, field, info_span, warn};

use crate::{deadline::Deadline, failure::Failure};
use batch_outcome::RecordOutcome;

pub use batch_outcome::{BatchOutcome, RecordCounts};

/// Handles the records of a batch, at most `concurrency` at once, and reports which of them SQS
/// must deliver again.
///
/// - A record whose handler returns [`HandlerOutcome::Retry`] or [`HandlerOutcome::Park`], or
///   panics, is returned to the queue. The other records are not affected.
/// - No record is started with less than `min_remaining_time` left: the remaining records are
///   returned to the queue. A handler that is still running at the deadline is stopped and its
///   record returned, so a handler must be safe to stop at any `await`.
/// - Each handler runs in a span `record` with `message_id` and an empty `organization_id`, which
///   [`Record::log_organization_id`] sets.
///
/// An `Err` means that a failed record has no message id and cannot be reported. The invocation
/// must fail with it, so that SQS delivers the whole batch again. An empty id in the response would
/// have the same effect without a log.
pub async fn run_batch<F, Fut>(
    event: SqsEvent,
    deadline: Deadline,
    concurrency: usize,
    min_remaining_time: Duration,
    handler: F,
) -> Result<BatchOutcome, Failure>
where
    F: Fn(Record) -> Fut,
    Fut: Future<Output = HandlerOutcome>,
{
    let runs = event.records.into_iter().map(|message| {
        let record = Record::from_message(message);
        let message_id = record.message_id.clone();
        let span = info_span!("record", message_id, organization_id = field::Empty);
        run_record(record, deadline, min_remaining_time, &handler)
            .instrument(span)
            .map(move |outcome| (message_id, outcome))
    });
    let outcomes: Vec<_> = stream::iter(runs)
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;

    BatchOutcome::from_outcomes(outcomes)
}

/// What a handler decides about its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerOutcome {
    /// The record is processed and leaves the queue.
    Done,
    /// Another attempt may succeed. SQS delivers the record again after its visibility time-out.
    /// The handler logs why.
    Retry,
    /// The record can never be processed, for this reason, which is logged and so contains no
    /// personal data. SQS has no operation that moves a message to the dead-letter queue, so the
    /// record is returned until the queue's `maxReceiveCount` moves it.
    Park(Cow<'static, str>),
}

impl HandlerOutcome {
    /// [`HandlerOutcome::Park`] with the text of `reason`.
    pub fn park(reason: impl fmt::Display) -> Self {
        Self::Park(reason.to_string().into())
    }
}

/// One message of the queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The id of the message. Empty if the event has none.
    pub message_id: String,
    /// The body of the message. Empty if the event has none.
    pub body: String,
    /// How often SQS has delivered the message, including this time. At least 1.
    pub receive_count: u32,
}

impl Record {
    fn from_message(message: SqsMessage) -> Self {
        let receive_count = message
            .attributes
            .get("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok());

        Self {
            message_id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receive_count: receive_count.unwrap_or(1).max(1),
        }
    }

    /// Sets the organization id that every log line of this record contains. To be called from the
    /// record's handler, outside of spans that the handler opens.
    pub fn log_organization_id(&self, organization_id: impl fmt::Display) {
        tracing::Span::current().record("organization_id", field::display(organization_id));
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Record")
            .field("message_id", &self.message_id)
            .field(
                "body",
                &format_args!("[REDACTED; {} bytes]", self.body.len()),
            )
            .field("receive_count", &self.receive_count)
            .finish()
    }
}

async fn run_record<F, Fut>(
    record: Record,
    deadline: Deadline,
    min_remaining_time: Duration,
    handler: &F,
) -> RecordOutcome
where
    F: Fn(Record) -> Fut,
    Fut: Future<Output = HandlerOutcome>,
{
    if deadline.is_near(min_remaining_time) {
        return RecordOutcome::NotStarted;
    }

    let receive_count = record.receive_count;
    // The handler is called inside the future because it may panic before its first await. Unwind
    // safety: a panic leaves the same state behind as a process that Lambda stops.
    let attempt = AssertUnwindSafe(async { handler(record).await }).catch_unwind();
    match tokio::time::timeout_at(deadline.instant(), attempt).await {
        Ok(Ok(HandlerOutcome::Done)) => RecordOutcome::Done,
        Ok(Ok(HandlerOutcome::Retry)) => RecordOutcome::Retried,
        Ok(Ok(HandlerOutcome::Park(reason))) => {
            error!(
                reason = %reason,
                receive_count,
                "the message cannot be processed; SQS moves it to the dead-letter queue"
            );
            RecordOutcome::Parked
        }
        Ok(Err(_panic)) => {
            error!(
                error_type = ErrorType::Panicked.name(),
                receive_count, "the record's handler panicked"
            );
            RecordOutcome::Panicked
        }
        Err(_elapsed) => {
            warn!(
                receive_count,
                "the handler was still running at the deadline; the record is returned to the queue"
            );
            RecordOutcome::Stopped
        }
    }
}

#[cfg(test)]
mod tests;
