//! What `BillClient`, `OrganizationClient` and `SubscriptionsClient` share.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    base_url::BaseUrl,
    credentials::CredentialSource,
    organization_permits::OrganizationPermits,
    partner_sessions::PartnerSessions,
    transport::{CallScope, RequestCounter, Transport},
};

/// The state of a client, shared by its clones.
pub(crate) struct ClientInner {
    pub(crate) transport: Transport,
    pub(crate) sessions: PartnerSessions,
    pub(crate) request_counter: Arc<RequestCounter>,
    pub(crate) organization_permits: OrganizationPermits,
}

impl ClientInner {
    pub(crate) fn new(
        base_url: BaseUrl,
        http: reqwest::Client,
        source: Arc<dyn CredentialSource>,
    ) -> Self {
        let transport = Transport::new(base_url, http);
        Self {
            sessions: PartnerSessions::new(transport.clone(), source),
            transport,
            request_counter: Arc::default(),
            organization_permits: OrganizationPermits::default(),
        }
    }

    /// The scope of a call that is not about one organization.
    pub(crate) fn call_scope(&self, deadline: Instant) -> CallScope<'_> {
        CallScope::unlimited(deadline, &self.request_counter)
    }
}
