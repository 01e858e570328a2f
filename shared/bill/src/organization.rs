use std::{fmt, sync::Arc};

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::{
    sync::{Mutex, MutexGuard, Semaphore},
    time::Instant,
};

use crate::{
    answer::{self, Answer, ResponseParser, cause_of_json_error},
    client::Call,
    error::{Cause, Error, ErrorKind, Operation},
    lane::{CallScope, OutOfTime, RequestCounter},
    lenient,
    list::{self, Page, PageToken, Rows},
    model::{BankAccount, Organization, Payment, RiskVerification, User},
    partner::Bill,
    session::{PartnerSession, session_id},
};

/// The calls about one organization. Clones share everything: the deadline, the session, the count
/// of requests; and however many calls run side by side, at most two requests are on their way at
/// once.
#[derive(Clone)]
pub struct OrganizationClient {
    scope: Arc<Scope>,
}

struct Scope {
    bill: Bill,
    id: String,
    deadline: Instant,
    tally: RequestCounter,
    permits: Arc<Semaphore>,
    session: Mutex<Option<Arc<OrganizationSession>>>,
}

/// A session as one user of the organization, and the partner's session that it came from.
struct OrganizationSession {
    id: SecretString,
    user_id: String,
    partner: Arc<PartnerSession>,
}

impl OrganizationClient {
    pub(crate) fn new(bill: Bill, id: &str, deadline: Instant) -> Self {
        let permits = bill.partner.permits(id);
        let tally = RequestCounter::within(bill.partner.tally.clone());
        Self {
            scope: Arc::new(Scope {
                bill,
                id: id.to_owned(),
                deadline,
                tally,
                permits,
                session: Mutex::default(),
            }),
        }
    }

    /// The organization's own row in the list of the partner's organizations; `None` when BILL does
    /// not list it. Needs no [`Self::sign_in`].
    pub async fn listed(&self) -> Result<Option<Organization>, Error> {
        let call =
            Call::new(Operation::ListPartnerOrganizations).query(list::by_id(&self.scope.id));
        let sent = self
            .scope
            .bill
            .partner
            .sessions
            .send(&call, self.lane(), list::page::<Organization>)
            .await?;
        // Were the filter passed over, the rows would be those of others.
        Ok(sent
            .value
            .rows
            .into_iter()
            .find(|row| row.id.as_ref() == Some(&self.scope.id)))
    }

