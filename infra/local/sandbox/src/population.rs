//! The customers. Each organization is generated from the seed when it is read.

mod names;
pub(crate) mod organization;
pub(crate) mod payment_series;
pub(crate) mod row_defect;
pub(crate) mod rows;
mod scenarios;
mod seeded_random;

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::population::{
    organization::{Organization, OrganizationPatch},
    scenarios::{Scenario, context::ScenarioContext, facts},
    seeded_random::SeededRandom,
};

/// Which customers the partner has. The default is 200 organizations of seed 1 without bad records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Population {
    /// The number of organizations. The first 56 cover each edge case once.
    pub organizations: usize,
    /// The same seed and start time generate the same population.
    pub seed: u64,
    /// Whether the population begins with records that violate the contract.
    pub bad_records: bool,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            organizations: 200,
            seed: 1,
            bad_records: false,
        }
    }
}

/// All organizations. Only their ids and changed organizations are kept in memory.
pub(crate) struct Customers {
    population: Population,
    start: Timestamp,
    /// The scenarios of the first organizations, one each.
    guaranteed: Vec<Scenario>,
    positions: HashMap<String, usize>,
    /// Added and changed organizations by their position.
    overrides: HashMap<usize, Arc<Organization>>,
    len: usize,
    /// Whether the positions are in the order of creation.
    oldest_first: bool,
}

impl Customers {
    pub(crate) fn generate(population: Population, start: Timestamp) -> Self {
        // BILL's times have milliseconds. With a finer start the API would return different times.
        let start = Timestamp::from_millisecond(start.as_millisecond()).unwrap_or(start);
        let guaranteed = scenarios::guaranteed(population.bad_records);
        let len = population.organizations;
        let mut customers = Self {
            population,
            start,
            guaranteed,
            positions: HashMap::with_capacity(len),
            overrides: HashMap::new(),
            len,
            oldest_first: true,
        };

        for position in 0..len {
            if customers.scenario(position).has_id() {
                let id = customers.random(position).bill_id("008");
                customers.positions.insert(id, position);
            }
        }

        customers
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether the positions are in the order of creation, oldest first.
    pub(crate) fn oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// The organization at a position of the list, which must be below [`Self::len`].
    pub(crate) fn get(&self, position: usize) -> Arc<Organization> {
        match self.overrides.get(&position) {
            Some(organization) => Arc::clone(organization),
            None => Arc::new(self.generate_one(position)),
        }
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Organization>> {
        self.position_of(id).map(|position| self.get(position))
    }

    pub(crate) fn position_of(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    /// Adds an organization at the end, or replaces the one with the same id.
    pub(crate) fn put(&mut self, mut organization: Organization) {
        organization.fill_ids();
        let id = organization.id.clone().unwrap_or_default();
        let position = *self.positions.entry(id).or_insert(self.len);
        self.len = self.len.max(position + 1);
        self.oldest_first = false;
        self.overrides.insert(position, Arc::new(organization));
    }

    /// `false` means that no organization has this id.
    pub(crate) fn patch(&mut self, id: &str, patch: OrganizationPatch) -> bool {
        let Some(position) = self.position_of(id) else {
            return false;
        };

        let mut organization = (*self.get(position)).clone();
        organization.apply_patch(patch);
        organization.fill_ids();
        self.overrides.insert(position, Arc::new(organization));

        true
    }

    fn generate_one(&self, position: usize) -> Organization {
        let context = ScenarioContext {
            random: self.random(position),
            start: self.start,
            created_at: self.created_at(position),
        };
        let mut organization = facts::build_organization(self.scenario(position), &context);
        organization.fill_ids();

        organization
    }

    fn scenario(&self, position: usize) -> Scenario {
        match self.guaranteed.get(position) {
            Some(scenario) => *scenario,
            None => scenarios::weighted(self.random(position).number("scenario")),
        }
    }

    fn random(&self, position: usize) -> SeededRandom {
        SeededRandom::new(self.population.seed, position)
    }

    /// The creation times are spread evenly over 900 days, from 1,100 to 200 days before the start.
    fn created_at(&self, position: usize) -> Timestamp {
        let share = SignedDuration::from_hours(24 * 900).as_millis() * position as i128
            / self.len.max(1) as i128;
        let share = SignedDuration::from_millis(i64::try_from(share).unwrap_or_default());

        self.start - SignedDuration::from_hours(24 * 1_100) + share
    }
}
