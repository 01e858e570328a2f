//! Several items written in one transaction.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{RequestId, transact_write_items::TransactWriteItemsError},
    types::{CancellationReason, TransactWriteItem},
};

use crate::{
    dynamodb::backoff::backoff,
    error::{StoreError, StoreErrorKind},
};

/// The outcome of a transaction.
#[derive(Debug)]
pub enum TransactionOutcome {
    /// All items were written.
    Committed,
    /// Conditions did not hold, and nothing was written. Contains one reason for each item, in the
    /// order of the items.
    ConditionsFailed(Vec<CancellationReason>),
}

/// Writes the items in one transaction, and retries while other writers hold some of them.
///
/// The SDK sends an idempotency token with every call, so that its own retries within ten minutes
/// write once even when a response is lost. An `Err` other than [`StoreErrorKind::Unavailable`] means
/// that nothing was written.
pub async fn transact(
    client: &Client,
    table: &str,
    items: Vec<TransactWriteItem>,
) -> Result<TransactionOutcome, StoreError> {
    let mut delays = backoff();

    loop {
        let sent = client
            .transact_write_items()
            .set_transact_items(Some(items.clone()))
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(TransactionOutcome::Committed);
        };

        let request_id = error.request_id().map(str::to_owned);
        let cancelled = match error {
            SdkError::ServiceError(service)
                if service.err().is_transaction_canceled_exception() =>
            {
                service.into_err()
            }
            error => return Err(StoreError::from_sdk_error(table, &error)),
        };
        let reasons = match cancelled {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                cancelled.cancellation_reasons.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if reasons.iter().any(is_condition_failure) {
            return Ok(TransactionOutcome::ConditionsFailed(reasons));
        }

        let error = cancellation_error(table, &reasons, request_id.as_deref());
        match (error.kind(), delays.next()) {
            (StoreErrorKind::Conflict | StoreErrorKind::Throttled, Some(delay)) => {
                tokio::time::sleep(delay).await;
            }
            _ => return Err(error),
        }
    }
}

/// Whether the condition of this item did not hold.
pub fn is_condition_failure(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// Why a transaction was cancelled although all conditions held. Permanent codes come before
/// retryable ones.
fn cancellation_error(
    table: &str,
    reasons: &[CancellationReason],
    request_id: Option<&str>,
) -> StoreError {
    let error = |code| StoreError::from_code(table, code, request_id.map(str::to_owned));

    reasons
        .iter()
        .filter_map(CancellationReason::code)
        .filter(|code| *code != "None")
        .map(error)
        .min_by_key(StoreError::is_retryable)
        .unwrap_or_else(|| error("TransactionCanceledException"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permanent_cancellation_reason_outranks_a_retryable_one() {
        let reasons = |codes: &[&str]| {
            codes
                .iter()
                .map(|code| CancellationReason::builder().code(*code).build())
                .collect::<Vec<_>>()
        };
        let kind_of = |codes: &[&str]| cancellation_error("notices", &reasons(codes), None).kind();

        assert_eq!(
            kind_of(&["None", "TransactionConflict"]),
            StoreErrorKind::Conflict
        );
        assert_eq!(
            kind_of(&["ThrottlingError", "None"]),
            StoreErrorKind::Throttled
        );
        assert_eq!(
            kind_of(&["TransactionConflict", "ValidationError"]),
            StoreErrorKind::InvalidRequest
        );
        assert_eq!(kind_of(&[]), StoreErrorKind::Refused);
    }
}
