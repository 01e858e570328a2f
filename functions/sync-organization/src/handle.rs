//! Handles one SQS batch: reserves its part of the hour's budget, runs its records, and corrects
//! the reservation.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use engagement::AddressHashKey;
use runtime::{ClassifiedError, Failure, Invocation, sqs::run_batch};
use store::{BudgetAmount, BudgetShare, Reservation};

use crate::{batch::SyncBatch, request::BatchMessages, sync::Sync};

/// BILL requests reserved for one sync: users, sign-in, bank accounts, payments, verification. The
/// reservation is corrected afterwards. An organization without a listing takes one request more.
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
        invocation: &Invocation,
    ) -> Result<SqsBatchResponse, Failure> {
        let (_, key) = futures::try_join!(self.credentials.get(), self.address_key.get())?;
        let metrics = &invocation.metrics;
        let syncs = u32::try_from(event.records.len()).unwrap_or(u32::MAX);
        let each = BudgetAmount {
            requests: REQUESTS_PER_SYNC,
            sign_ins: 1,
        };
        let bodies = event.records.iter().map(|record| record.body.as_deref());
        let messages = BatchMessages::of(bodies.map(Option::unwrap_or_default));
        // The queue of events delivers one message at a time.
        let share = if messages.any_of_events {
            BudgetShare::Events
        } else {
            BudgetShare::Sweep
        };
        let reservation = self
            .budget
            .reserve_up_to(invocation.started_at, share, each, syncs)
            .await?;
        let (reservation, allowed_syncs) = reservation.unzip();
        let allowed_syncs = allowed_syncs.unwrap_or(0);

        if allowed_syncs < syncs {
            tracing::info!(
                syncs,
                allowed_syncs,
                "the hour's budget of BILL requests is spent; the organizations stay due or are \
                 made due"
            );
            metrics.count("budget_spent");
            if allowed_syncs == 0 && !messages.any_required {
                return Ok(SqsBatchResponse::default());
            }
        }

        let key = AddressHashKey::new((*key).clone());
        let batch = SyncBatch::new(self, invocation, key, allowed_syncs);
        let result = run_batch(
            event,
            invocation.deadline,
            CONCURRENCY,
            SYNC_TIME_RESERVE,
            |record| batch.process_record(record),
        )
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
            && let Err(error) = self.budget.settle(reservation, used).await
        {
            tracing::warn!(
                error_type = error.error_type().name(),
                %error,
                "the hour's budget could not be corrected"
            );
        }
    }
}
