//! Handles one SQS batch: reserves its part of the hour's budget, runs its records, and corrects
//! the reservation.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use engagement::AddressHashKey;
use runtime::{ClassifiedError, Failure, Invocation, sqs::run_batch};
use store::{BudgetAmount, BudgetShare, Reservation};

use crate::{batch::SyncBatch, batch_plan::BatchPlan, request, sync::Sync};

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
        let bodies = event.records.iter().map(|record| record.body.as_deref());
        // The queue of events delivers one message at a time.
        let share = if request::any_of_events(bodies.flatten()) {
            BudgetShare::Events
        } else {
            BudgetShare::Sweep
        };
        let mut plan = BatchPlan::read(&event, self, invocation.now()).await;
        let amounts = plan.amounts();
        let reservation = self
            .budget
            .reserve_up_to(invocation.started_at, share, &amounts)
            .await?;
        let (reservation, covered) = reservation.unzip();
        let covered = covered.unwrap_or(0);
        plan.cover(covered);

        if covered < amounts.len() {
            tracing::info!(
                syncs = amounts.len(),
                covered,
                "the hour's budget of BILL requests is spent; the organizations stay due or are \
                 made due"
            );
            metrics.count("budget_spent");
        }

        let key = AddressHashKey::new((*key).clone());
        let batch = SyncBatch::new(self, invocation, key, plan);
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
