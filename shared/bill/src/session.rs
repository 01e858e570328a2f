//! The partner's session: one per process, opened by whoever needs it first, renewed when BILL
//! forgets it.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use crate::{
    answer::{Answer, ResponseParser, cause_of_json_error},
    client::{Call, Client},
    credentials::{CredentialError, CredentialSource, Credentials},
    error::{Cause, Error, ErrorKind, Operation},
    lane::{CallScope, OutOfTime},
};

/// BILL forgets a session after 35 idle minutes.
const SESSION_IDLE_LIMIT: Duration = Duration::from_mins(30);
const REJECTED_CREDENTIALS_TTL: Duration = Duration::from_mins(5);

/// A session of the partner, and the credentials that it was opened with.
pub(crate) struct PartnerSession {
    id: SecretString,
    pub(crate) credentials: Arc<Credentials>,
    last_used: std::sync::Mutex<Instant>,
}

/// Gives every caller a session. The desk's lock is held while a login runs, so that many callers
/// cost one login.
pub(crate) struct PartnerSessions {
    client: Client,
    source: Arc<dyn CredentialSource>,
    desk: Mutex<SessionState>,
    /// Logins that ended, well or badly: tells a caller who waited that the login it waited for is
    /// over.
    completed_sign_ins: AtomicU64,
}

#[derive(Default)]
struct SessionState {
    current: Option<Arc<PartnerSession>>,
    rejections: Vec<Rejection>,
    last_failure: Option<Error>,
}

/// Credentials that BILL refused, so that nobody offers them again for a while.
struct Rejection {
    credentials: Arc<Credentials>,
    error: Error,
    at: Instant,
}

/// What a call gave, and the session that it ran in.
pub(crate) struct Sent<T> {
    pub(crate) value: T,
    pub(crate) session: Arc<PartnerSession>,
}

impl PartnerSessions {
    pub(crate) fn new(client: Client, source: Arc<dyn CredentialSource>) -> Self {
        Self {
            client,
            source,
            desk: Mutex::default(),
            completed_sign_ins: AtomicU64::new(0),
        }
    }

    /// Sends a partner call in the current session. When BILL no longer knows the session, or
    /// refuses the credentials, there is one new login (shared by all who wait for it) and one
    /// repeat.
    pub(crate) async fn send<T>(
        &self,
        call: &Call,
        lane: CallScope<'_>,
        reader: ResponseParser<T>,
    ) -> Result<Sent<T>, Error> {
        let session = self.current(lane).await?;
        let refusal = match self.send_in(&session, call, lane, reader).await {
            Err(refusal) if refusal.needs_new_session() => refusal,
            outcome => return outcome.map(|value| Sent { value, session }),
        };
        let session = self.replaced(&session, &refusal, lane).await?;
        let outcome = self.send_in(&session, call, lane, reader).await;
        if let Err(refusal) = &outcome {
            self.remember_rejection(&session, refusal).await;
        }
        outcome.map(|value| Sent { value, session })
    }

    async fn send_in<T>(
        &self,
        session: &PartnerSession,
        call: &Call,
        lane: CallScope<'_>,
        reader: ResponseParser<T>,
    ) -> Result<T, Error> {
        let headers = session.headers(call.operation())?;
        let value = self.client.send(call, &headers, lane, reader).await?;
        session.touch();
        Ok(value)
    }

    /// The current session, or a new one. `Err` says why nobody can log in now.
    async fn current(&self, lane: CallScope<'_>) -> Result<Arc<PartnerSession>, Error> {
        let mut desk = self.desk(lane).await?;
        if let Some(session) = desk.current.as_ref().filter(|session| session.is_fresh()) {
            return Ok(session.clone());
        }
        let opened = self.opened(&mut desk, lane).await;
        self.keep(&mut desk, opened)
    }

    /// A session instead of one that BILL refused: the one that somebody else opened meanwhile, or
    /// a new one. After [`ErrorKind::BadCredentials`] only with credentials that differ.
    pub(crate) async fn replaced(
        &self,
        used: &Arc<PartnerSession>,
        refusal: &Error,
        lane: CallScope<'_>,
    ) -> Result<Arc<PartnerSession>, Error> {
        let mut desk = self.desk(lane).await?;
        if let Some(current) = desk
            .current
            .as_ref()
            .filter(|current| !Arc::ptr_eq(current, used))
        {
            return Ok(current.clone());
        }
        desk.current = None;
        let opened = if refusal.is_bad_credentials() {
            match desk.rejection_error(&used.credentials) {
                Some(error) => Err(error),
                None => {
                    self.open_with_refreshed_credentials(
                        &mut desk,
                        &used.credentials,
                        refusal,
                        lane,
                    )
                    .await
                }
            }
        } else {
            self.opened(&mut desk, lane).await
        };
        self.keep(&mut desk, opened)
    }

    /// Takes note when even a replaced session's credentials are refused.
    pub(crate) async fn remember_rejection(&self, session: &Arc<PartnerSession>, refusal: &Error) {
        if refusal.is_bad_credentials() {
            let mut desk = self.desk.lock().await;
            desk.reject(&session.credentials, refusal);
            desk.current
                .take_if(|current| Arc::ptr_eq(current, session));
        }
    }

    /// Ends the session, if there is one. Nobody needs to: BILL ends idle sessions itself.
    pub(crate) async fn log_out(&self, lane: CallScope<'_>) -> Result<(), Error> {
        let Some(session) = self.desk(lane).await?.current.take() else {
            return Ok(());
        };
        // BILL documents `devKey` here; whether `appKey` may take its place is unknown, so both are
        // sent.
        let call = Call::new(Operation::Logout)
            .header("devKey", session.credentials.dev_key.expose_secret())?;
        match self
            .send_in(&session, &call, lane, crate::answer::nothing)
            .await
        {
            Err(refusal) if refusal.is_session_expired() => Ok(()),
            outcome => outcome,
        }
    }

