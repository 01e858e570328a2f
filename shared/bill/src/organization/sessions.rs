//! The session of one organization: opened for one of its users through the partner's session, and
//! replaced once when BILL rejects it.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    client_inner::ClientInner,
    error::{Cause, Error, ErrorKind},
    operation::Operation,
    partner_sessions::PartnerSession,
    response::ResponseParser,
    session_id::parse_session_id,
    transport::{Call, CallScope, DeadlineExceeded},
};

/// Sends calls with the current session of the organization.
pub(super) struct OrganizationSessions {
    client: Arc<ClientInner>,
    organization_id: String,
    current: Mutex<Option<Arc<OrganizationSession>>>,
}

/// A session as one user of the organization, and the partner's session that opened it.
struct OrganizationSession {
    id: SecretString,
    user_id: String,
    partner: Arc<PartnerSession>,
}

impl OrganizationSessions {
    pub(super) fn new(client: Arc<ClientInner>, organization_id: &str) -> Self {
        Self {
            client,
            organization_id: organization_id.to_owned(),
            current: Mutex::default(),
        }
    }

    /// Opens a session and makes it the current one.
    pub(super) async fn sign_in(&self, user_id: &str, scope: CallScope<'_>) -> Result<(), Error> {
        let mut current = self.lock_current(Operation::LoginAsUser, scope).await?;
        *current = Some(Arc::new(self.open_session(user_id, scope).await?));
        Ok(())
    }

    /// Sends a call with the current session. When BILL rejects the session or the developer key,
    /// there is one new sign-in and one retry.
    pub(super) async fn send<T>(
        &self,
        call: &Call,
        scope: CallScope<'_>,
        parse: ResponseParser<T>,
    ) -> Result<T, Error> {
        let not_signed_in = || {
            Error::with_cause(
                call.operation(),
                ErrorKind::SessionExpired,
                Cause::NotSignedIn,
            )
        };
        let session = self
            .lock_current(call.operation(), scope)
            .await?
            .clone()
            .ok_or_else(not_signed_in)?;
        let error = match self.send_with_session(&session, call, scope, parse).await {
            Err(error) if error.needs_new_session() => error,
            outcome => return outcome,
        };

        let session = self.renew_session(&session, &error, scope).await?;
        let outcome = self.send_with_session(&session, call, scope, parse).await;
        if let Err(error) = &outcome {
            self.client
                .sessions
                .remember_rejection(&session.partner, error)
                .await;
        }
        outcome
    }

    async fn send_with_session<T>(
        &self,
        session: &OrganizationSession,
        call: &Call,
        scope: CallScope<'_>,
        parse: ResponseParser<T>,
    ) -> Result<T, Error> {
        let headers = session.headers(call.operation())?;
        self.client
            .transport
            .send(call, &headers, scope, parse)
            .await
    }

    /// A session to use instead of `used`, which BILL rejected with `error`: the one that another
    /// caller opened in the meantime, or a new one.
    async fn renew_session(
        &self,
        used: &Arc<OrganizationSession>,
        error: &Error,
        scope: CallScope<'_>,
    ) -> Result<Arc<OrganizationSession>, Error> {
        let mut current = self.lock_current(Operation::LoginAsUser, scope).await?;
        if let Some(other) = current
            .as_ref()
            .filter(|current| !Arc::ptr_eq(current, used))
        {
            return Ok(other.clone());
        }

        if error.is_bad_credentials() {
            self.client
                .sessions
                .replace_session(&used.partner, error, scope)
                .await?;
        }
        let session = Arc::new(self.open_session(&used.user_id, scope).await?);
        *current = Some(session.clone());
        Ok(session)
    }

    async fn open_session(
        &self,
        user_id: &str,
        scope: CallScope<'_>,
    ) -> Result<OrganizationSession, Error> {
        let call = Call::new(Operation::LoginAsUser)
            .json(&json!({ "userId": user_id, "organizationId": self.organization_id }));
        let response = self
            .client
            .sessions
            .send(&call, scope, parse_session_id)
            .await?;

        Ok(OrganizationSession {
            id: response.value,
            user_id: user_id.to_owned(),
            partner: response.session,
        })
    }

    async fn lock_current(
        &self,
        operation: Operation,
        scope: CallScope<'_>,
    ) -> Result<MutexGuard<'_, Option<Arc<OrganizationSession>>>, Error> {
        let guard = scope.before_deadline(self.current.lock()).await;
        guard.map_err(|DeadlineExceeded| Error::deadline_exceeded(operation, None))
    }
}

impl OrganizationSession {
    fn headers(&self, operation: Operation) -> Result<HeaderMap, Error> {
        Call::new(operation)
            .header("sessionId", self.id.expose_secret())?
            .header("devKey", self.partner.credentials.dev_key.expose_secret())
            .map(Call::into_headers)
    }
}
