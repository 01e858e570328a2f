//! A BILL v3 sandbox: a seeded population behind the API, with faults, limits and a clock that can
//! be moved.
//!
//! [`Sandbox::start`] serves the partner API of `contract/bill-v3.openapi.yaml` on a loopback port,
//! under any path prefix. Its methods, and the same over HTTP under `/_sandbox` (see [`control`]),
//! tell which stage each organization is expected to be in, change organizations, move the clock
//! and break answers on demand.
//!
//! Every person, company, address and key in here is fictional, which is why nothing is masked.

mod answers;
mod clock;
pub mod control;
mod endpoints;
mod events;
mod faults;
mod limits;
mod lists;
mod operations;
mod oracle;
mod population;
mod server;
mod sessions;
mod statistics;
mod switches;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    clock::Clock, events::Events, faults::Faults, limits::Limits, lists::tokens::PageTokenKey,
    population::Customers, sessions::Sessions,
};

pub use crate::{
    events::{Delivery, EventSwitches, ManualEvent, NotificationFormat},
    faults::{Fault, FaultKind},
    oracle::Expectation,
    population::{
        Population,
        organization::{Bank, Change, Organization, Payments, Shape, User, Verification},
    },
    statistics::Statistics,
    switches::{Switches, UnstartedVerification},
};

/// A running server. It stops, and closes its connections, when dropped.
pub struct Sandbox {
    port: u16,
    shared: Arc<SandboxState>,
    server: JoinHandle<()>,
    delivery_task: JoinHandle<()>,
}

impl Sandbox {
    /// Generates the population and serves it on `127.0.0.1`.
    ///
    /// `Err` means that the port is taken or cannot be bound, or that the machine has no usable TLS
    /// set-up.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let port = listener.local_addr()?.port();
        let (events, queued_deliveries) = Events::new()?;
        let shared = Arc::new(SandboxState::new(options, events));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        let delivery_task =
            tokio::spawn(events::deliver_all(Arc::clone(&shared), queued_deliveries));
        Ok(Self {
            port,
            shared,
            server,
            delivery_task,
        })
    }

    /// The base URL to give to a client, `http://127.0.0.1:PORT/connect`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/connect", self.port)
    }

    /// The base URL of the webhooks' operations, `http://127.0.0.1:PORT/connect-events`.
    pub fn events_url(&self) -> String {
        format!("http://127.0.0.1:{}/connect-events", self.port)
    }

    /// The credentials that this sandbox accepts.
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// What is expected of each organization at `as_of`, in the order of the list. Rows that no
    /// client can identify have no id.
    pub fn population(&self, as_of: Timestamp) -> Vec<Expectation> {
        self.shared.expectations(as_of)
    }

    /// What was asked of this sandbox since it started, or since the last
    /// [`Self::reset_statistics`].
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics.lock().clone()
    }

    /// Starts counting from zero.
    pub fn reset_statistics(&self) {
        *self.shared.statistics.lock() = Statistics::default();
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Sets the clock, which runs on from there.
    pub fn set_clock(&self, now: Timestamp) {
        self.shared.clock.set(now);
    }

    /// Moves the clock by `span`; sessions and hourly limits follow.
    pub fn advance(&self, span: SignedDuration) {
        self.shared.clock.advance(span);
    }

    /// Breaks answers from now on. Of several faults that match a request the oldest one applies.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.lock().add(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.lock().clear();
    }

    /// Replaces all switches.
    pub fn switches(&self, switches: Switches) {
        *self.shared.switches.write() = switches;
    }

    /// One organization as it is now. `None`: no organization has this id.
    pub fn organization(&self, id: &str) -> Option<Organization> {
        self.shared
            .customers
            .read()
            .by_id(id)
            .map(|organization| (*organization).clone())
    }

    /// Adds an organization, or replaces the one with the same id, and tells the subscribers.
    pub fn put_organization(&self, organization: Organization) {
        self.shared.put(organization);
    }

    /// Changes some facts of one organization, and tells the subscribers. `false`: no organization
    /// has this id.
    pub fn patch_organization(&self, id: &str, change: Change) -> bool {
        self.shared.change(id, change)
    }

    /// Verifies the first bank account of an organization that is not verified, and tells the
    /// subscribers. `false`: no organization has this id, or it has no such account.
    pub fn verify_bank_account(&self, id: &str) -> bool {
        self.shared.verify_bank_account(id)
    }

    /// Tells the subscribers of an event although nothing changed. `false`: the organization does
    /// not exist, or has nothing that such an event could be about.
    pub fn announce(&self, event: &ManualEvent) -> bool {
        self.shared.publish_manual_event(event)
    }

    /// Every attempt to deliver a notification so far, oldest first; those of the operation
    /// `sendTestEvent` left out.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.events.deliveries.lock().clone()
    }

    /// Waits until every notification was answered with 200 or given up.
    pub async fn wait_for_deliveries(&self) {
        // The sender lives as long as the sandbox.
        self.shared
            .events
            .under_way()
            .wait_for(|count| *count == 0)
            .await
            .ok();
    }

    /// Ends every session, as an outage at BILL would.
    pub fn end_sessions(&self) {
        self.shared.sessions.lock().end_all();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
        self.delivery_task.abort();
    }
}

