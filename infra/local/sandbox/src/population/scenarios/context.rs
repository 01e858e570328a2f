//! The times and random values that an organization's facts are generated from.

use jiff::{SignedDuration, Timestamp};

use crate::population::{names, organization::User, seeded_random::SeededRandom};

/// The context of one generated organization.
pub(crate) struct ScenarioContext {
    pub(crate) random: SeededRandom,
    /// The time at which the sandbox started.
    pub(crate) start: Timestamp,
    /// When the organization was created.
    pub(crate) created_at: Timestamp,
}

impl ScenarioContext {
    pub(super) fn seconds_ago(&self, seconds: i64) -> Timestamp {
        self.start - SignedDuration::from_secs(seconds)
    }

    pub(super) fn days_ago(&self, days: i64) -> Timestamp {
        self.seconds_ago(days * 86_400)
    }

    /// A number from `first` to below `end` that differs between organizations.
    pub(super) fn number_between(&self, first: i64, end: i64) -> i64 {
        let span = u64::try_from(end - first).unwrap_or(1).max(1);
        let offset = self.random.number_below(&format!("{first} to {end}"), span);

        first + i64::try_from(offset).unwrap_or_default()
    }

    /// An administrator and up to three other users.
    pub(super) fn default_users(&self) -> Vec<User> {
        let others = usize::try_from(self.random.number_below("colleagues", 4)).unwrap_or_default();
        let roles = ["ADMINISTRATOR", "APPROVER", "ADMINISTRATOR", "CLERK"];

        roles
            .into_iter()
            .enumerate()
            .take(1 + others)
            .map(|(person, role)| self.user(role, person))
            .collect()
    }

    /// The organization's user with this number, created `person + 1` hours after the organization.
    pub(super) fn user(&self, role: &str, person: usize) -> User {
        let first = names::first_name(self.random, person);
        let last = names::last_name(self.random, person);
        let mailbox: String = format!("{first}.{last}")
            .to_lowercase()
            .chars()
            .filter(|character| matches!(character, 'a'..='z' | '.'))
            .collect();
        let email = format!("{mailbox}{person}@{}", names::domain(self.random));
        let hours = i64::try_from(person).unwrap_or_default();

        User {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            ..User::new(
                role,
                &email,
                self.created_at + SignedDuration::from_hours(1 + hours),
            )
        }
    }
}