    /// The desk, once nobody else logs in. When that login failed, its failure is this caller's
    /// too, so that ten callers do not fail one after the other.
    async fn desk(&self, lane: CallScope<'_>) -> Result<MutexGuard<'_, SessionState>, Error> {
        let seen = self.completed_sign_ins.load(Ordering::Acquire);
        let desk = lane
            .before_deadline(self.desk.lock())
            .await
            .map_err(|OutOfTime| Error::out_of_time(Operation::PartnerLogin, None))?;
        match &desk.last_failure {
            Some(failure)
                if desk.current.is_none()
                    && self.completed_sign_ins.load(Ordering::Acquire) != seen =>
            {
                Err(failure.clone())
            }
            _ => Ok(desk),
        }
    }

    fn keep(
        &self,
        desk: &mut SessionState,
        opened: Result<PartnerSession, Error>,
    ) -> Result<Arc<PartnerSession>, Error> {
        let opened = opened.map(Arc::new);
        desk.current = opened.as_ref().ok().cloned();
        // Another caller may have more time than this one had.
        desk.last_failure = opened
            .as_ref()
            .err()
            .filter(|error| error.kind() != ErrorKind::Deadline)
            .cloned();
        self.completed_sign_ins.fetch_add(1, Ordering::Release);
        opened
    }

    async fn opened(
        &self,
        desk: &mut SessionState,
        lane: CallScope<'_>,
    ) -> Result<PartnerSession, Error> {
        let credentials = credentials(self.source.credentials(), lane).await?;
        if let Some(error) = desk.rejection_error(&credentials) {
            return Err(error);
        }
        match self.log_in(&credentials, lane).await {
            Err(refusal) if refusal.is_bad_credentials() => {
                self.open_with_refreshed_credentials(desk, &credentials, &refusal, lane)
                    .await
            }
            outcome => outcome,
        }
    }

    /// Asks the source once more after a refusal, and logs in only with credentials that were not
    /// refused yet.
    async fn open_with_refreshed_credentials(
        &self,
        desk: &mut SessionState,
        refused: &Arc<Credentials>,
        refusal: &Error,
        lane: CallScope<'_>,
    ) -> Result<PartnerSession, Error> {
        desk.reject(refused, refusal);
        let others = credentials(self.source.refreshed(), lane).await?;
        if let Some(error) = desk.rejection_error(&others) {
            return Err(error);
        }
        let outcome = self.log_in(&others, lane).await;
        if let Err(refusal) = &outcome
            && refusal.is_bad_credentials()
        {
            desk.reject(&others, refusal);
        }
        outcome
    }

    async fn log_in(
        &self,
        credentials: &Arc<Credentials>,
        lane: CallScope<'_>,
    ) -> Result<PartnerSession, Error> {
        let call = Call::new(Operation::PartnerLogin).json(&json!({
            "username": credentials.username.expose_secret(),
            "password": credentials.password.expose_secret(),
            "appKey": credentials.app_key.expose_secret(),
        }));
        let id = self
            .client
            .send(
                &call,
                &HeaderMap::new(),
                lane.without_concurrency_limit(),
                session_id,
            )
            .await?;
        Ok(PartnerSession {
            id,
            credentials: credentials.clone(),
            last_used: std::sync::Mutex::new(Instant::now()),
        })
    }
}

impl PartnerSession {
    fn headers(&self, operation: Operation) -> Result<HeaderMap, Error> {
        Call::new(operation)
            .header("sessionId", self.id.expose_secret())?
            .header("appKey", self.credentials.app_key.expose_secret())
            .map(Call::into_headers)
    }

    fn is_fresh(&self) -> bool {
        self.last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
            < SESSION_IDLE_LIMIT
    }

    fn touch(&self) {
        *self
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl SessionState {
    fn reject(&mut self, credentials: &Arc<Credentials>, error: &Error) {
        self.rejections
            .retain(|rejection| rejection.credentials != *credentials);
        self.rejections.push(Rejection {
            credentials: credentials.clone(),
            error: error.clone(),
            at: Instant::now(),
        });
    }

    fn rejection_error(&mut self, credentials: &Credentials) -> Option<Error> {
        self.rejections
            .retain(|rejection| rejection.at.elapsed() < REJECTED_CREDENTIALS_TTL);
        self.rejections
            .iter()
            .find(|rejection| *rejection.credentials == *credentials)
            .map(|rejection| rejection.error.clone())
    }
}

async fn credentials<F>(read: F, lane: CallScope<'_>) -> Result<Arc<Credentials>, Error>
where
    F: Future<Output = Result<Arc<Credentials>, CredentialError>>,
{
    let unreadable = |error| {
        Error::because(
            Operation::PartnerLogin,
            ErrorKind::CredentialsUnreadable,
            Cause::Credentials(error),
        )
    };
    match lane.before_deadline(read).await {
        Ok(outcome) => outcome.map_err(unreadable),
        Err(OutOfTime) => Err(Error::out_of_time(Operation::PartnerLogin, None)),
    }
}

/// Reads the session that a login gives; an answer without one is of the wrong shape.
pub(crate) fn session_id(answer: &Answer) -> Result<SecretString, Cause> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Login {
        session_id: SecretString,
    }

    if !answer.is_success() {
        return Err(Cause::UnexpectedJson);
    }
    let login: Login =
        serde_json::from_str(&answer.body).map_err(|error| cause_of_json_error(&error))?;
    if login.session_id.expose_secret().is_empty() {
        Err(Cause::UnexpectedJson)
    } else {
        Ok(login.session_id)
    }
}
