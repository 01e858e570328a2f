//! The customers: made from a seed, one at a time, when they are asked for.

pub(crate) mod names;
pub(crate) mod organization;
pub(crate) mod rows;
pub(crate) mod scenarios;

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLockReadGuard;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    lists::Rows,
    population::{
        names::SeededRandom,
        organization::Change,
        scenarios::{Scenario, Setting},
    },
};

pub(crate) use crate::population::organization::Organization;

/// Who the customers are. The default is 200 organizations of seed 1 without bad records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// How many organizations. The first sixty or so hold every edge case once.
    pub organizations: usize,
    /// The same seed and start time make the same population.
    pub seed: u64,
    /// Whether rows that break the contract are among them, first of all.
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

/// All organizations. Only their ids, and those that were changed, are kept in memory.
pub(crate) struct Customers {
    population: Population,
    start: Timestamp,
    /// Scenarios that come first, one organization each.
    guaranteed: Vec<Scenario>,
    positions: HashMap<String, usize>,
    changed: HashMap<usize, Arc<Organization>>,
    len: usize,
    oldest_first: bool,
}

impl Customers {
    pub(crate) fn generate(population: Population, start: Timestamp) -> Self {
        // BILL writes milliseconds: a finer start would be read back as another time.
        let start = Timestamp::from_millisecond(start.as_millisecond()).unwrap_or(start);
        let guaranteed = scenarios::guaranteed(population.bad_records);
        let len = population.organizations;
        let mut customers = Self {
            population,
            start,
            guaranteed,
            positions: HashMap::with_capacity(len),
            changed: HashMap::new(),
            len,
            oldest_first: true,
        };
        for position in 0..len {
            if customers.scenario(position).has_id() {
                let id = customers.draw(position).id("008");
                customers.positions.insert(id, position);
            }
        }
        customers
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The organization at a position of the list, which must be below [`Self::len`].
    pub(crate) fn get(&self, position: usize) -> Arc<Organization> {
        match self.changed.get(&position) {
            Some(organization) => Arc::clone(organization),
            None => Arc::new(self.make(position)),
        }
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Organization>> {
        self.positions.get(id).map(|position| self.get(*position))
    }

    pub(crate) fn put(&mut self, mut organization: Organization) {
        organization.fill_ids();
        let id = organization.id.clone().unwrap_or_default();
        let position = *self.positions.entry(id).or_insert(self.len);
        self.len = self.len.max(position + 1);
        self.oldest_first = false;
        self.changed.insert(position, Arc::new(organization));
    }

    /// `false`: no organization has this id.
    pub(crate) fn change(&mut self, id: &str, change: Change) -> bool {
        let Some(position) = self.positions.get(id).copied() else {
            return false;
        };
        let mut organization = (*self.get(position)).clone();
        organization.apply(change);
        organization.fill_ids();
        self.changed.insert(position, Arc::new(organization));
        true
    }

    fn make(&self, position: usize) -> Organization {
        let draw = self.draw(position);
        let setting = Setting {
            draw,
            start: self.start,
            created_at: self.created_at(position),
        };
        let mut organization = scenarios::build(self.scenario(position), &setting);
        organization.fill_ids();
        organization
    }

    fn scenario(&self, position: usize) -> Scenario {
        match self.guaranteed.get(position) {
            Some(scenario) => *scenario,
            None => scenarios::usual(self.draw(position).number("scenario")),
        }
    }

    fn draw(&self, position: usize) -> SeededRandom {
        SeededRandom::new(self.population.seed, position)
    }

    /// Organizations joined evenly over 900 days, the last of them 200 days before the start.
    fn created_at(&self, position: usize) -> Timestamp {
        let share = SignedDuration::from_hours(24 * 900).as_millis() * position as i128
            / self.len.max(1) as i128;
        let share = SignedDuration::from_millis(i64::try_from(share).unwrap_or_default());
        self.start - SignedDuration::from_hours(24 * 1_100) + share
    }
}

/// The list of organizations.
pub(crate) struct CustomerRows<'a>(pub(crate) RwLockReadGuard<'a, Customers>);

impl Rows for CustomerRows<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row(&self, position: usize) -> Value {
        rows::organization(&self.0.get(position))
    }

    fn is_archived(&self, position: usize) -> bool {
        self.0.get(position).archived
    }

    fn oldest_first(&self) -> bool {
        self.0.oldest_first
    }

    fn position_of(&self, id: &str) -> Option<usize> {
        self.0.positions.get(id).copied()
    }
}
