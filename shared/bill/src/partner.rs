use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::{sync::Semaphore, time::Instant};

use crate::{
    base_url::BaseUrl,
    client::{Call, Client},
    credentials::CredentialSource,
    error::{Error, Operation},
    lane::{CallScope, RequestCounter},
    list::{self, Page, PageToken},
    model::Organization,
    organization::OrganizationClient,
    session::PartnerSessions,
};

/// BILL allows three requests at once per developer key and organization; one is left to the
/// partner's own product.
const MAX_CONCURRENT_REQUESTS_PER_ORGANIZATION: usize = 2;

/// A client of BILL for one partner. Build one per process and clone it: clones share the session
/// and the limits.
#[derive(Clone)]
pub struct Bill {
    pub(crate) partner: Arc<Partner>,
}

pub(crate) struct Partner {
    pub(crate) client: Client,
    pub(crate) sessions: PartnerSessions,
    pub(crate) tally: Arc<RequestCounter>,
    permits: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Bill {
    /// A client that logs in with what `source` gives, when the first call needs it. `http` comes
    /// from [`crate::http_client`].
    pub fn new(base: BaseUrl, http: reqwest::Client, source: Arc<dyn CredentialSource>) -> Self {
        let client = Client { base, http };
        let sessions = PartnerSessions::new(client.clone(), source);
        Self {
            partner: Arc::new(Partner {
                client,
                sessions,
                tally: Arc::default(),
                permits: Mutex::default(),
            }),
        }
    }

    /// One page of at most 100 organizations, oldest first; `None` for the first page.
    pub async fn organizations(
        &self,
        page: Option<&PageToken>,
        deadline: Instant,
    ) -> Result<Page<Organization>, Error> {
        let call = Call::new(Operation::ListPartnerOrganizations)
            .query(list::query("createdTime:asc", page));
        let sent = self
            .partner
            .sessions
            .send(&call, self.lane(deadline), list::page)
            .await?;
        sent.value.following(call.operation(), page)
    }

    /// The calls about one organization, all within one deadline. Costs no request.
    pub fn organization(&self, id: &str, deadline: Instant) -> OrganizationClient {
        OrganizationClient::new(self.clone(), id, deadline)
    }

    /// Ends the partner's session, if one is open; the next call logs in again. A courtesy: an
    /// `Err` may be ignored.
    pub async fn log_out(&self, deadline: Instant) -> Result<(), Error> {
        self.partner.sessions.log_out(self.lane(deadline)).await
    }

    /// Requests sent so far, those of every organization, of logins and of repeats included.
    pub fn requests(&self) -> u64 {
        self.partner.tally.requests()
    }

    /// Of these, the logins: the partner's own and those as a user.
    pub fn sign_ins(&self) -> u64 {
        self.partner.tally.sign_ins()
    }

    pub(crate) fn lane(&self, deadline: Instant) -> CallScope<'_> {
        CallScope::open(deadline, &self.partner.tally)
    }
}

impl Partner {
    /// The places that all requests about one organization share in this process.
    pub(crate) fn permits(&self, organization_id: &str) -> Arc<Semaphore> {
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = permits.get(organization_id).and_then(Weak::upgrade) {
            return shared;
        }
        permits.retain(|_, held| held.strong_count() > 0);
        let fresh = Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS_PER_ORGANIZATION));
        permits.insert(organization_id.to_owned(), Arc::downgrade(&fresh));
        fresh
    }
}

impl std::fmt::Debug for Bill {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Bill")
            .field("base", &self.partner.client.base)
            .finish_non_exhaustive()
    }
}
