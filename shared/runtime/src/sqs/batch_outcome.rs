//! The outcome of a batch: the response to SQS, and the number of records by outcome.

use std::collections::BTreeSet;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use errors::ErrorType;
use tracing::warn;

use crate::{failure::Failure, metrics::Metrics};

/// How a batch ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchOutcome {
    /// The response to SQS: the ids of the records to deliver again.
    pub response: SqsBatchResponse,
    /// The number of records by outcome.
    pub counts: RecordCounts,
}

/// How one record ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    Done,
    Retried,
    Parked,
    Panicked,
    Stopped,
    NotStarted,
}

impl BatchOutcome {
    /// The outcome of a batch from the outcomes of its records by message id. An `Err` means that a
    /// failed record has no message id.
    pub(super) fn from_outcomes(outcomes: Vec<(String, RecordOutcome)>) -> Result<Self, Failure> {
        let mut counts = RecordCounts::default();
        // A set, because SQS may deliver a message twice in one batch and its id is reported once.
        let mut failed = BTreeSet::new();
        for (message_id, outcome) in outcomes {
            *counts.counter(outcome) += 1;
            if outcome != RecordOutcome::Done {
                failed.insert(message_id);
            }
        }

        if counts.not_started > 0 {
            warn!(
                records = counts.not_started,
                "the deadline is near; the remaining records are returned to the queue"
            );
        }
        if failed.contains("") {
            return Err(Failure::new(
                ErrorType::EventInvalid,
                "a failed record has no messageId; SQS delivers the whole batch again",
            ));
        }

        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        Ok(Self { response, counts })
    }
}

/// The number of records of a batch by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Processed.
    pub done: u64,
    /// Returned because the handler asked for another attempt.
    pub retried: u64,
    /// Returned because they can never be processed.
    pub parked: u64,
    /// Returned because their handler panicked.
    pub panicked: u64,
    /// Returned because their handler was still running at the deadline.
    pub stopped: u64,
    /// Returned without being started, because the deadline was near.
    pub not_started: u64,
}

impl RecordCounts {
    /// Adds the counts to the metrics `records_done`, `records_retried` and so on. A count of zero
    /// is left out.
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
            metrics.add(name, count);
        }
    }

    fn counter(&mut self, outcome: RecordOutcome) -> &mut u64 {
        match outcome {
            RecordOutcome::Done => &mut self.done,
            RecordOutcome::Retried => &mut self.retried,
            RecordOutcome::Parked => &mut self.parked,
            RecordOutcome::Panicked => &mut self.panicked,
            RecordOutcome::Stopped => &mut self.stopped,
            RecordOutcome::NotStarted => &mut self.not_started,
        }
    }
}
