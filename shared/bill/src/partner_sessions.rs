//! The partner's session: one per process, opened by the first call that needs it, and replaced
//! when BILL rejects it.

mod failed_sign_ins;
mod session;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    credentials::{CredentialError, CredentialSource, Credentials},
    error::{Cause, Error, ErrorKind},
    operation::Operation,
    response::ResponseParser,
    session_id::parse_session_id,
    transport::{Call, CallScope, DeadlineExceeded, Transport},
};
use failed_sign_ins::FailedSignIns;

pub(crate) use session::PartnerSession;

/// Sends calls with the current session of the partner. The lock on the state is held during a
/// sign-in, so that concurrent callers cause only one.
pub(crate) struct PartnerSessions {
    transport: Transport,
    source: Arc<dyn CredentialSource>,
    state: Mutex<SessionState>,
    /// Number of sign-ins that ended, successful or not. A caller that waited for the lock compares
    /// it to find out whether a sign-in ended in the meantime.
    completed_sign_ins: AtomicU64,
}

#[derive(Default)]
struct SessionState {
    current: Option<Arc<PartnerSession>>,
    failed: FailedSignIns,
    last_failure: Option<Error>,
}

/// The parsed response of a call, and the session that the call was sent with.
pub(crate) struct WithSession<T> {
    pub(crate) value: T,
    pub(crate) session: Arc<PartnerSession>,
}

impl PartnerSessions {
    pub(crate) fn new(transport: Transport, source: Arc<dyn CredentialSource>) -> Self {
        Self {
            transport,
            source,
            state: Mutex::default(),
            completed_sign_ins: AtomicU64::new(0),
        }
    }

    /// Sends a call with the current session. When BILL rejects the session or the credentials,
    /// there is one new sign-in, shared by all waiting callers, and one retry.
    pub(crate) async fn send<T>(
        &self,
        call: &Call,
        scope: CallScope<'_>,
        parse: ResponseParser<T>,
    ) -> Result<WithSession<T>, Error> {
        let session = self.current_or_open(scope).await?;
        let error = match self.send_with_session(&session, call, scope, parse).await {
            Err(error) if error.needs_new_session() => error,
            outcome => return outcome.map(|value| WithSession { value, session }),
        };

        let session = self.replace_session(&session, &error, scope).await?;
        let outcome = self.send_with_session(&session, call, scope, parse).await;
        if let Err(error) = &outcome {
            self.remember_rejection(&session, error).await;
        }
        outcome.map(|value| WithSession { value, session })
    }

    /// A session to use instead of `used`, which BILL rejected with `error`: the one that another
    /// caller opened in the meantime, or a new one. After [`ErrorKind::BadCredentials`] a new one
    /// is opened only with other credentials.
    pub(crate) async fn replace_session(
        &self,
        used: &Arc<PartnerSession>,
        error: &Error,
        scope: CallScope<'_>,
    ) -> Result<Arc<PartnerSession>, Error> {
        let mut state = self.lock_state(scope).await?;
        if let Some(current) = state
            .current
            .as_ref()
            .filter(|current| !Arc::ptr_eq(current, used))
        {
            return Ok(current.clone());
        }

        state.current = None;
        let outcome = if error.is_bad_credentials() {
            match state.failed.error_for(&used.credentials) {
                Some(error) => Err(error),
                None => {
                    self.open_with_refreshed_credentials(
                        &mut state,
                        &used.credentials,
                        error,
                        scope,
                    )
                    .await
                }
            }
        } else {
            self.open_session(&mut state, scope).await
        };
        self.record_sign_in(&mut state, outcome)
    }

    /// Remembers the credentials of a session when `error` says that BILL rejects them, and drops
    /// the session.
    pub(crate) async fn remember_rejection(&self, session: &Arc<PartnerSession>, error: &Error) {
        if error.is_bad_credentials() {
            let mut state = self.state.lock().await;
            state.failed.remember(&session.credentials, error);
            state
                .current
                .take_if(|current| Arc::ptr_eq(current, session));
        }
    }

    async fn send_with_session<T>(
        &self,
        session: &PartnerSession,
        call: &Call,
        scope: CallScope<'_>,
        parse: ResponseParser<T>,
    ) -> Result<T, Error> {
        let headers = session.headers(call.operation())?;
        let value = self.transport.send(call, &headers, scope, parse).await?;
        session.touch();
        Ok(value)
    }

