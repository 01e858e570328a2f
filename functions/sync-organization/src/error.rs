//! Why a sync fails, and what that means for its message.

use store::StoreError;

/// Why a sync failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// A call to BILL failed.
    #[error(transparent)]
    Bill(#[from] bill::Error),
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hour has no BILL requests left, as the reservation or another sync of the batch found.
    #[error("BILL's requests of this hour are used up")]
    HourExhausted,
}

/// What to do about the message of a failed sync.
pub enum FailureAction {
    /// The message is returned to the queue.
    RetryMessage,
    /// The message is completed. The organization stays due.
    LeaveDue,
    /// The message is completed. The organization is due again in 24 hours.
    RetryNextDay,
}

impl SyncError {
    /// The stable name of the error in logs.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Bill(error) => error.type_name(),
            Self::Store(error) => error.type_name(),
            Self::HourExhausted => "bill_hour_exhausted",
        }
    }

    /// What to do about the message.
    pub fn failure_action(&self) -> FailureAction {
        match self {
            Self::Store(_) => FailureAction::RetryMessage,
            Self::HourExhausted => FailureAction::LeaveDue,
            Self::Bill(error) => match error.type_name() {
                "bill_refused" | "bill_untrusted_session" => FailureAction::RetryNextDay,
                _ => FailureAction::LeaveDue,
            },
        }
    }

    /// Whether a retry within minutes may succeed. Such a failure may concern this organization
    /// alone. Other failures concern BILL, the credentials or the hour.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Bill(error) if matches!(
                error.type_name(),
                "bill_unavailable"
                    | "bill_deadline"
                    | "bill_too_many_at_once"
                    | "bill_bad_answer"
                    | "bill_session_expired"
            )
        )
    }

    /// Whether BILL reported that the hour has no requests left.
    pub fn exhausts_hour(&self) -> bool {
        matches!(self, Self::Bill(error) if error.is_hour_exhausted())
    }
}
