//! The rows of `listPartnerOrganizations`.

use parking_lot::RwLockReadGuard;
use serde_json::{Value, json};

use super::with_defect;
use crate::{
    lists::rows::Rows,
    population::{Customers, names, organization::Organization, seeded_random::SeededRandom},
    responses::format_timestamp,
};

const CITIES: &[&str] = &[
    "Fairmont",
    "Harlow",
    "Marlow Point",
    "Cedar Bluff",
    "Stonebridge",
    "Lakeshore",
];
const STATES: &[&str] = &["OR", "CO", "ME", "TX", "NY", "WA", "OH", "GA"];
const INDUSTRIES: &[&str] = &[
    "Bakery",
    "Construction",
    "Consulting",
    "Health",
    "Logistics",
    "Retail",
];
const CATEGORIES: &[&str] = &["LLC", "CORPORATION", "SOLE_PROPRIETOR", "NON_PROFIT"];

/// The rows of the partner's organizations.
pub(crate) struct CustomerRows<'a>(pub(crate) RwLockReadGuard<'a, Customers>);

impl Rows for CustomerRows<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row(&self, position: usize) -> Value {
        organization_row(&self.0.get(position))
    }

    fn is_archived(&self, position: usize) -> bool {
        self.0.get(position).archived
    }

    fn oldest_first(&self) -> bool {
        self.0.oldest_first()
    }

    fn position_of(&self, id: &str) -> Option<usize> {
        self.0.position_of(id)
    }
}

fn organization_row(organization: &Organization) -> Value {
    let id = organization.id.as_deref();
    let random = SeededRandom::from_id(id.unwrap_or(&organization.scenario));
    let house = 1 + random.number_below("house", 999);
    let address = json!({
        "line1": format!("{house} {} Row", names::last_name(random, 90)),
        "city": random.pick("city", CITIES),
        "stateOrProvince": random.pick("state", STATES),
        "zipOrPostalCode": format!("{:05}", random.number_below("zip", 100_000)),
        "country": "US",
        "countryName": "United States",
    });
    let row = json!({
        "id": id,
        "archived": organization.archived,
        "name": organization.name,
        "address": address,
        "mailingAddress": address,
        "phone": format!("503555{:04}", random.number_below("phone", 10_000)),
        "companyOwner": company_owner(random),
        "taxId": format!("000{:06}", random.number_below("tax id", 1_000_000)),
        "taxIdType": "EIN",
        "industry": random.pick("industry", INDUSTRIES),
        "businessCategory": random.pick("category", CATEGORIES),
        "accountType": "BUSINESS",
        "processingOptions": {
            "mailingAddressSameAsPhysical": true,
            "individualTransferOut": false,
            "individualTransferIn": false,
        },
        "createdTime": format_timestamp(organization.created_at),
        "updatedTime": format_timestamp(organization.created_at),
    });

    with_defect(row, organization.defect)
}

fn company_owner(random: SeededRandom) -> Value {
    let (first, last) = (names::first_name(random, 0), names::last_name(random, 0));
    let year = 1950 + random.number_below("birth year", 50);
    let month = 1 + random.number_below("month", 12);
    let day = 1 + random.number_below("day", 28);

    json!({
        "name": format!("{first} {last}"),
        "dateOfBirth": format!("{year}-{month:02}-{day:02}"),
    })
}
