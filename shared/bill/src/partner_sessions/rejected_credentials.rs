//! Credentials that BILL rejected, so that they are not sent with every call.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{credentials::Credentials, error::Error};

const REJECTED_CREDENTIALS_TTL: Duration = Duration::from_mins(5);

/// The credentials that were rejected in the last five minutes.
#[derive(Default)]
pub(super) struct RejectedCredentials {
    entries: Vec<Entry>,
}

struct Entry {
    credentials: Arc<Credentials>,
    error: Error,
    rejected_at: Instant,
}

impl RejectedCredentials {
    pub(super) fn remember(&mut self, credentials: &Arc<Credentials>, error: &Error) {
        self.entries
            .retain(|entry| entry.credentials != *credentials);
        self.entries.push(Entry {
            credentials: credentials.clone(),
            error: error.clone(),
            rejected_at: Instant::now(),
        });
    }

    /// The error that BILL returned for these credentials; `None` when they may be sent.
    pub(super) fn error_for(&mut self, credentials: &Credentials) -> Option<Error> {
        self.entries
            .retain(|entry| entry.rejected_at.elapsed() < REJECTED_CREDENTIALS_TTL);
        self.entries
            .iter()
            .find(|entry| *entry.credentials == *credentials)
            .map(|entry| entry.error.clone())
    }
}
