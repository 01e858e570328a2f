//! Sandboxes, clients and credential sources for the tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bill::{BillClient, CredentialError, CredentialSource, Credentials, http_client};
use futures::future::BoxFuture;
use sandbox::{Fault, FaultKind, Options, Organization, Population, Sandbox, Switches};
use tokio::time::Instant;

/// A deadline that only a hanging call reaches.
pub fn test_deadline() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub fn deadline_in_ms(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// Advances the client's clock. Call it between two requests, not during one.
pub async fn advance_clock(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}

pub async fn sandbox(switches: Switches) -> Sandbox {
    sandbox_with(12, switches).await
}

pub async fn sandbox_with(organizations: usize, switches: Switches) -> Sandbox {
    let population = Population {
        organizations,
        ..Population::default()
    };
    Sandbox::start(Options {
        population,
        switches,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// A client with the credentials of the sandbox.
pub fn client(sandbox: &Sandbox) -> BillClient {
    client_with(&sandbox.url(), Arc::new(credentials(sandbox)))
}

pub fn client_with(url: &str, source: Arc<dyn CredentialSource>) -> BillClient {
    BillClient::new(url.parse().unwrap(), http_client().unwrap(), source)
}

pub fn credentials(sandbox: &Sandbox) -> Credentials {
    Credentials::from_json(&sandbox.credentials().to_json()).unwrap()
}

/// The first organization that matches `is_wanted` and has an active user. Returns the ids of the
/// organization and of that user.
pub fn organization_with(
    sandbox: &Sandbox,
    is_wanted: impl Fn(&Organization) -> bool,
) -> (String, String) {
    let ids = sandbox
        .expectations(sandbox.now())
        .into_iter()
        .filter_map(|expectation| expectation.organization_id);

    ids.filter_map(|id| sandbox.organization(&id))
        .filter(|organization| is_wanted(organization))
        .find_map(|organization| {
            let user = organization.users.iter().find(|user| !user.archived)?;
            Some((organization.id.clone()?, user.id.clone()))
        })
        .unwrap()
}

pub fn any_organization(sandbox: &Sandbox) -> (String, String) {
    organization_with(sandbox, |_| true)
}

pub fn inject_fault(
    sandbox: &Sandbox,
    endpoint: &str,
    kind: FaultKind,
    times: impl Into<Option<u32>>,
) {
    sandbox.add_fault(Fault {
        endpoint: Some(endpoint.to_owned()),
        organization_id: None,
        kind,
        times: times.into(),
    });
}

pub fn status_fault(status: u16, code: impl Into<Option<&'static str>>) -> FaultKind {
    FaultKind::Status {
        status,
        code: code.into().map(str::to_owned),
        retry_after: None,
    }
}

pub fn request_count(sandbox: &Sandbox, endpoint: &str) -> u64 {
    sandbox
        .statistics()
        .by_endpoint
        .get(endpoint)
        .copied()
        .unwrap_or_default()
}

/// A source that returns `cached` until the first refresh, and `stored` afterwards.
pub struct RotatingCredentials {
    pub cached: Credentials,
    pub stored: Credentials,
    pub refreshes: AtomicU32,
}

impl RotatingCredentials {
    pub fn new(cached: Credentials, stored: Credentials) -> Arc<Self> {
        Arc::new(Self {
            cached,
            stored,
            refreshes: AtomicU32::new(0),
        })
    }

    pub fn refreshes(&self) -> u32 {
        self.refreshes.load(Ordering::Relaxed)
    }
}

impl CredentialSource for RotatingCredentials {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        let credentials = if self.refreshes() == 0 {
            &self.cached
        } else {
            &self.stored
        };
        Box::pin(async { Ok(Arc::new(credentials.clone())) })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
        self.credentials()
    }
}

/// A source that always returns an error.
pub struct FailingCredentialSource(pub CredentialError);

impl CredentialSource for FailingCredentialSource {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        Box::pin(async { Err(self.0.clone()) })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.credentials()
    }
}
