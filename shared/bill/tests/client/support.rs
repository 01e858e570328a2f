use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bill::{Bill, CredentialError, CredentialSource, Credentials, http_client};
use futures::future::BoxFuture;
use sandbox::{Fault, FaultKind, Options, Organization, Population, Sandbox, Switches};
use tokio::time::Instant;

/// Enough for everything; only a hang takes that long.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub fn within(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// Moves the client's clock on, between two requests.
pub async fn pass(duration: Duration) {
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

/// A client with the sandbox's own credentials.
pub fn client(sandbox: &Sandbox) -> Bill {
    client_with(&sandbox.url(), Arc::new(credentials(sandbox)))
}

pub fn client_with(url: &str, source: Arc<dyn CredentialSource>) -> Bill {
    Bill::new(url.parse().unwrap(), http_client().unwrap(), source)
}

pub fn credentials(sandbox: &Sandbox) -> Credentials {
    Credentials::from_json(&sandbox.credentials().to_json()).unwrap()
}

/// The first organization that somebody can sign in to and that has `wanted`; with the id of a user
/// who can.
pub fn organization_with(
    sandbox: &Sandbox,
    wanted: impl Fn(&Organization) -> bool,
) -> (String, String) {
    let ids = sandbox
        .population(sandbox.now())
        .into_iter()
        .filter_map(|expectation| expectation.organization_id);
    ids.filter_map(|id| sandbox.organization(&id))
        .filter(|organization| wanted(organization))
        .find_map(|organization| {
            let user = organization.users.iter().find(|user| !user.archived)?;
            Some((organization.id.clone()?, user.id.clone()))
        })
        .unwrap()
}

pub fn any_organization(sandbox: &Sandbox) -> (String, String) {
    organization_with(sandbox, |_| true)
}

pub fn fault(sandbox: &Sandbox, endpoint: &str, kind: FaultKind, times: impl Into<Option<u32>>) {
    sandbox.fault(Fault {
        endpoint: Some(endpoint.to_owned()),
        organization_id: None,
        kind,
        times: times.into(),
    });
}

pub fn status(status: u16, code: impl Into<Option<&'static str>>) -> FaultKind {
    FaultKind::Status {
        status,
        code: code.into().map(str::to_owned),
        retry_after: None,
    }
}

pub fn calls(sandbox: &Sandbox, endpoint: &str) -> u64 {
    sandbox
        .statistics()
        .by_endpoint
        .get(endpoint)
        .copied()
        .unwrap_or_default()
}

/// A source whose first answer and whose refreshed answer may differ.
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

    fn refreshed(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
        self.credentials()
    }
}

/// A source that cannot be read.
pub struct FailingCredentialSource(pub CredentialError);

impl CredentialSource for FailingCredentialSource {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        Box::pin(async { Err(self.0.clone()) })
    }

    fn refreshed(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.credentials()
    }
}
