//! What a failed sync means for its message and its organization.

use engagement::SyncRequest;
use jiff::SignedDuration;
use runtime::{ClassifiedError, ErrorType, sqs::HandlerOutcome};

use crate::{
    batch::SyncBatch,
    error::{FailureAction, SyncError},
};

/// Number of receives after which a message with a transient failure is completed. Its organization
/// stays due, behind those that were not tried.
const MAX_RECEIVES: u32 = 3;

/// Time until the next sync of an organization for which BILL rejected the requests.
const REJECTED_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(24);

impl SyncBatch<'_> {
    /// Logs and counts a failed sync, and decides about its message.
    pub(crate) async fn handle_failure(
        &self,
        request: &SyncRequest,
        error: &SyncError,
        receive_count: u32,
    ) -> HandlerOutcome {
        let error_type = error.error_type().name();
        // The batch says once that the budget is spent.
        let is_without_budget = matches!(error, SyncError::HourExhausted);
        if !is_without_budget {
            self.metrics.count("syncs_failed");
        }

        match error.failure_action() {
            FailureAction::RetryMessage => {
                tracing::warn!(
                    error_type,
                    %error,
                    receive_count,
                    "the sync failed; the message is retried"
                );
                // An item that can never be synced must not stay before all others.
                if receive_count >= MAX_RECEIVES {
                    self.record_failure(request, error_type, SignedDuration::ZERO)
                        .await;
                }
                HandlerOutcome::Retry
            }
            FailureAction::LeaveDue if receive_count < MAX_RECEIVES && error.is_transient() => {
                tracing::warn!(
                    error_type,
                    %error,
                    receive_count,
                    "BILL did not respond as expected; the message is retried"
                );
                // Recorded now, because the retry may find the hour's budget spent.
                if error.may_concern_organization() {
                    self.record_failure(request, error_type, SignedDuration::ZERO)
                        .await;
                }
                HandlerOutcome::Retry
            }
            FailureAction::LeaveDue => {
                if error.exhausts_hour() {
                    self.close_hour().await;
                }
                if error.error_type() == ErrorType::BillHourExhausted
                    && self.is_closing_unconfirmed()
                {
                    tracing::warn!(
                        error_type,
                        "BILL's limit was reached in the first minute of an hour; the message is \
                         retried"
                    );
                    return HandlerOutcome::Retry;
                }
                if !is_without_budget {
                    tracing::warn!(error_type, %error, "the sync failed; the organization stays due");
                }
                if error.may_concern_organization() {
                    // Due behind the organizations that were not tried.
                    self.record_failure(request, error_type, SignedDuration::ZERO)
                        .await
                } else if request.all {
                    self.make_due(request).await
                } else {
                    HandlerOutcome::Done
                }
            }
            FailureAction::RetryNextDay => {
                tracing::warn!(
                    error_type,
                    %error,
                    "BILL rejected the requests for the organization, or does not list it; its \
                     next sync is in 24 hours"
                );
                self.record_failure(request, error_type, REJECTED_RETRY_DELAY)
                    .await
            }
        }
    }

    /// Makes an organization due that may not be, without moving one that is.
    async fn make_due(&self, request: &SyncRequest) -> HandlerOutcome {
        let organizations = &self.sync.organizations;
        let id = &request.organization.id;
        match organizations.make_one_due(id, request.as_of).await {
            Ok(()) => HandlerOutcome::Done,
            Err(error) => {
                tracing::warn!(
                    error_type = error.error_type().name(),
                    "the organization could not be made due; the message is retried"
                );
                HandlerOutcome::Retry
            }
        }
    }

    /// Records the failure on the organization, which is due again after `delay`.
    async fn record_failure(
        &self,
        request: &SyncRequest,
        error_type: &str,
        delay: SignedDuration,
    ) -> HandlerOutcome {
        let next_check_at = request.as_of.saturating_add(delay).unwrap_or(request.as_of);
        let recorded = self
            .sync
            .organizations
            .record_failure(
                &request.organization.id,
                error_type,
                request.as_of,
                next_check_at,
                self.now(),
            )
            .await;

        match recorded {
            Ok(()) => HandlerOutcome::Done,
            Err(error) => {
                tracing::warn!(
                    error_type = error.error_type().name(),
                    "the failure could not be recorded; the message is retried"
                );
                HandlerOutcome::Retry
            }
        }
    }
}