    /// The current session if it is fresh, else a new one. `Err` is the failure of the sign-in.
    async fn current_or_open(&self, scope: CallScope<'_>) -> Result<Arc<PartnerSession>, Error> {
        let mut state = self.lock_state(scope).await?;
        if let Some(session) = state.current.as_ref().filter(|session| session.is_fresh()) {
            return Ok(session.clone());
        }

        let outcome = self.open_session(&mut state, scope).await;
        self.record_sign_in(&mut state, outcome)
    }

    /// Locks the state, after a sign-in that another caller has started. When that sign-in failed,
    /// its error is returned here too; otherwise all waiting callers would repeat it one by one.
    async fn lock_state(
        &self,
        scope: CallScope<'_>,
    ) -> Result<MutexGuard<'_, SessionState>, Error> {
        let completed_before = self.completed_sign_ins.load(Ordering::Acquire);
        let state = scope
            .before_deadline(self.state.lock())
            .await
            .map_err(|DeadlineExceeded| Error::deadline_exceeded(Operation::PartnerLogin, None))?;

        match &state.last_failure {
            Some(failure)
                if state.current.is_none()
                    && self.completed_sign_ins.load(Ordering::Acquire) != completed_before =>
            {
                Err(failure.clone())
            }
            _ => Ok(state),
        }
    }

    fn record_sign_in(
        &self,
        state: &mut SessionState,
        outcome: Result<PartnerSession, Error>,
    ) -> Result<Arc<PartnerSession>, Error> {
        let outcome = outcome.map(Arc::new);
        state.current = outcome.as_ref().ok().cloned();
        // A deadline is not shared: another caller may have a later one.
        state.last_failure = outcome
            .as_ref()
            .err()
            .filter(|error| error.kind() != ErrorKind::Deadline)
            .cloned();
        self.completed_sign_ins.fetch_add(1, Ordering::Release);
        outcome
    }

    async fn open_session(
        &self,
        state: &mut SessionState,
        scope: CallScope<'_>,
    ) -> Result<PartnerSession, Error> {
        let credentials = read_credentials(self.source.credentials(), scope).await?;
        if let Some(error) = state.failed.error_for(&credentials) {
            return Err(error);
        }

        match self.sign_in(&credentials, scope).await {
            Err(error) if error.is_bad_credentials() => {
                self.open_with_refreshed_credentials(state, &credentials, &error, scope)
                    .await
            }
            Err(error) => {
                state.failed.remember(&credentials, &error);
                Err(error)
            }
            Ok(session) => Ok(session),
        }
    }

    /// Refreshes the credentials after BILL rejected `rejected` with `error`, and signs in unless
    /// the refreshed ones were rejected before as well.
    async fn open_with_refreshed_credentials(
        &self,
        state: &mut SessionState,
        rejected: &Arc<Credentials>,
        error: &Error,
        scope: CallScope<'_>,
    ) -> Result<PartnerSession, Error> {
        state.failed.remember(rejected, error);
        let refreshed_credentials = read_credentials(self.source.refresh(), scope).await?;
        if let Some(error) = state.failed.error_for(&refreshed_credentials) {
            return Err(error);
        }

        let outcome = self.sign_in(&refreshed_credentials, scope).await;
        if let Err(error) = &outcome {
            state.failed.remember(&refreshed_credentials, error);
        }
        outcome
    }

    async fn sign_in(
        &self,
        credentials: &Arc<Credentials>,
        scope: CallScope<'_>,
    ) -> Result<PartnerSession, Error> {
        let call = Call::new(Operation::PartnerLogin).json(&json!({
            "username": credentials.username.expose_secret(),
            "password": credentials.password.expose_secret(),
            "appKey": credentials.app_key.expose_secret(),
        }));
        let id = self
            .transport
            .send(
                &call,
                &HeaderMap::new(),
                scope.without_concurrency_limit(),
                parse_session_id,
            )
            .await?;

        Ok(PartnerSession::new(id, credentials.clone()))
    }
}

async fn read_credentials<F>(read: F, scope: CallScope<'_>) -> Result<Arc<Credentials>, Error>
where
    F: Future<Output = Result<Arc<Credentials>, CredentialError>>,
{
    let cannot_be_read = |error| {
        Error::with_cause(
            Operation::PartnerLogin,
            ErrorKind::CredentialsUnreadable,
            Cause::Credentials(error),
        )
    };
    match scope.before_deadline(read).await {
        Ok(outcome) => outcome.map_err(cannot_be_read),
        Err(DeadlineExceeded) => Err(Error::deadline_exceeded(Operation::PartnerLogin, None)),
    }
}
