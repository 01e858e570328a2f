//! The calls about one organization.

mod sessions;

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    client_inner::ClientInner,
    error::{Cause, Error},
    list::{self, ListResult, Page, PageToken},
    model::{BankAccount, Organization, Payment, RiskVerification, User},
    operation::Operation,
    response::{ApiResponse, ResponseParser},
    transport::{Call, CallScope, RequestCounter},
};
use sessions::OrganizationSessions;

/// The calls about one organization, at most two at once. Clones share the deadline, the session
/// and the request counter.
#[derive(Clone)]
pub struct OrganizationClient {
    inner: Arc<Inner>,
}

struct Inner {
    client: Arc<ClientInner>,
    id: String,
    deadline: Instant,
    request_counter: RequestCounter,
    permits: Arc<Semaphore>,
    sessions: OrganizationSessions,
}

impl OrganizationClient {
    pub(crate) fn new(client: Arc<ClientInner>, id: &str, deadline: Instant) -> Self {
        Self {
            inner: Arc::new(Inner {
                id: id.to_owned(),
                deadline,
                request_counter: RequestCounter::with_parent(client.request_counter.clone()),
                permits: client.organization_permits.semaphore(id),
                sessions: OrganizationSessions::new(client.clone(), id),
                client,
            }),
        }
    }

    /// The organization's row in the list of the partner's organizations; `None` when BILL does not
    /// list it. Needs no [`Self::sign_in`].
    pub async fn find_in_list(&self) -> Result<Option<Organization>, Error> {
        let call = Call::new(Operation::ListPartnerOrganizations)
            .query(list::id_filter_query(&self.inner.id));
        let page: Page<Organization> = self.send_as_partner(&call, list::parse_page).await?;

        // If BILL ignored the filter, the page would contain other organizations.
        Ok(page
            .rows
            .into_iter()
            .find(|row| row.id.as_ref() == Some(&self.inner.id)))
    }

    /// All users of the organization, archived ones included, oldest first. Needs no
    /// [`Self::sign_in`].
    pub async fn users(&self) -> Result<ListResult<User>, Error> {
        list::read_all(|page| async move { self.users_page(page.as_ref()).await }).await
    }

    /// Opens a session as one of the organization's users, for the calls below. A session that is
    /// already open is left to expire.
    ///
    /// [`crate::ErrorKind::Refused`] when BILL does not let this user sign in: try another user.
    pub async fn sign_in(&self, user_id: &str) -> Result<(), Error> {
        self.inner
            .sessions
            .sign_in(user_id, self.call_scope())
            .await
    }

    /// All bank accounts, archived ones included, oldest first. Needs [`Self::sign_in`].
    pub async fn bank_accounts(&self) -> Result<ListResult<BankAccount>, Error> {
        list::read_all(|page| async move {
            self.page(
                Operation::ListBankAccounts,
                "createdTime:asc",
                page.as_ref(),
            )
            .await
        })
        .await
    }

    /// One page of at most 100 payments, newest first; `None` for the first page. Needs
    /// [`Self::sign_in`].
    pub async fn payments_page(&self, page: Option<&PageToken>) -> Result<Page<Payment>, Error> {
        self.page(Operation::ListPayments, "createdTime:desc", page)
            .await
    }

    /// The state of the organization's risk verification; `None` before it starts. Needs
    /// [`Self::sign_in`].
    pub async fn risk_verification(&self) -> Result<Option<RiskVerification>, Error> {
        self.send(
            &Call::new(Operation::GetRiskVerifications),
            parse_risk_verification,
        )
        .await
    }

    /// Requests sent for this organization, sign-ins and retries included.
    pub fn requests(&self) -> u64 {
        self.inner.request_counter.requests()
    }

    /// The sign-ins among [`Self::requests`]: those as a user, and those of the partner that a call
    /// of this client caused.
    pub fn sign_ins(&self) -> u64 {
        self.inner.request_counter.sign_ins()
    }

    async fn users_page(&self, page: Option<&PageToken>) -> Result<Page<User>, Error> {
        let call = Call::new(Operation::ListPartnerUsers)
            .query(list::page_query("createdTime:asc", page))
            .header("organizationId", &self.inner.id)?;
        self.send_as_partner(&call, list::parse_page)
            .await?
            .reject_repeated_token(call.operation(), page)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        operation: Operation,
        sort: &'static str,
        page: Option<&PageToken>,
    ) -> Result<Page<T>, Error> {
        let call = Call::new(operation).query(list::page_query(sort, page));
        self.send(&call, list::parse_page)
            .await?
            .reject_repeated_token(operation, page)
    }

    /// Sends a call with the organization's session.
    async fn send<T>(&self, call: &Call, parse: ResponseParser<T>) -> Result<T, Error> {
        self.inner
            .sessions
            .send(call, self.call_scope(), parse)
            .await
    }

    /// Sends a call with the partner's session.
    async fn send_as_partner<T>(&self, call: &Call, parse: ResponseParser<T>) -> Result<T, Error> {
        let response = self
            .inner
            .client
            .sessions
            .send(call, self.call_scope(), parse)
            .await?;
        Ok(response.value)
    }

    fn call_scope(&self) -> CallScope<'_> {
        CallScope::with_limit(
            self.inner.deadline,
            &self.inner.request_counter,
            &self.inner.permits,
        )
    }
}

/// BILL does not document the response before the verification starts. An empty object, status 204
/// and BILL's own 404 are taken as "not started"; a gateway's 404 page is an error.
fn parse_risk_verification(response: &ApiResponse) -> Result<Option<RiskVerification>, Cause> {
    if response.status == 204
        || (response.status == 404 && response.is_refusal(Operation::GetRiskVerifications))
    {
        return Ok(None);
    }

    let verification: RiskVerification = response.lenient_object()?;
    Ok(Some(verification).filter(|verification| *verification != RiskVerification::default()))
}

impl fmt::Debug for OrganizationClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OrganizationClient")
            .field("organization_id", &self.inner.id)
            .finish_non_exhaustive()
    }
}
