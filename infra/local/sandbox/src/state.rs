//! The state that the server, the control API and the `Sandbox` share.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};

use crate::{
    clock::Clock,
    credentials::Credentials,
    events::{Events, domain_event::DomainEvent, manual_event::ManualEvent, organization_changes},
    faults::Faults,
    limits::Limits,
    lists::page_tokens::PageTokenKey,
    options::Options,
    oracle::{self, Expectation},
    population::{
        Customers,
        organization::{BankAccount, Organization, OrganizationPatch},
    },
    sessions::Sessions,
    statistics::Statistics,
    switches::Switches,
};

/// Everything that requests and the control API read and change.
pub(crate) struct SandboxState {
    pub(crate) credentials: Credentials,
    pub(crate) clock: Clock,
    pub(crate) customers: RwLock<Customers>,
    pub(crate) events: Events,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) limits: Limits,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) statistics: Mutex<Statistics>,
    pub(crate) switches: RwLock<Switches>,
    pub(crate) page_token_key: PageTokenKey,
}

impl SandboxState {
    /// Generates the population.
    pub(crate) fn new(options: Options, events: Events) -> Self {
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

    /// The expected outcome of a sync at `as_of`, one for each listed organization, in the order of
    /// the list.
    pub(crate) fn expectations(&self, as_of: Timestamp) -> Vec<Expectation> {
        let switches = self.switches.read().clone();
        let customers = self.customers.read();

        (0..customers.len())
            .map(|position| customers.get(position))
            .filter(|organization| switches.list_archived || !organization.archived)
            .map(|organization| {
                oracle::expected_outcome(&organization, as_of, switches.list_archived)
            })
            .collect()
    }

    /// Adds an organization, or replaces the one with the same id, and notifies the subscribers.
    pub(crate) fn put_organization(&self, organization: Organization) {
        let id = organization.id.clone().unwrap_or_default();

        self.update_and_publish(&id, |customers| {
            customers.put(organization);
            true
        });
    }

    /// Changes an organization and notifies the subscribers. `false` means that no organization has
    /// this id.
    pub(crate) fn patch_organization(&self, id: &str, patch: OrganizationPatch) -> bool {
        self.update_and_publish(id, |customers| customers.patch(id, patch))
    }

    /// Gives a user another role. `false` means that there is no such organization or user.
    pub(crate) fn set_user_role(&self, id: &str, user_id: &str, role: &str) -> bool {
        let mut customers = self.customers.write();
        let users = customers.by_id(id).map(|it| it.users.clone());
        let mut users = users.unwrap_or_default();
        let Some(user) = users.iter_mut().find(|user| user.id == user_id) else {
            return false;
        };

        role.clone_into(&mut user.role);
        customers.patch(
            id,
            OrganizationPatch {
                users: Some(users),
                ..OrganizationPatch::default()
            },
        )
    }

    /// Verifies the organization's first unverified bank account and notifies the subscribers.
    /// `false` means that there is no such organization or account.
    pub(crate) fn verify_bank_account(&self, id: &str) -> bool {
        let now = self.clock.now();

        self.update_and_publish(id, |customers| {
            let mut accounts = customers
                .by_id(id)
                .map(|organization| organization.bank_accounts.clone())
                .unwrap_or_default();
            let Some(account) = accounts
                .iter_mut()
                .find(|account| account.status != "VERIFIED")
            else {
                return false;
            };

            *account = BankAccount {
                status: "VERIFIED".to_owned(),
                archived: false,
                updated_at: Some(now),
                ..account.clone()
            };
            customers.patch(
                id,
                OrganizationPatch {
                    bank_accounts: Some(accounts),
                    ..OrganizationPatch::default()
                },
            )
        })
    }

    /// Sends an event without a change. `false` means that the organization does not exist, or that
    /// it has nothing that this type of event describes.
    pub(crate) fn publish_manual_event(&self, manual_event: &ManualEvent) -> bool {
        let organization = self.customers.read().by_id(&manual_event.organization_id);
        let event = organization
            .and_then(|organization| manual_event.to_domain_event(&organization, self.clock.now()));

        event.map(|event| self.publish(event)).is_some()
    }

    /// Adds or changes an organization and sends the events that follow from the change. Returns
    /// the result of `update`.
    fn update_and_publish(&self, id: &str, update: impl FnOnce(&mut Customers) -> bool) -> bool {
        let (before, updated, after) = {
            let mut customers = self.customers.write();
            let before = customers.by_id(id);
            let updated = update(&mut customers);
            (before, updated, customers.by_id(id))
        };

        if let Some(after) = after {
            let before = before.unwrap_or_else(|| Arc::new(Organization::default()));
            for event in organization_changes::events(&before, &after, self.clock.now()) {
                self.publish(event);
            }
        }

        updated
    }

    fn publish(&self, event: DomainEvent) {
        let is_duplicated = self.switches.read().events.deliver_twice;
        let copies = if is_duplicated { 2 } else { 1 };
        self.events.publish(event, copies);
    }
}
