use std::{fmt, time::Duration};

use reqwest::Method;

use crate::credentials::CredentialError;

/// Why a call came to nothing, after everything worth trying was tried.
///
/// Its texts name the operation, the status and BILL's codes. Messages, parameters, ids and bodies
/// of BILL's answers are dropped when the answer is read, so neither `Display` nor `Debug` can show
/// them.
#[derive(Debug, Clone)]
pub struct Error {
    operation: Operation,
    kind: ErrorKind,
    status: Option<u16>,
    codes: Vec<Code>,
    cause: Option<Cause>,
    retry_after: Option<Duration>,
    attempts: u32,
    last: Option<Box<Error>>,
}

/// What an [`Error`] means to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// `BDC_1109` or a bare 401, again after one new login; or a call before
    /// [`crate::OrganizationClient::sign_in`].
    SessionExpired,
    /// `BDC_1101` or `BDC_1102`. Stop: nothing helps but other credentials. Remembered for five
    /// minutes.
    BadCredentials,
    /// `BDC_1144`. Nobody may call BILL with this key before the next clock hour.
    HourExhausted,
    /// `BDC_1322`, still, after waiting.
    TooManyAtOnce,
    /// `BDC_1361`: the operation wants a session with multi-factor trust.
    UntrustedSession,
    /// No answer, 408, 429 or 5xx, still, after waiting.
    Unavailable,
    /// BILL understood and said no; repeating changes nothing.
    Refused,
    /// The answer is not what the contract promises.
    BadAnswer,
    /// The caller's deadline came first; [`Error::last`] tells what stood in the way, if anything
    /// did.
    Deadline,
    /// There were no credentials to log in with.
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

    pub(crate) fn because(operation: Operation, kind: ErrorKind, cause: Cause) -> Self {
        Self {
            cause: Some(cause),
            ..Self::new(operation, kind)
        }
    }

    pub(crate) fn answered(
        operation: Operation,
        kind: ErrorKind,
        status: u16,
        codes: Vec<Code>,
        retry_after: Option<Duration>,
    ) -> Self {
        Self {
            status: Some(status),
            codes,
            retry_after,
            ..Self::new(operation, kind)
        }
    }

    pub(crate) fn out_of_time(operation: Operation, last: Option<Error>) -> Self {
        let attempts = last.as_ref().map_or(0, |last| last.attempts);
        Self {
            last: last.map(Box::new),
            attempts,
            ..Self::new(operation, ErrorKind::Deadline)
        }
    }

    pub(crate) fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The call that failed; a login that another call needed is named itself.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// What it means to the caller.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// HTTP status of BILL's answer, when there was one.
    pub fn status(&self) -> Option<u16> {
        self.status.or_else(|| self.last()?.status())
    }

    /// BILL's codes in the answer, in its order.
    pub fn codes(&self) -> &[Code] {
        match self.last() {
            Some(last) if self.codes.is_empty() => last.codes(),
            _ => &self.codes,
        }
    }

    /// What went wrong when no status and no code says it.
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// What stood in the way until the deadline came.
    pub fn last(&self) -> Option<&Error> {
        self.last.as_deref()
    }

    /// How long BILL asked to wait, from the header `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after.or_else(|| self.last()?.retry_after())
    }

    /// Whether the same call may succeed later without anybody's help. The client itself has tried
    /// as often as makes sense now.
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

    /// Whether the session is gone and a new login did not help.
    pub fn is_session_expired(&self) -> bool {
        self.kind == ErrorKind::SessionExpired
    }

    /// Whether BILL refuses the user name, the password or a key.
    pub fn is_bad_credentials(&self) -> bool {
        self.kind == ErrorKind::BadCredentials
    }

    /// Whether the developer key has no requests left in this clock hour.
    pub fn is_hour_exhausted(&self) -> bool {
        self.kind == ErrorKind::HourExhausted
    }

    /// Whether too many requests for one organization ran at once.
    pub fn is_too_many_at_once(&self) -> bool {
        self.kind == ErrorKind::TooManyAtOnce
    }

    /// Whether the operation wants a session with multi-factor trust.
    pub fn is_untrusted_session(&self) -> bool {
        self.kind == ErrorKind::UntrustedSession
    }

    /// A name for logs, metrics and alarms; the set is closed and the names never change.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            ErrorKind::SessionExpired => "bill_session_expired",
            ErrorKind::BadCredentials => "bill_bad_credentials",
            ErrorKind::HourExhausted => "bill_hour_exhausted",
            ErrorKind::TooManyAtOnce => "bill_too_many_at_once",
            ErrorKind::UntrustedSession => "bill_untrusted_session",
            ErrorKind::Unavailable => "bill_unavailable",
            ErrorKind::Refused => "bill_refused",
            ErrorKind::BadAnswer => "bill_bad_answer",
            ErrorKind::Deadline => "bill_deadline",
            ErrorKind::CredentialsUnreadable => "bill_credentials_unreadable",
        }
    }

    /// Whether the very same request should be sent again soon, by this client.
    pub(crate) fn should_retry_now(&self) -> bool {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::TooManyAtOnce => true,
            ErrorKind::BadAnswer => {
                matches!(self.cause, Some(Cause::NotJson | Cause::IncompleteBody))
            }
            _ => false,
        }
    }

    /// Whether another session, or other credentials, may help.
    pub(crate) fn needs_new_session(&self) -> bool {
        self.is_session_expired() || self.is_bad_credentials()
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
            write!(formatter, ", {} tries", self.attempts)?;
        }
        match &self.last {
            Some(last) => write!(formatter, " (before it: {last})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SessionExpired => "session is not valid",
            Self::BadCredentials => "credentials are refused",
            Self::HourExhausted => "no requests left in this hour",
            Self::TooManyAtOnce => "too many requests at once",
            Self::UntrustedSession => "session is not trusted",
            Self::Unavailable => "BILL is unavailable",
            Self::Refused => "request is refused",
            Self::BadAnswer => "answer is unreadable",
            Self::Deadline => "out of time",
            Self::CredentialsUnreadable => "credentials are unreadable",
        })
    }
}

