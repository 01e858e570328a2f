//! Errors of the tables, in kinds that callers act on. No error contains the contents of an item.

use std::fmt;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};

/// Stands for the code of an error response that has none.
const NO_CODE: &str = "no code";

/// Stands for the code of a request that was not sent, because the SDK could not build it.
const REQUEST_NOT_BUILT: &str = "request not built";

/// A table could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB throttled the call. Retry later.
    #[error("{table}: DynamoDB throttled the call ({failure})")]
    Throttled {
        /// Name of the table.
        table: String,
        /// The failure of the last attempt.
        failure: CallFailure,
    },
    /// Other writers kept changing the same items. Nothing was written; retry.
    #[error("{table}: other writers kept changing the same items ({failure})")]
    Conflict {
        /// Name of the table.
        table: String,
        /// The failure of the last attempt.
        failure: CallFailure,
    },
    /// The notice is no longer held by the caller's claim. Nothing was written; a retry does not
    /// help.
    #[error("{table}: the notice is no longer held by this claim")]
    ClaimLost {
        /// Name of the table.
        table: String,
    },
    /// The item does not have the expected attributes. Give up; an operator has to examine the
    /// item.
    #[error("{table}: the item of {key} cannot be read")]
    Unreadable {
        /// Name of the table.
        table: String,
        /// Name of the key attribute, with its value unless the value identifies a person.
        key: String,
    },
    /// DynamoDB could not be reached or failed. Whether a write happened is not known; retry.
    #[error("{table}: DynamoDB is not available ({failure})")]
    Unavailable {
        /// Name of the table.
        table: String,
        /// The failure of the last attempt.
        failure: CallFailure,
    },
    /// DynamoDB refused the call: missing permission, missing table or invalid request. A retry
    /// does not help.
    #[error("{table}: DynamoDB refused the call ({failure})")]
    Refused {
        /// Name of the table.
        table: String,
        /// The failure of the call.
        failure: CallFailure,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. } | Self::Conflict { .. } | Self::Unavailable { .. }
        )
    }

    /// Stable name for logs, metrics and alarms: one of `store_throttled`, `store_conflict`,
    /// `store_unreadable`, `store_unavailable`, `store_refused`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "store_throttled",
            Self::Conflict { .. } | Self::ClaimLost { .. } => "store_conflict",
            Self::Unreadable { .. } => "store_unreadable",
            Self::Unavailable { .. } => "store_unavailable",
            Self::Refused { .. } => "store_refused",
        }
    }

    /// Classifies the failure of a call.
    pub(crate) fn from_sdk_error<E, R>(table: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
        SdkError<E, R>: RequestId,
    {
        let request_id = error.request_id().map(str::to_owned);
        let unavailable = |code: &str| Self::Unavailable {
            table: table.to_owned(),
            failure: CallFailure {
                code: code.to_owned(),
                request_id: request_id.clone(),
            },
        };

        match error {
            SdkError::ServiceError(service) => Self::from_code(
                table,
                service.err().code().unwrap_or(NO_CODE),
                request_id.clone(),
            ),
            SdkError::TimeoutError(_) => unavailable("time-out"),
            SdkError::DispatchFailure(_) => unavailable("no connection"),
            SdkError::ResponseError(_) => unavailable("unreadable response"),
            SdkError::ConstructionFailure(_) => {
                Self::from_code(table, REQUEST_NOT_BUILT, request_id.clone())
            }
            _ => unavailable("unknown"),
        }
    }

    /// The SDK cannot build a request from the given values: a permanent error.
    pub(crate) fn request_not_built(table: &str) -> Self {
        Self::from_code(table, REQUEST_NOT_BUILT, None)
    }

    /// Classifies the error code of a response, or of a reason why a transaction was cancelled.
    pub(crate) fn from_code(table: &str, code: &str, request_id: Option<String>) -> Self {
        let table = table.to_owned();
        let failure = CallFailure {
            code: code.to_owned(),
            request_id,
        };

        match code {
            "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException" => Self::Throttled { table, failure },
            "ReplicatedWriteConflictException"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException" => Self::Conflict { table, failure },
            "InternalFailure"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | NO_CODE => Self::Unavailable { table, failure },
            _ => Self::Refused { table, failure },
        }
    }
}

/// A failed call without the message of DynamoDB, which may quote an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    /// DynamoDB's error code, or a short description where there is none.
    pub code: String,
    /// Request id for AWS Support.
    pub request_id: Option<String>,
}

impl fmt::Display for CallFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request_id {
            Some(request_id) => write!(formatter, "{}, request {request_id}", self.code),
            None => formatter.write_str(&self.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_kind_and_only_transient_errors_are_retryable() {
        let kinds = [
            ("ThrottlingException", "store_throttled", true),
            (
                "ProvisionedThroughputExceededException",
                "store_throttled",
                true,
            ),
            ("RequestLimitExceeded", "store_throttled", true),
            ("TransactionConflict", "store_conflict", true),
            ("TransactionInProgressException", "store_conflict", true),
            ("InternalServerError", "store_unavailable", true),
            ("AccessDeniedException", "store_refused", false),
            ("ResourceNotFoundException", "store_refused", false),
            ("ValidationException", "store_refused", false),
        ];
        for (code, type_name, is_retryable) in kinds {
            let error = StoreError::from_code("notices", code, Some("R7".to_owned()));
            assert_eq!(
                (error.type_name(), error.is_retryable()),
                (type_name, is_retryable),
                "{code}"
            );
            assert!(
                error.to_string().contains(&format!("({code}, request R7)")),
                "{error}"
            );
        }
    }
}
