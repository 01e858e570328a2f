//! Several items written together or not at all.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{RequestId, transact_write_items::TransactWriteItemsError},
    types::{CancellationReason, TransactWriteItem},
};

use crate::{change::pauses, error::StoreError};

/// What came of a transaction.
#[derive(Debug)]
pub enum TransactionOutcome {
    /// Everything was written.
    Written,
    /// Nothing was written, because conditions did not hold: for each item the reason.
    Refused(Vec<CancellationReason>),
}

/// Writes the items in one transaction, repeating while others hold some of them.
///
/// The SDK gives every call a token, so that its own retries write once even when an answer is lost
/// (for ten minutes). An `Err` other than `Unavailable` means that nothing was written.
pub async fn transact(
    client: &Client,
    table: &str,
    items: Vec<TransactWriteItem>,
) -> Result<TransactionOutcome, StoreError> {
    let mut pauses = pauses();
    loop {
        let sent = client
            .transact_write_items()
            .set_transact_items(Some(items.clone()))
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(TransactionOutcome::Written);
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
            return Ok(TransactionOutcome::Refused(reasons));
        }
        match (cause(table, &reasons, request_id.as_deref()), pauses.next()) {
            (StoreError::Conflict { .. } | StoreError::Throttled { .. }, Some(pause)) => {
                tokio::time::sleep(pause).await;
            }
            (error, _) => return Err(error),
        }
    }
}

/// Whether an item's condition did not hold.
pub fn is_condition_failure(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// Why a transaction was cancelled that met all its conditions: what cannot pass comes before what
/// can.
fn cause(table: &str, reasons: &[CancellationReason], request_id: Option<&str>) -> StoreError {
    let codes = reasons
        .iter()
        .filter_map(CancellationReason::code)
        .filter(|code| *code != "None");
    let error = |code| StoreError::from_code(table, code, request_id.map(str::to_owned));
    codes
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
        let type_name = |codes: &[&str]| cause("notices", &reasons(codes), None).type_name();
        assert_eq!(
            type_name(&["None", "TransactionConflict"]),
            "store_conflict"
        );
        assert_eq!(type_name(&["ThrottlingError", "None"]), "store_throttled");
        assert_eq!(
            type_name(&["TransactionConflict", "ValidationError"]),
            "store_refused"
        );
        assert_eq!(type_name(&[]), "store_refused");
    }
}
