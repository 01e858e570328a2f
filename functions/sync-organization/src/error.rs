//! Why a sync fails, and what that means for its message.

use bill::ErrorKind;
use runtime::{ClassifiedError, ErrorType};
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
    /// BILL does not list the organization.
    #[error("BILL lists no organization with this id")]
    NotListed,
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

impl ClassifiedError for SyncError {
    fn error_type(&self) -> ErrorType {
        match self {
            Self::Bill(error) => error.error_type(),
            Self::Store(error) => error.error_type(),
            Self::HourExhausted => ErrorType::BillHourExhausted,
            Self::NotListed => ErrorType::NotListed,
        }
    }
}

impl SyncError {
    /// What to do about the message.
    pub fn failure_action(&self) -> FailureAction {
        match self {
            Self::Store(_) => FailureAction::RetryMessage,
            Self::HourExhausted => FailureAction::LeaveDue,
            Self::NotListed => FailureAction::RetryNextDay,
            Self::Bill(error) if error.is_of_partner_login() => FailureAction::LeaveDue,
            Self::Bill(error) => match error.kind() {
                ErrorKind::Refused | ErrorKind::UntrustedSession => FailureAction::RetryNextDay,
                _ => FailureAction::LeaveDue,
            },
        }
    }

    /// Whether a failure may concern this organization alone. Other failures concern BILL, the
    /// partner's sign-in or the hour.
    pub fn may_concern_organization(&self) -> bool {
        self.is_transient() && !matches!(self, Self::Bill(error) if error.is_of_partner_login())
    }

    /// Whether a retry within minutes may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Bill(error) if matches!(
                error.kind(),
                ErrorKind::Unavailable
                    | ErrorKind::Deadline
                    | ErrorKind::TooManyAtOnce
                    | ErrorKind::BadAnswer
                    | ErrorKind::SessionExpired
            )
        )
    }

    /// Whether BILL reported that the hour has no requests left.
    pub fn exhausts_hour(&self) -> bool {
        matches!(self, Self::Bill(error) if error.is_hour_exhausted())
    }
}
