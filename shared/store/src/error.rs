//! What can go wrong with a table, in kinds that callers act on. No error shows an item's contents.

use std::fmt;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};

/// A table could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB asks to slow down. Retry later.
    #[error("{table}: DynamoDB asks to slow down ({answer})")]
    Throttled {
        /// The table.
        table: String,
        /// What DynamoDB said.
        answer: Answer,
    },
    /// Others kept writing the same items. Nothing was written; retry.
    #[error("{table}: others were writing the same items ({answer})")]
    Conflict {
        /// The table.
        table: String,
        /// What DynamoDB said.
        answer: Answer,
    },
    /// The notice is no longer held by the caller's claim. Nothing was written; retrying does not
    /// help.
    #[error("{table}: the notice is no longer held by this claim")]
    ClaimLost {
        /// The table.
        table: String,
    },
    /// An item does not have the shape that it should have. Give it up; somebody has to look at it.
    #[error("{table}: the item of {key} cannot be read")]
    Unreadable {
        /// The table.
        table: String,
        /// Name of the key attribute, with its value where that names no person.
        key: String,
    },
    /// DynamoDB could not be reached or had a fault of its own. Whether a write happened is not
    /// known; retry.
    #[error("{table}: DynamoDB is not available ({answer})")]
    Unavailable {
        /// The table.
        table: String,
        /// What DynamoDB, or the way to it, said.
        answer: Answer,
    },
    /// DynamoDB refuses the call: permissions, a missing table, an impossible item. Retrying does
    /// not help.
    #[error("{table}: DynamoDB refused the call ({answer})")]
    Refused {
        /// The table.
        table: String,
        /// What DynamoDB said.
        answer: Answer,
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

    /// Whether the notice is no longer held by the claim that the caller named.
    pub fn is_claim_lost(&self) -> bool {
        matches!(self, Self::ClaimLost { .. })
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

    /// Sorts the failure of a call into its kind.
    pub(crate) fn from_sdk_error<E, R>(table: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
        SdkError<E, R>: RequestId,
    {
        let request_id = error.request_id().map(str::to_owned);
        let unavailable = |code: &str| Self::Unavailable {
            table: table.to_owned(),
            answer: Answer {
                code: code.to_owned(),
                request_id: request_id.clone(),
            },
        };
        match error {
            SdkError::ServiceError(service) => Self::from_code(
                table,
                service.err().code().unwrap_or("no code"),
                request_id.clone(),
            ),
            SdkError::TimeoutError(_) => unavailable("time-out"),
            SdkError::DispatchFailure(_) => unavailable("no connection"),
            SdkError::ResponseError(_) => unavailable("unreadable answer"),
            SdkError::ConstructionFailure(_) => {
                Self::from_code(table, "request not built", request_id.clone())
            }
            _ => unavailable("unknown"),
        }
    }

    /// Sorts an error code, of an answer or of a cancelled transaction's reason, into its kind.
    pub(crate) fn from_code(table: &str, code: &str, request_id: Option<String>) -> Self {
        let table = table.to_owned();
        let answer = Answer {
            code: code.to_owned(),
            request_id,
        };
        match code {
            "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException" => Self::Throttled { table, answer },
            "ReplicatedWriteConflictException"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException" => Self::Conflict { table, answer },
            "InternalFailure"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "no code" => Self::Unavailable { table, answer },
            _ => Self::Refused { table, answer },
        }
    }
}

/// An answer of DynamoDB without its text, which may quote an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The error code.
    pub code: String,
    /// AWS's id of the request, for their support.
    pub request_id: Option<String>,
}

impl fmt::Display for Answer {
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
