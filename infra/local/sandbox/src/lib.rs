//! A sandbox of the BILL v3 partner API for tests, the demo and local development.
//!
//! [`Sandbox::start`] generates customers from a seed and serves the operations of
//! `contract/bill-v3.openapi.yaml` and `contract/bill-connect-events.openapi.yaml` on a loopback
//! port, under any path prefix. It reproduces BILL's sessions, keys, lists, error arrays, request
//! limits and webhook notifications.
//!
//! The methods of [`Sandbox`] provide what BILL does not: they return the stage that each
//! organization is expected to have, change organizations, move the clock, inject faults and
//! replace the [`Switches`]. The control API offers the same over HTTP under `/_sandbox`; the
//! module `control` lists its routes.
//!
//! Start reading at `server`, which receives each request, and at `endpoints`, which handles it.
//! `population` generates the organizations; `oracle` computes the expected stages.
//!
//! The crate does not depend on the product: it uses neither the product's client nor its stage
//! rules, so that tests can compare the product with an [`Expectation`]. All persons, companies,
//! addresses and keys are fictional. Nothing is masked.

mod clock;
mod control;
mod credentials;
mod delivery_task;
mod endpoints;
mod events;
mod faults;
mod limits;
mod lists;
mod operations;
mod options;
mod oracle;
mod population;
mod request;
mod responses;
mod server;
mod sessions;
mod state;
mod statistics;
mod switches;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{events::Events, state::SandboxState};

pub use crate::{
    credentials::Credentials,
    events::{
        delivery::DeliveryAttempt,
        manual_event::ManualEvent,
        switches::{EventSwitches, NotificationFormat},
    },
    faults::{Fault, FaultKind},
    options::Options,
    oracle::Expectation,
    population::{
        Population,
        organization::{BankAccount, Organization, OrganizationPatch, User, Verification},
        payment_series::PaymentSeries,
        row_defect::RowDefect,
    },
    statistics::Statistics,
    switches::{Switches, UnstartedVerification},
};

/// A running server. Dropping it stops the server and closes its connections.
pub struct Sandbox {
    port: u16,
    state: Arc<SandboxState>,
    server_task: JoinHandle<()>,
    delivery_task: JoinHandle<()>,
}

impl Sandbox {
    /// Generates the population and serves it on `127.0.0.1`.
    ///
    /// `Err` means that the port cannot be bound, or that the HTTP client for webhook notifications
    /// cannot be created, for example because the machine has no usable TLS configuration.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let port = listener.local_addr()?.port();
        let (events, queued_deliveries) = Events::new()?;
        let state = Arc::new(SandboxState::new(options, events));

        let server_task = tokio::spawn(server::serve(listener, Arc::clone(&state)));
        let delivery_task = tokio::spawn(delivery_task::deliver_all(
            Arc::clone(&state),
            queued_deliveries,
        ));

        Ok(Self {
            port,
            state,
            server_task,
            delivery_task,
        })
    }

    /// The base URL of the API, `http://127.0.0.1:PORT/connect`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/connect", self.port)
    }

    /// The base URL of the webhook subscriptions, `http://127.0.0.1:PORT/connect-events`.
    pub fn events_url(&self) -> String {
        format!("http://127.0.0.1:{}/connect-events", self.port)
    }

    /// The credentials that this sandbox accepts.
    pub fn credentials(&self) -> &Credentials {
        &self.state.credentials
    }

    /// The expected outcome of a sync at `as_of`, one for each listed organization, in the order of
    /// the list.
    pub fn expectations(&self, as_of: Timestamp) -> Vec<Expectation> {
        self.state.expectations(as_of)
    }

    /// Counts of the requests since the start or the last [`Self::reset_statistics`].
    pub fn statistics(&self) -> Statistics {
        self.state.statistics.lock().clone()
    }

    /// Sets all counts to zero.
    pub fn reset_statistics(&self) {
        *self.state.statistics.lock() = Statistics::default();
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.state.clock.now()
    }

    /// Moves the clock by `span`. Sessions and hourly limits use the new time.
    pub fn advance(&self, span: SignedDuration) {
        self.state.clock.advance(span);
    }

    /// Adds a fault. If several faults match a request, the oldest one applies.
    pub fn add_fault(&self, fault: Fault) {
        self.state.faults.lock().add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state.faults.lock().clear();
    }

    /// Replaces all switches.
    pub fn set_switches(&self, switches: Switches) {
        *self.state.switches.write() = switches;
    }

    /// The current facts of one organization. `None` means that no organization has this id.
    pub fn organization(&self, id: &str) -> Option<Organization> {
        let organization = self.state.customers.read().by_id(id)?;

        Some((*organization).clone())
    }

    /// Adds an organization, or replaces the one with the same id, and notifies the subscribers.
    pub fn put_organization(&self, organization: Organization) {
        self.state.put_organization(organization);
    }

    /// Changes some facts of one organization and notifies the subscribers. `false` means that no
    /// organization has this id.
    pub fn patch_organization(&self, id: &str, patch: OrganizationPatch) -> bool {
        self.state.patch_organization(id, patch)
    }

    /// Gives a user another role, as an administrator of the organization would. BILL has no event
    /// for it. `false` means that there is no such organization or user.
    pub fn set_user_role(&self, id: &str, user_id: &str, role: &str) -> bool {
        self.state.set_user_role(id, user_id, role)
    }

    /// Sets an organization's first unverified bank account to `VERIFIED` and notifies the
    /// subscribers. `false` means that no organization has this id, or that it has no unverified
    /// account.
    pub fn verify_bank_account(&self, id: &str) -> bool {
        self.state.verify_bank_account(id)
    }

    /// Sends an event to the subscribers without a change. `false` means that the organization does
    /// not exist, or that it has nothing that this type of event describes.
    pub fn publish_event(&self, event: &ManualEvent) -> bool {
        self.state.publish_manual_event(event)
    }

    /// Every attempt to deliver a notification, oldest first. Attempts of the operation
    /// `sendTestEvent` are not included.
    pub fn deliveries(&self) -> Vec<DeliveryAttempt> {
        self.state.events.delivery_attempts.lock().clone()
    }

    /// Waits until no notification is queued: each one was accepted with status 200, or will not be
    /// retried.
    pub async fn wait_for_deliveries(&self) {
        // `Err` would mean that the sender is gone; it lives as long as the sandbox.
        self.state
            .events
            .in_flight()
            .wait_for(|count| *count == 0)
            .await
            .ok();
    }

    /// Ends every session, as an outage at BILL would.
    pub fn end_sessions(&self) {
        self.state.sessions.lock().end_all();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server_task.abort();
        self.delivery_task.abort();
    }
}
