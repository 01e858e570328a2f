//! Handles one SQS batch: reserves its part of the hour's budget, runs its records, and corrects
//! the reservation.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use engagement::AddressHashKey;
use runtime::{Deadline, Failure, Metrics, clock, sqs::run_batch};
use store::{BudgetAmount, Reservation, StoreError};

use crate::{batch::SyncBatch, request::requires_processing, sync::Sync};

/// BILL requests reserved for one sync: users, sign-in, bank accounts, payments, verification. The
/// reservation is corrected afterwards. A sync that an event caused makes one request more.
const REQUESTS_PER_SYNC: u32 = 5;

/// Organizations synced at once.
const CONCURRENCY: usize = 10;

/// Time that must be left before a record is started, enough for one sync.
const SYNC_TIME_RESERVE: Duration = Duration::from_secs(10);

impl Sync {
    /// Handles one batch. The response names the messages to deliver again. An `Err` fails the
    /// whole batch, and SQS delivers all of it again.
    pub async fn handle(
        &self,
        event: SqsEvent,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<SqsBatchResponse, Failure> {
        let (_, key) = futures::try_join!(self.credentials.get(), self.address_key.get())?;
        let started_at = clock::now();
        let syncs = u32::try_from(event.records.len()).unwrap_or(u32::MAX);
        let amount = BudgetAmount {
            requests: syncs.saturating_mul(REQUESTS_PER_SYNC),
            sign_ins: syncs,
        };
        let reservation = self
            .runs
            .reserve(started_at, amount, self.limits)
            .await
            .map_err(store_failure)?;

        if reservation.is_none() {
            tracing::info!(
                syncs,
                "the hour's budget of BILL requests is spent; the organizations stay due or are \
                 made due"
            );
            metrics.count("budget_spent");
            if !any_requires_processing(&event) {
                return Ok(SqsBatchResponse::default());
            }
        }

        let batch = SyncBatch::new(
            self,
            AddressHashKey::new((*key).clone()),
            deadline,
            metrics,
            started_at,
            reservation.is_none(),
        );
        let result = run_batch(event, deadline, CONCURRENCY, SYNC_TIME_RESERVE, |record| {
            batch.process_record(record)
        })
        .await;

        let used = batch.usage.total();
        metrics.add("bill_requests", u64::from(used.requests));
        metrics.add("bill_sign_ins", u64::from(used.sign_ins));
        self.correct_budget(reservation, used).await;

        let result = result?;
        result.counts.add_to(metrics);
        Ok(result.response)
    }

    /// Replaces the reserved amount with the amount used. A failure makes the count of the hour
    /// less precise and does not fail the batch.
    async fn correct_budget(&self, reservation: Option<Reservation>, used: BudgetAmount) {
        if let Some(reservation) = reservation
            && let Err(error) = self.runs.settle(reservation, used).await
        {
            tracing::warn!(
                error_type = error.type_name(),
                %error,
                "the hour's budget could not be corrected"
            );
        }
    }
}

/// Whether the batch has a message that must be processed although the budget is spent. The
/// organizations of all other messages stay due.
fn any_requires_processing(event: &SqsEvent) -> bool {
    event
        .records
        .iter()
        .any(|record| requires_processing(record.body.as_deref().unwrap_or_default()))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` needs"
)]
fn store_failure(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
