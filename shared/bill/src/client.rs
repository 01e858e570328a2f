//! The client of one partner: lists organizations, and creates the clients of one organization and
//! of subscriptions.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use crate::{
    base_url::BaseUrl,
    client_inner::ClientInner,
    credentials::CredentialSource,
    error::Error,
    events::SubscriptionsClient,
    list::{self, Page, PageToken},
    model::Organization,
    operation::Operation,
    organization::OrganizationClient,
    transport::Call,
};

/// The order of the list of organizations, by the time of their creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationOrder {
    /// Oldest first: an organization that is created meanwhile moves no page.
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

impl OrganizationOrder {
    fn sort(self) -> &'static str {
        match self {
            Self::OldestFirst => "createdTime:asc",
            Self::NewestFirst => "createdTime:desc",
        }
    }
}

/// A client of BILL for one partner. Build one per process and clone it: clones share the session
/// and the limits.
#[derive(Clone)]
pub struct BillClient {
    inner: Arc<ClientInner>,
}

impl BillClient {
    /// A client that signs in with the credentials of `source` when the first call needs a session.
    /// `http` comes from [`crate::http_client`].
    pub fn new(
        base_url: BaseUrl,
        http: reqwest::Client,
        source: Arc<dyn CredentialSource>,
    ) -> Self {
        Self {
            inner: Arc::new(ClientInner::new(base_url, http, source)),
        }
    }

    /// One page of at most 100 organizations in this order; `None` for the first page. A page token
    /// is valid for the order of its list.
    pub async fn organizations_page(
        &self,
        order: OrganizationOrder,
        page: Option<&PageToken>,
        deadline: Instant,
    ) -> Result<Page<Organization>, Error> {
        let call = Call::new(Operation::ListPartnerOrganizations)
            .query(list::page_query(order.sort(), page));
        let response = self
            .inner
            .sessions
            .send(&call, self.inner.call_scope(deadline), list::parse_page)
            .await?;

        response.value.reject_repeated_token(call.operation(), page)
    }

    /// The calls about one organization, all with the same deadline. Sends no request.
    pub fn organization(&self, id: &str, deadline: Instant) -> OrganizationClient {
        OrganizationClient::new(self.inner.clone(), id, deadline)
    }

    /// The calls about webhook subscriptions. Sends no request. `None` when the base URL has no
    /// counterpart for them, see [`BaseUrl::events_base_url`].
    pub fn subscriptions(&self) -> Option<SubscriptionsClient> {
        let base_url = self.inner.transport.base_url.events_base_url()?;
        Some(SubscriptionsClient::new(self.inner.clone(), base_url))
    }

    /// Requests sent so far, for all organizations, sign-ins and retries included.
    pub fn requests(&self) -> u64 {
        self.inner.request_counter.requests()
    }

    /// The sign-ins among [`Self::requests`]: those of the partner and those as a user.
    pub fn sign_ins(&self) -> u64 {
        self.inner.request_counter.sign_ins()
    }
}

impl fmt::Debug for BillClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BillClient")
            .field("base_url", &self.inner.transport.base_url)
            .finish_non_exhaustive()
    }
}
