//! Sign-ins of the partner that failed, so that they are not repeated with every call.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    credentials::Credentials,
    error::{Error, ErrorKind},
};

/// How long credentials that BILL refused are not sent again.
const REFUSAL_TTL: Duration = Duration::from_mins(5);

/// How long no sign-in follows one that failed in another way.
const FAILURE_TTL: Duration = Duration::from_secs(30);

/// The sign-ins that are not repeated yet.
#[derive(Default)]
pub(super) struct FailedSignIns {
    entries: Vec<Entry>,
}

struct Entry {
    credentials: Arc<Credentials>,
    error: Error,
    expires_at: Instant,
}

impl FailedSignIns {
    /// Remembers the failure of a sign-in with these credentials, unless it is about something else
    /// than the sign-in.
    pub(super) fn remember(&mut self, credentials: &Arc<Credentials>, error: &Error) {
        let Some(ttl) = ttl(error) else {
            return;
        };
        self.entries
            .retain(|entry| entry.credentials != *credentials);
        self.entries.push(Entry {
            credentials: credentials.clone(),
            error: error.clone(),
            expires_at: Instant::now() + ttl,
        });
    }

    /// The error of the last sign-in with these credentials; `None` when they may be sent.
    pub(super) fn error_for(&mut self, credentials: &Credentials) -> Option<Error> {
        let now = Instant::now();
        self.entries.retain(|entry| now < entry.expires_at);
        self.entries
            .iter()
            .find(|entry| *entry.credentials == *credentials)
            .map(|entry| entry.error.clone())
    }
}

/// How long a failure is remembered. A deadline is the caller's, and another one may have a later
/// one. The hour's limit is known to all callers anyway.
fn ttl(error: &Error) -> Option<Duration> {
    match error.kind() {
        ErrorKind::BadCredentials
        | ErrorKind::Refused
        | ErrorKind::UntrustedSession
        | ErrorKind::SessionExpired => Some(REFUSAL_TTL),
        ErrorKind::Unavailable | ErrorKind::BadAnswer | ErrorKind::TooManyAtOnce => {
            Some(FAILURE_TTL)
        }
        ErrorKind::HourExhausted | ErrorKind::Deadline | ErrorKind::CredentialsUnreadable => None,
    }
}
