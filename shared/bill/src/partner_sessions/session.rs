//! One session of the partner.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::{credentials::Credentials, error::Error, operation::Operation, transport::Call};

/// BILL expires a session after 35 minutes without a request. A session is replaced five minutes
/// earlier, so that it does not expire between this check and the arrival of the request.
const SESSION_IDLE_LIMIT: Duration = Duration::from_mins(30);

/// A session of the partner, and the credentials that opened it.
pub(crate) struct PartnerSession {
    id: SecretString,
    pub(crate) credentials: Arc<Credentials>,
    last_used: Mutex<Instant>,
}

impl PartnerSession {
    pub(super) fn new(id: SecretString, credentials: Arc<Credentials>) -> Self {
        Self {
            id,
            credentials,
            last_used: Mutex::new(Instant::now()),
        }
    }

    pub(super) fn headers(&self, operation: Operation) -> Result<HeaderMap, Error> {
        Call::new(operation)
            .header("sessionId", self.id.expose_secret())?
            .header("appKey", self.credentials.app_key.expose_secret())
            .map(Call::into_headers)
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
            < SESSION_IDLE_LIMIT
    }

    pub(super) fn touch(&self) {
        *self
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}
