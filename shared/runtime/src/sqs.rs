//! Batches from SQS: each record by itself, one answer for all of them.

use std::{borrow::Cow, collections::BTreeSet, fmt, panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt, stream};
use tracing::{Instrument, error, field, info_span, warn};

use crate::{
    deadline::Deadline,
    errors::{ErrorType, Failure},
    metrics::Metrics,
};

/// Works on the records of a batch, at most `concurrency` at once, and says which of them SQS must
/// deliver again.
///
/// - A record whose handler answers [`Outcome::Retry`] or [`Outcome::Park`], or panics, is returned
///   to the queue; its neighbours are not affected.
/// - No record is started with less than `min_remaining_time` left; the rest is returned to the
///   queue. A handler that is still busy at the deadline is stopped and its record returned, so a
///   handler must be safe to stop at any `await`.
/// - Each handler runs in a span `record` with `message_id` and an empty `organization_id`, which
///   [`Record::log_organization_id`] fills in.
///
/// `Err` means that a failed record cannot be named since it has no message id. The invocation must
/// fail with it so that SQS delivers the whole batch again: an empty id in the answer would do the
/// same, but without saying why.
pub async fn run_batch<F, Fut>(
    event: SqsEvent,
    deadline: Deadline,
    concurrency: usize,
    min_remaining_time: Duration,
    handler: F,
) -> Result<Batch, Failure>
where
    F: Fn(Record) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let runs = event.records.into_iter().map(|message| {
        let record = Record::of(message);
        let message_id = record.message_id.clone();
        let span = info_span!("record", message_id, organization_id = field::Empty);
        run_record(record, deadline, min_remaining_time, &handler)
            .instrument(span)
            .map(move |end| (message_id, end))
    });
    let ends: Vec<_> = stream::iter(runs)
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;
    Batch::of(ends)
}

/// What a handler says about its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The record is dealt with, and leaves the queue.
    Done,
    /// Another attempt may succeed; SQS delivers the record again after its visibility time-out.
    /// The handler logs why.
    Retry,
    /// The record will never work, for this reason (no private content: it is logged). SQS knows no
    /// way to set a message aside at once, so it is returned as well, until the queue's
    /// `maxReceiveCount` moves it to the dead-letter queue.
    Park(Cow<'static, str>),
}

impl Outcome {
    /// [`Outcome::Park`] for anything that can be told.
    pub fn park(reason: impl fmt::Display) -> Self {
        Self::Park(reason.to_string().into())
    }
}

/// One message of the queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// SQS's id of the message; empty when the event lacks it.
    pub message_id: String,
    /// The message's text; empty when the event lacks it.
    pub body: String,
    /// How often SQS has delivered this message, this time included; at least 1.
    pub receive_count: u32,
}

impl Record {
    fn of(message: SqsMessage) -> Self {
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

    /// Puts the organization's id on every log line of this record. To be called from the record's
    /// handler, outside of spans of its own.
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

/// How a batch ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The answer to SQS: the ids of the records to be delivered again.
    pub response: SqsBatchResponse,
    /// Records by how they ended.
    pub counts: Counts,
}

/// Records of a batch by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Dealt with.
    pub done: usize,
    /// Returned on the handler's word.
    pub retried: usize,
    /// On their way to the dead-letter queue.
    pub parked: usize,
    /// Returned because their handler panicked.
    pub panicked: usize,
    /// Returned because their handler was still busy at the deadline.
    pub stopped: usize,
    /// Returned without having been started, since the deadline was near.
    pub not_started: usize,
}

impl Counts {
    /// Adds these to the metrics `records_done`, `records_retried` and so on; kinds without a
    /// record are left out.
    pub fn add_to(&self, metrics: &Metrics) {
        let counts = [
            ("records_done", self.done),
            ("records_retried", self.retried),
            ("records_parked", self.parked),
            ("records_panicked", self.panicked),
            ("records_stopped", self.stopped),
            ("records_not_started", self.not_started),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            metrics.add_count(name, count);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Retried,
    Parked,
    Panicked,
    Stopped,
    NotStarted,
}

async fn run_record<F, Fut>(
    record: Record,
    deadline: Deadline,
    reserve: Duration,
    handler: &F,
) -> End
where
    F: Fn(Record) -> Fut,
    Fut: Future<Output = Outcome>,
{
    if deadline.is_near(reserve) {
        return End::NotStarted;
    }
    let receive_count = record.receive_count;
    // The handler is called inside the future: it may panic before its first await. Unwind safety:
    // what a broken-off handler leaves behind is the same as what a stopped process leaves behind.
    let attempt = AssertUnwindSafe(async { handler(record).await }).catch_unwind();
    match tokio::time::timeout_at(deadline.instant(), attempt).await {
        Ok(Ok(Outcome::Done)) => End::Done,
        Ok(Ok(Outcome::Retry)) => End::Retried,
        Ok(Ok(Outcome::Park(reason))) => {
            error!(reason = %reason, receive_count, "the message cannot be worked on; it goes to the dead-letter queue");
            End::Parked
        }
        Ok(Err(_panic)) => {
            error!(
                error_type = ErrorType::Panicked.name(),
                receive_count, "the record's handler panicked"
            );
            End::Panicked
        }
        Err(_elapsed) => {
            warn!(
                receive_count,
                "the record was still being worked on at the deadline; it is returned to the queue"
            );
            End::Stopped
        }
    }
}

impl Batch {
    fn of(ends: Vec<(String, End)>) -> Result<Self, Failure> {
        let mut counts = Counts::default();
        // A set: SQS may deliver one message twice in a batch, and each id is named once.
        let mut failed = BTreeSet::new();
        for (message_id, end) in ends {
            *counts.of(end) += 1;
            if end != End::Done {
                failed.insert(message_id);
            }
        }
        if counts.not_started > 0 {
            warn!(
                records = counts.not_started,
                "the deadline is near; records are returned to the queue unread"
            );
        }
        if failed.contains("") {
            return Err(Failure::new(
                ErrorType::EventInvalid,
                "a record without messageId failed and cannot be named; the whole batch is repeated",
            ));
        }
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        Ok(Self { response, counts })
    }
}

impl Counts {
    fn of(&mut self, end: End) -> &mut usize {
        match end {
            End::Done => &mut self.done,
            End::Retried => &mut self.retried,
            End::Parked => &mut self.parked,
            End::Panicked => &mut self.panicked,
            End::Stopped => &mut self.stopped,
            End::NotStarted => &mut self.not_started,
        }
    }
}

#[cfg(test)]
mod tests;
