//! The error of every call: what failed, what that means to the caller, and its name in logs and
//! metrics.

mod cause;
mod code;

use std::{fmt, time::Duration};

use errors::{ClassifiedError, ErrorType};

use crate::operation::Operation;

pub(crate) use cause::Cause;
pub use code::ErrorCode;

/// Why a call failed, after the client's own retries.
///
/// The text names the operation, the HTTP status and BILL's error codes. Messages, parameters, ids
/// and bodies of responses are dropped during parsing, so neither `Display` nor `Debug` contains
/// them.
#[derive(Debug, Clone)]
pub struct Error {
    operation: Operation,
    kind: ErrorKind,
    status: Option<u16>,
    codes: Vec<ErrorCode>,
    cause: Option<Cause>,
    retry_after: Option<Duration>,
    attempts: u32,
    last: Option<Box<Error>>,
}

/// What an [`Error`] means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// `BDC_1109`, or status 401 without a known code, after one new sign-in and one retry. Also: a
    /// call that needs `OrganizationClient::sign_in` first.
    SessionExpired,
    /// `BDC_1101` or `BDC_1102`. Only other credentials help. The client does not send rejected
    /// credentials again for five minutes.
    BadCredentials,
    /// `BDC_1144`. The developer key has no requests left until the next clock hour.
    HourExhausted,
    /// `BDC_1322` on every attempt.
    TooManyAtOnce,
    /// `BDC_1361`: the operation requires a session with multi-factor trust.
    UntrustedSession,
    /// No response, or status 408, 429 or 5xx, on every attempt.
    Unavailable,
    /// BILL rejected the request, in its own format. A retry gets the same response.
    Refused,
    /// The response does not have the documented format. It may be the page of a firewall or a load
    /// balancer, with any status.
    BadAnswer,
    /// The caller's deadline passed. [`Error::last_error`] is the failure before it, if there was
    /// one.
    Deadline,
    /// The credential source returned no credentials to sign in with.
    CredentialsUnreadable,
}

impl Error {
    pub(crate) fn new(operation: Operation, kind: ErrorKind) -> Self {
        Self {
            operation,
            kind,
            status: None,
            codes: Vec::new(),
            cause: None,
            retry_after: None,
            attempts: 0,
            last: None,
        }
    }

    pub(crate) fn with_cause(operation: Operation, kind: ErrorKind, cause: Cause) -> Self {
        Self {
            cause: Some(cause),
            ..Self::new(operation, kind)
        }
    }

    pub(crate) fn from_response(
        operation: Operation,
        kind: ErrorKind,
        status: u16,
        codes: Vec<ErrorCode>,
        retry_after: Option<Duration>,
    ) -> Self {
        Self {
            status: Some(status),
            codes,
            retry_after,
            ..Self::new(operation, kind)
        }
    }

    pub(crate) fn deadline_exceeded(operation: Operation, last_error: Option<Error>) -> Self {
        let attempts = last_error.as_ref().map_or(0, |error| error.attempts);

        Self {
            last: last_error.map(Box::new),
            attempts,
            ..Self::new(operation, ErrorKind::Deadline)
        }
    }

    pub(crate) fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// What the failure means to the caller.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without anyone's intervention.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::SessionExpired
            | ErrorKind::TooManyAtOnce
            | ErrorKind::Unavailable
            | ErrorKind::Deadline => true,
            ErrorKind::BadAnswer => self.should_retry_now(),
            ErrorKind::CredentialsUnreadable => {
                matches!(&self.cause, Some(Cause::Credentials(error)) if error.is_retryable())
            }
            ErrorKind::BadCredentials
            | ErrorKind::HourExhausted
            | ErrorKind::UntrustedSession
            | ErrorKind::Refused => false,
        }
    }

    /// Whether the session expired and a new sign-in did not help.
    pub fn is_session_expired(&self) -> bool {
        self.kind == ErrorKind::SessionExpired
    }

    /// Whether the partner's sign-in failed. That says nothing about an organization or a user.
    pub fn is_of_partner_login(&self) -> bool {
        self.operation == Operation::PartnerLogin
    }

    /// Whether BILL rejects the user name, the password or a key.
    pub fn is_bad_credentials(&self) -> bool {
        self.kind == ErrorKind::BadCredentials
    }

    /// Whether the developer key has no requests left in this clock hour.
    pub fn is_hour_exhausted(&self) -> bool {
        self.kind == ErrorKind::HourExhausted
    }

    /// HTTP status of BILL's response, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.status.or_else(|| self.last_error()?.status())
    }

    /// The error codes of BILL's response, in the order of the response.
    pub fn codes(&self) -> &[ErrorCode] {
        match self.last_error() {
            Some(last_error) if self.codes.is_empty() => last_error.codes(),
            _ => &self.codes,
        }
    }

    /// How long BILL asked to wait, from the header `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
            .or_else(|| self.last_error()?.retry_after())
    }

    /// The failure that preceded [`ErrorKind::Deadline`].
    pub fn last_error(&self) -> Option<&Error> {
        self.last.as_deref()
    }

    /// Whether this client should send the same request again after a short wait.
    pub(crate) fn should_retry_now(&self) -> bool {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::TooManyAtOnce => true,
            ErrorKind::BadAnswer => {
                matches!(self.cause, Some(Cause::NotJson | Cause::IncompleteBody))
            }
            _ => false,
        }
    }

    /// Whether a new session, or other credentials, may help.
    pub(crate) fn needs_new_session(&self) -> bool {
        self.is_session_expired() || self.is_bad_credentials()
    }
}

impl ClassifiedError for Error {
    fn error_type(&self) -> ErrorType {
        match self.kind {
            ErrorKind::SessionExpired => ErrorType::BillSessionExpired,
            ErrorKind::BadCredentials => ErrorType::BillBadCredentials,
            ErrorKind::HourExhausted => ErrorType::BillHourExhausted,
            ErrorKind::TooManyAtOnce => ErrorType::BillTooManyAtOnce,
            ErrorKind::UntrustedSession => ErrorType::BillUntrustedSession,
            ErrorKind::Unavailable => ErrorType::BillUnavailable,
            ErrorKind::Refused => ErrorType::BillRefused,
            ErrorKind::BadAnswer => ErrorType::BillBadAnswer,
            ErrorKind::Deadline => ErrorType::BillDeadline,
            ErrorKind::CredentialsUnreadable => ErrorType::BillCredentialsUnreadable,
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.operation, self.kind)?;
        if let Some(cause) = &self.cause {
            write!(formatter, ", {cause}")?;
        }
        if let Some(status) = self.status {
            write!(formatter, ", status {status}")?;
        }
        for code in &self.codes {
            write!(formatter, ", {code}")?;
        }
        if self.attempts > 1 {
            write!(formatter, ", {} attempts", self.attempts)?;
        }

        match &self.last {
            Some(last_error) => write!(formatter, " (last error: {last_error})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SessionExpired => "session is not valid",
            Self::BadCredentials => "credentials are rejected",
            Self::HourExhausted => "no requests left in this hour",
            Self::TooManyAtOnce => "too many concurrent requests",
            Self::UntrustedSession => "session is not trusted",
            Self::Unavailable => "BILL is unavailable",
            Self::Refused => "request is refused",
            Self::BadAnswer => "unexpected response",
            Self::Deadline => "deadline exceeded",
            Self::CredentialsUnreadable => "credentials cannot be read",
        })
    }
}