/// What went wrong when no status and no code says it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Cause {
    /// The source of the credentials failed.
    #[error("{0}")]
    Credentials(CredentialError),
    /// A key, a session or an organization's id holds something that no HTTP header may hold.
    #[error("a value is unfit for a header")]
    InvalidHeaderValue,
    /// No connection to BILL.
    #[error("no connection")]
    ConnectFailed,
    /// The request took too long.
    #[error("timed out")]
    TimedOut,
    /// The connection ended before the answer did.
    #[error("connection broke")]
    ConnectionLost,
    /// The answer's body ended early.
    #[error("body is cut off")]
    IncompleteBody,
    /// The answer's body is not JSON: HTML of a gateway, for example.
    #[error("body is not JSON")]
    NotJson,
    /// The answer's body is larger than any answer of BILL's.
    #[error("body is too large")]
    BodyTooLarge,
    /// The answer is JSON of another shape.
    #[error("body has another shape")]
    UnexpectedJson,
    /// A list's next page is the page itself; following it would never end.
    #[error("list repeats its page")]
    RepeatedPageToken,
    /// A call about an organization before anybody signed in to it.
    #[error("nobody signed in")]
    NotSignedIn,
}

/// One of BILL's error codes, such as `BDC_1109`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// `None` for a text that does not look like a code; an answer's field may hold anything.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("BDC_")?;
        let is_code = (1..=20).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        is_code.then(|| Self(text.to_owned()))
    }

    /// The code as BILL writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The operations of BILL's API that this client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as in BILL's API document")]
pub enum Operation {
    PartnerLogin,
    LoginAsUser,
    Logout,
    ListPartnerOrganizations,
    ListPartnerUsers,
    ListBankAccounts,
    ListPayments,
    GetRiskVerifications,
    CreateSubscription,
    GetAllSubscriptions,
    GetSubscription,
    DeleteSubscription,
    SendTestEvent,
}

impl Operation {
    /// The operation's id in BILL's API document.
    pub fn id(self) -> &'static str {
        match self {
            Self::PartnerLogin => "partnerLogin",
            Self::LoginAsUser => "loginAsUser",
            Self::Logout => "logout",
            Self::ListPartnerOrganizations => "listPartnerOrganizations",
            Self::ListPartnerUsers => "listPartnerUsers",
            Self::ListBankAccounts => "listBankAccounts",
            Self::ListPayments => "listPayments",
            Self::GetRiskVerifications => "getRiskVerifications",
            Self::CreateSubscription => "createSubscription",
            Self::GetAllSubscriptions => "getAllSubscriptions",
            Self::GetSubscription => "getSubscription",
            Self::DeleteSubscription => "deleteSubscription",
            Self::SendTestEvent => "sendTestEvent",
        }
    }

    /// Beneath the base URL; what is about one subscription has the subscription's id after it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::PartnerLogin => "/v3/partner/login",
            Self::LoginAsUser => "/v3/partner/login-as-user",
            Self::Logout => "/v3/logout",
            Self::ListPartnerOrganizations => "/v3/partner/organizations",
            Self::ListPartnerUsers => "/v3/partner/users",
            Self::ListBankAccounts => "/v3/funding-accounts/banks",
            Self::ListPayments => "/v3/payments",
            Self::GetRiskVerifications => "/v3/risk-verifications",
            Self::CreateSubscription
            | Self::GetAllSubscriptions
            | Self::GetSubscription
            | Self::DeleteSubscription
            | Self::SendTestEvent => "/v3/subscriptions",
        }
    }

    pub(crate) fn is_sign_in(self) -> bool {
        matches!(self, Self::PartnerLogin | Self::LoginAsUser)
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::PartnerLogin
            | Self::LoginAsUser
            | Self::Logout
            | Self::CreateSubscription
            | Self::SendTestEvent => Method::POST,
            Self::DeleteSubscription => Method::DELETE,
            _ => Method::GET,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}