    /// Everybody who may use BILL for the organization, archived ones included, oldest first. Needs
    /// no [`Self::sign_in`].
    pub async fn users(&self) -> Result<Rows<User>, Error> {
        let mut rows = Rows::none();
        let mut next = None;
        loop {
            let page = self.users_page(next.as_ref()).await?;
            next = rows.take(page);
            if next.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Opens a session as one of the organization's users, for the calls below; a session that is
    /// open already is left to expire. [`ErrorKind::Refused`] when BILL does not let this user in:
    /// try another.
    pub async fn sign_in(&self, user_id: &str) -> Result<(), Error> {
        let mut current = self.lock_session(Operation::LoginAsUser).await?;
        *current = Some(Arc::new(self.opened(user_id).await?));
        Ok(())
    }

    /// All bank accounts, archived ones included, oldest first. Needs [`Self::sign_in`].
    pub async fn bank_accounts(&self) -> Result<Rows<BankAccount>, Error> {
        let mut rows = Rows::none();
        let mut next = None;
        loop {
            let page = self
                .page(
                    Operation::ListBankAccounts,
                    "createdTime:asc",
                    next.as_ref(),
                )
                .await?;
            next = rows.take(page);
            if next.is_none() {
                return Ok(rows);
            }
        }
    }

    /// One page of at most 100 payments, newest first; `None` for the first page. Needs
    /// [`Self::sign_in`].
    pub async fn payments_page(&self, page: Option<&PageToken>) -> Result<Page<Payment>, Error> {
        self.page(Operation::ListPayments, "createdTime:desc", page)
            .await
    }

    /// The state of the know-your-customer check; `None` before it began. Needs [`Self::sign_in`].
    pub async fn risk_verification(&self) -> Result<Option<RiskVerification>, Error> {
        self.send(&Call::new(Operation::GetRiskVerifications), verification)
            .await
    }

    /// Ends the organization's session, if one is open. A courtesy: an `Err` may be ignored.
    pub async fn log_out(&self) -> Result<(), Error> {
        let Some(session) = self.lock_session(Operation::Logout).await?.take() else {
            return Ok(());
        };
        match self
            .send_in(&session, &Call::new(Operation::Logout), answer::nothing)
            .await
        {
            Err(refusal) if refusal.is_session_expired() => Ok(()),
            outcome => outcome,
        }
    }

    /// Requests sent for this organization, repeats and logins included.
    pub fn requests(&self) -> u64 {
        self.scope.tally.requests()
    }

    /// Of these, the logins: as a user, and as the partner when this organization was the one to
    /// need it.
    pub fn sign_ins(&self) -> u64 {
        self.scope.tally.sign_ins()
    }

    async fn users_page(&self, page: Option<&PageToken>) -> Result<Page<User>, Error> {
        let call = Call::new(Operation::ListPartnerUsers)
            .query(list::query("createdTime:asc", page))
            .header("organizationId", &self.scope.id)?;
        let sent = self
            .scope
            .bill
            .partner
            .sessions
            .send(&call, self.lane(), list::page)
            .await?;
        sent.value.following(call.operation(), page)
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        operation: Operation,
        sort: &'static str,
        page: Option<&PageToken>,
    ) -> Result<Page<T>, Error> {
        let call = Call::new(operation).query(list::query(sort, page));
        self.send(&call, list::page)
            .await?
            .following(operation, page)
    }

    /// Sends a call in the organization's session. When BILL no longer knows the session, or
    /// refuses the developer key, there is one new sign-in and one repeat.
    async fn send<T>(&self, call: &Call, reader: ResponseParser<T>) -> Result<T, Error> {
        let not_signed_in = || {
            Error::because(
                call.operation(),
                ErrorKind::SessionExpired,
                Cause::NotSignedIn,
            )
        };
        let session = self
            .lock_session(call.operation())
            .await?
            .clone()
            .ok_or_else(not_signed_in)?;
        let refusal = match self.send_in(&session, call, reader).await {
            Err(refusal) if refusal.needs_new_session() => refusal,
            outcome => return outcome,
        };
        let session = self.renew_session(&session, &refusal).await?;
        let outcome = self.send_in(&session, call, reader).await;
        if let Err(refusal) = &outcome {
            self.scope
                .bill
                .partner
                .sessions
                .remember_rejection(&session.partner, refusal)
                .await;
        }
        outcome
    }

    async fn send_in<T>(
        &self,
        session: &OrganizationSession,
        call: &Call,
        reader: ResponseParser<T>,
    ) -> Result<T, Error> {
        let headers = session.headers(call.operation())?;
        self.scope
            .bill
            .partner
            .client
            .send(call, &headers, self.lane(), reader)
            .await
    }

    async fn renew_session(
        &self,
        used: &Arc<OrganizationSession>,
        refusal: &Error,
    ) -> Result<Arc<OrganizationSession>, Error> {
        let mut current = self.lock_session(Operation::LoginAsUser).await?;
        if let Some(other) = current
            .as_ref()
            .filter(|current| !Arc::ptr_eq(current, used))
        {
            return Ok(other.clone());
        }
        if refusal.is_bad_credentials() {
            self.scope
                .bill
                .partner
                .sessions
                .replaced(&used.partner, refusal, self.lane())
                .await?;
        }
        let opened = Arc::new(self.opened(&used.user_id).await?);
        *current = Some(opened.clone());
        Ok(opened)
    }

    async fn opened(&self, user_id: &str) -> Result<OrganizationSession, Error> {
        let call = Call::new(Operation::LoginAsUser)
            .json(&json!({ "userId": user_id, "organizationId": self.scope.id }));
        let sent = self
            .scope
            .bill
            .partner
            .sessions
            .send(&call, self.lane(), session_id)
            .await?;
        Ok(OrganizationSession {
            id: sent.value,
            user_id: user_id.to_owned(),
            partner: sent.session,
        })
    }

    async fn lock_session(
        &self,
        operation: Operation,
    ) -> Result<MutexGuard<'_, Option<Arc<OrganizationSession>>>, Error> {
        let slot = self.lane().before_deadline(self.scope.session.lock()).await;
        slot.map_err(|OutOfTime| Error::out_of_time(operation, None))
    }

    fn lane(&self) -> CallScope<'_> {
        CallScope::limited(self.scope.deadline, &self.scope.tally, &self.scope.permits)
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

/// What BILL answers before the check began is unknown: an empty object, no content and a 404 of
/// BILL's own all mean "not yet". A gateway's 404 page does not.
fn verification(answer: &Answer) -> Result<Option<RiskVerification>, Cause> {
    if answer.status == 204 || (answer.status == 404 && answer.has_bill_errors()) {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(Cause::UnexpectedJson);
    }
    let raw: &serde_json::value::RawValue =
        serde_json::from_str(&answer.body).map_err(|error| cause_of_json_error(&error))?;
    let verification: RiskVerification = lenient::object(raw).ok_or(Cause::UnexpectedJson)?;
    Ok(Some(verification).filter(|verification| *verification != RiskVerification::default()))
}

impl fmt::Debug for OrganizationClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OrganizationCalls")
            .field("organization_id", &self.scope.id)
            .finish_non_exhaustive()
    }
}
