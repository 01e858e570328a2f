//! The rows of `listPartnerUsers`.

use serde_json::{Value, json};

use super::with_defect;
use crate::{
    lists::rows::Rows,
    population::{
        organization::{Organization, User},
        seeded_random::SeededRandom,
    },
    responses::format_timestamp,
};

/// The rows of an organization's users.
pub(crate) struct UserRows<'a>(pub(crate) &'a Organization);

impl Rows for UserRows<'_> {
    fn len(&self) -> usize {
        self.0.users.len()
    }

    fn row(&self, position: usize) -> Value {
        let User {
            id,
            archived,
            first_name,
            last_name,
            email,
            role,
            denied_operations: _,
            created_at,
            defect,
        } = &self.0.users[position];
        let role_id = SeededRandom::from_id(&format!("{id} role")).bill_id("0po");
        let row = json!({
            "id": id,
            "archived": archived,
            "firstName": first_name,
            "lastName": last_name,
            "email": email,
            "role": { "id": role_id, "type": role, "description": role },
            "createdTime": format_timestamp(*created_at),
            "updatedTime": format_timestamp(*created_at),
        });

        with_defect(row, *defect)
    }

    fn is_archived(&self, position: usize) -> bool {
        self.0.users[position].archived
    }

    fn oldest_first(&self) -> bool {
        false
    }

    fn position_of(&self, _: &str) -> Option<usize> {
        None
    }
}