/// How to start a sandbox. The default is 200 organizations on a free port at the system's time.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who the customers are.
    pub population: Population,
    /// What the partner signs in with.
    pub credentials: Credentials,
    /// The time at which the sandbox starts and to which the population's history leads up.
    pub clock: Timestamp,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// What BILL does where nobody knows what BILL does.
    pub switches: Switches,
}

impl Default for Options {
    #[expect(
        clippy::disallowed_methods,
        reason = "a sandbox that was not told the time starts at the system's"
    )]
    fn default() -> Self {
        Self {
            population: Population::default(),
            credentials: Credentials::default(),
            clock: Timestamp::now(),
            port: 0,
            switches: Switches::default(),
        }
    }
}

/// What a partner signs in with. The default is fictional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The e-mail address of the partner's BILL account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The application key: in the body of the partner's login, then in the header `appKey`.
    pub app_key: String,
    /// The developer key: the header `devKey` of calls about one organization.
    pub dev_key: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            username: "api-partner@northlight-ledger.example".to_owned(),
            password: "not-a-real-password".to_owned(),
            app_key: "01FAKEAPPKEYNORTHLIGHT0000".to_owned(),
            dev_key: "01FAKEDEVKEYNORTHLIGHT0000".to_owned(),
        }
    }
}

impl Credentials {
    /// The JSON that the product keeps in its secret: `{"username","password","appKey","devKey"}`.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// What the server's requests and the control API work on.
struct SandboxState {
    credentials: Credentials,
    clock: Clock,
    customers: RwLock<Customers>,
    events: Events,
    faults: Mutex<Faults>,
    limits: Limits,
    sessions: Mutex<Sessions>,
    statistics: Mutex<Statistics>,
    switches: RwLock<Switches>,
    page_token_key: PageTokenKey,
}

impl SandboxState {
    fn new(options: Options, events: Events) -> Self {
        Self {
            credentials: options.credentials,
            clock: Clock::new(options.clock),
            customers: RwLock::new(Customers::generate(options.population, options.clock)),
            events,
            faults: Mutex::default(),
            limits: Limits::default(),
            sessions: Mutex::default(),
            statistics: Mutex::default(),
            switches: RwLock::new(options.switches),
            page_token_key: PageTokenKey::random(),
        }
    }

    fn put(&self, organization: Organization) {
        let id = organization.id.clone().unwrap_or_default();
        self.update_and_publish(&id, |customers| {
            customers.put(organization);
            true
        });
    }

    fn change(&self, id: &str, change: Change) -> bool {
        self.update_and_publish(id, |customers| customers.change(id, change))
    }

    fn verify_bank_account(&self, id: &str) -> bool {
        let now = self.clock.now();
        self.update_and_publish(id, |customers| {
            let mut banks = customers
                .by_id(id)
                .map(|organization| organization.banks.clone())
                .unwrap_or_default();
            let Some(bank) = banks.iter_mut().find(|bank| bank.status != "VERIFIED") else {
                return false;
            };
            *bank = Bank {
                status: "VERIFIED".to_owned(),
                archived: false,
                updated_at: Some(now),
                ..bank.clone()
            };
            customers.change(
                id,
                Change {
                    banks: Some(banks),
                    ..Change::default()
                },
            )
        })
    }

    fn expectations(&self, as_of: Timestamp) -> Vec<Expectation> {
        let switches = self.switches.read().clone();
        let customers = self.customers.read();
        (0..customers.len())
            .map(|position| customers.get(position))
            .filter(|organization| switches.list_archived || !organization.archived)
            .map(|organization| oracle::expect(&organization, as_of, switches.list_archived))
            .collect()
    }
}
