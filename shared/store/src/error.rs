//! Errors of the tables, in kinds that callers act on. No error contains the contents of an item.

use std::fmt;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use errors::{ClassifiedError, ErrorType};

/// Stands for the code of an error response that has none.
const NO_CODE: &str = "no code";

/// Stands for the code of a request that was not sent, because the SDK could not build it.
const REQUEST_NOT_BUILT: &str = "request not built";

/// A table could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    kind: StoreErrorKind,
    /// Name of the table.
    table: String,
    detail: Detail,
}

/// What a [`StoreError`] means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// DynamoDB throttled the call. Retry later.
    Throttled,
    /// Other writers kept changing the same items. Nothing was written; retry.
    Conflict,
    /// The notice is no longer held by the caller's claim. Nothing was written; a retry does not
    /// help.
    ClaimLost,
    /// The item does not have the expected attributes. Give up; an operator has to examine the
    /// item.
    Unreadable,
    /// DynamoDB could not be reached or failed. Whether a write happened is not known; retry.
    Unavailable,
    /// DynamoDB rejected the values of the request. A retry does not help.
    InvalidRequest,
    /// DynamoDB refused the call: missing permission or missing table. A retry does not help until
    /// an operator has corrected the cause.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Detail {
    None,
    /// The last failed call.
    Call(CallFailure),
    /// The name of the key attribute of an item, with its value unless the value identifies a
    /// person.
    Item(String),
}

impl StoreError {
    /// What the failure means to the caller.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Throttled | StoreErrorKind::Conflict | StoreErrorKind::Unavailable
        )
    }

    /// The notice is no longer held by the caller's claim.
    pub(crate) fn claim_lost(table: &str) -> Self {
        Self {
            kind: StoreErrorKind::ClaimLost,
            table: table.to_owned(),
            detail: Detail::None,
        }
    }

    /// The item cannot be read. `key` is the name of its key attribute, with the value unless it
    /// identifies a person.
    pub(crate) fn unreadable(table: &str, key: impl Into<String>) -> Self {
        Self {
            kind: StoreErrorKind::Unreadable,
            table: table.to_owned(),
            detail: Detail::Item(key.into()),
        }
    }

    /// The SDK cannot build a request from the given values: a permanent error.
    pub(crate) fn request_not_built(table: &str) -> Self {
        Self::from_code(table, REQUEST_NOT_BUILT, None)
    }

    /// Classifies the failure of a call.
    pub(crate) fn from_sdk_error<E, R>(table: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
        SdkError<E, R>: RequestId,
    {
        let code = match error {
            SdkError::ServiceError(service) => service.err().code().unwrap_or(NO_CODE),
            SdkError::ConstructionFailure(_) => REQUEST_NOT_BUILT,
            SdkError::TimeoutError(_) => "time-out",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "unreadable response",
            _ => "unknown",
        };
        let is_answered = matches!(
            error,
            SdkError::ServiceError(_) | SdkError::ConstructionFailure(_)
        );
        let kind = if is_answered {
            kind_of_code(code)
        } else {
            StoreErrorKind::Unavailable
        };

        Self::call_failed(kind, table, code, error.request_id().map(str::to_owned))
    }

    /// Classifies the error code of a response, or of a reason why a transaction was cancelled.
    pub(crate) fn from_code(table: &str, code: &str, request_id: Option<String>) -> Self {
        Self::call_failed(kind_of_code(code), table, code, request_id)
    }

    fn call_failed(
        kind: StoreErrorKind,
        table: &str,
        code: &str,
        request_id: Option<String>,
    ) -> Self {
        let failure = CallFailure {
            code: code.to_owned(),
            request_id,
        };

        Self {
            kind,
            table: table.to_owned(),
            detail: Detail::Call(failure),
        }
    }
}

fn kind_of_code(code: &str) -> StoreErrorKind {
    match code {
        "ProvisionedThroughputExceeded"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingError"
        | "ThrottlingException" => StoreErrorKind::Throttled,
        "ReplicatedWriteConflictException"
        | "TransactionConflict"
        | "TransactionConflictException"
        | "TransactionInProgressException" => StoreErrorKind::Conflict,
        "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | NO_CODE => StoreErrorKind::Unavailable,
        "ValidationError" | "ValidationException" | REQUEST_NOT_BUILT => {
            StoreErrorKind::InvalidRequest
        }
        _ => StoreErrorKind::Refused,
    }
}

impl ClassifiedError for StoreError {
    fn error_type(&self) -> ErrorType {
        match self.kind {
            StoreErrorKind::Throttled => ErrorType::StoreThrottled,
            StoreErrorKind::Conflict | StoreErrorKind::ClaimLost => ErrorType::StoreConflict,
            StoreErrorKind::Unreadable => ErrorType::StoreUnreadable,
            StoreErrorKind::Unavailable => ErrorType::StoreUnavailable,
            StoreErrorKind::InvalidRequest | StoreErrorKind::Refused => ErrorType::StoreRefused,
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Detail::Item(key) = &self.detail {
            return write!(
                formatter,
                "{}: the item of {key} cannot be read",
                self.table
            );
        }
        let meaning = match self.kind {
            StoreErrorKind::Throttled => "DynamoDB throttled the call",
            StoreErrorKind::Conflict => "other writers kept changing the same items",
            StoreErrorKind::ClaimLost => "the notice is no longer held by this claim",
            StoreErrorKind::Unreadable => "the item cannot be read",
            StoreErrorKind::Unavailable => "DynamoDB is not available",
            StoreErrorKind::InvalidRequest | StoreErrorKind::Refused => "DynamoDB refused the call",
        };

        write!(formatter, "{}: {meaning}", self.table)?;
        match &self.detail {
            Detail::Call(failure) => write!(formatter, " ({failure})"),
            Detail::Item(_) | Detail::None => Ok(()),
        }
    }
}

/// A failed call without the message of DynamoDB, which may quote an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallFailure {
    /// DynamoDB's error code, or a short description where there is none.
    code: String,
    /// Request id for AWS Support.
    request_id: Option<String>,
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
                (error.error_type().name(), error.is_retryable()),
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
