//! Rows as BILL writes them, with the private fields that a client must not keep.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    answers::time,
    lists::Rows,
    population::{
        names::SeededRandom,
        organization::{Bank, Organization, Payments, Shape, User, Verification},
    },
};

/// A row of the partner's organizations.
pub(crate) fn organization(organization: &Organization) -> Value {
    let id = organization.id.as_deref();
    let draw = SeededRandom::of(id.unwrap_or(&organization.scenario));
    let year = 1950 + draw.below("birth year", 50);
    let address = json!({
        "line1": format!("{} {} Row", 1 + draw.below("house", 999), draw.last_name(90)),
        "city": draw.pick("city", CITIES),
        "stateOrProvince": draw.pick("state", STATES),
        "zipOrPostalCode": format!("{:05}", draw.below("zip", 100_000)),
        "country": "US",
        "countryName": "United States",
    });
    let row = json!({
        "id": id,
        "archived": organization.archived,
        "name": organization.name,
        "address": address,
        "mailingAddress": address,
        "phone": format!("503555{:04}", draw.below("phone", 10_000)),
        "companyOwner": {
            "name": format!("{} {}", draw.first_name(0), draw.last_name(0)),
            "dateOfBirth": format!("{year}-{:02}-{:02}", 1 + draw.below("month", 12), 1 + draw.below("day", 28)),
        },
        "taxId": format!("000{:06}", draw.below("tax id", 1_000_000)),
        "taxIdType": "EIN",
        "industry": draw.pick("industry", INDUSTRIES),
        "businessCategory": draw.pick("category", CATEGORIES),
        "accountType": "BUSINESS",
        "processingOptions": {
            "mailingAddressSameAsPhysical": true,
            "individualTransferOut": false,
            "individualTransferIn": false,
        },
        "createdTime": time(organization.created_at),
        "updatedTime": time(organization.created_at),
    });
    with_defect(row, organization.shape)
}

/// The list of an organization's users.
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
            created_at,
            shape,
        } = &self.0.users[position];
        let row = json!({
            "id": id,
            "archived": archived,
            "firstName": first_name,
            "lastName": last_name,
            "email": email,
            "role": { "id": SeededRandom::of(&format!("{id} role")).id("0po"), "type": role, "description": role },
            "createdTime": time(*created_at),
            "updatedTime": time(*created_at),
        });
        with_defect(row, *shape)
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

/// The list of an organization's bank accounts.
pub(crate) struct BankAccountRows<'a>(pub(crate) &'a Organization);

impl Rows for BankAccountRows<'_> {
    fn len(&self) -> usize {
        self.0.banks.len()
    }

    fn row(&self, position: usize) -> Value {
        let Bank {
            id,
            archived,
            status,
            created_at,
            updated_at,
            shape,
        } = &self.0.banks[position];
        let draw = SeededRandom::of(id);
        let row = json!({
            "id": id,
            "archived": archived,
            "status": status,
            "createdBy": self.0.users.first().map(|user| &user.id),
            "routingNumber": "110000000",
            "accountNumber": format!("************{:04}", draw.below("account", 10_000)),
            "nameOnAccount": self.0.name,
            "type": "CHECKING",
            "ownerType": "BUSINESS",
            "bankName": draw.pick("bank", BANKS),
            "accessToAdmins": true,
            "default": { "payables": position == 0, "receivables": position == 0 },
            "createdTime": time(*created_at),
            "updatedTime": updated_at.map(time),
            "chartOfAccountId": draw.id("0ca"),
        });
        with_defect(row, *shape)
    }

    fn is_archived(&self, position: usize) -> bool {
        self.0.banks[position].archived
    }

    fn oldest_first(&self) -> bool {
        false
    }

    fn position_of(&self, _: &str) -> Option<usize> {
        None
    }
}

/// The list of an organization's payments, oldest first.
pub(crate) struct PaymentRows<'a> {
    organization: &'a Organization,
    order: Order,
}

enum Order {
    /// Run and place in the run of each payment.
    Sorted(Vec<(Timestamp, usize, usize)>),
    /// Too many to sort: the runs are taken as newest first and apart from each other.
    AsGiven(usize),
}

impl<'a> PaymentRows<'a> {
    pub(crate) fn new(organization: &'a Organization) -> Self {
        let runs = &organization.payments;
        let total = runs
            .iter()
            .fold(0_usize, |total, run| total.saturating_add(run.count));
        let order = if total <= MAX_SORTED_PAYMENTS {
            let mut sorted: Vec<_> = runs
                .iter()
                .enumerate()
                .flat_map(|(run, payments)| {
                    (0..payments.count).map(move |place| (payments.at(place), run, place))
                })
                .collect();
            // Payments without a time come first here, and so last in a list that runs newest
            // first.
            let lacks_created_time = |run: usize| runs[run].shape == Shape::WithoutCreatedTime;
            sorted.sort_by_key(|(at, run, place)| (!lacks_created_time(*run), *at, *run, *place));
            Order::Sorted(sorted)
        } else {
            Order::AsGiven(total)
        };
        Self {
            organization,
            order,
        }
    }

    fn series_and_index(&self, position: usize) -> (usize, usize) {
        match &self.order {
            Order::Sorted(sorted) => (sorted[position].1, sorted[position].2),
            Order::AsGiven(total) => {
                let mut place = total - 1 - position;
                for (run, payments) in self.organization.payments.iter().enumerate() {
                    if place < payments.count {
                        return (run, place);
                    }
                    place -= payments.count;
                }
                (0, 0)
            }
        }
    }
}

impl Rows for PaymentRows<'_> {
    fn len(&self) -> usize {
        match &self.order {
            Order::Sorted(sorted) => sorted.len(),
            Order::AsGiven(total) => *total,
        }
    }

    fn row(&self, position: usize) -> Value {
        let (run, place) = self.series_and_index(position);
        payment(self.organization, run, place)
    }

    fn is_archived(&self, _: usize) -> bool {
        false
    }

    fn oldest_first(&self) -> bool {
        true
    }

    fn position_of(&self, _: &str) -> Option<usize> {
        None
    }
}

/// A row of an organization's payments.
pub(crate) fn payment(organization: &Organization, run: usize, place: usize) -> Value {
    let payments = &organization.payments[run];
    let at = payments.at(place);
    let id = organization.id.as_deref().unwrap_or_default();
    let draw = SeededRandom::of(&format!("{id} payment {run} {place}"));
    let amount = json!(Cents(payments.amount_cents).to_dollars());
    let bill = draw.id("00n");
    let funding = if payments.by_card {
        json!({ "type": "CARD_ACCOUNT", "id": draw.id("cat") })
    } else {
        json!({ "type": "BANK_ACCOUNT", "id": organization.banks.first().map(|bank| &bank.id) })
    };
    let row = json!({
        "id": draw.id("stp"),
        "vendorId": draw.id("009"),
        "vendorName": draw.company(),
        "billId": bill,
        "billPayments": [{ "id": draw.id("blp"), "billId": bill, "amount": amount }],
        "description": "Invoice",
        "processDate": at.strftime("%Y-%m-%d").to_string(),
        "fundingAccount": funding,
        "amount": amount,
        "transactionNumber": format!("T{:08}", draw.below("transaction", 100_000_000)),
        "confirmationNumber": format!("P{:08} - {:07}", draw.below("confirmation", 100_000_000), place),
        "status": payments.status,
        "fundingAmount": amount,
        "onlinePayment": payments.online,
        "disbursementType": if payments.online == Some(false) { "OFFLINE" } else { "ACH" },
        "remittanceEmail": format!("accounts@{}", draw.domain()),
        "createdTime": time(at),
        "updatedTime": time(at),
        "createdBy": organization.users.first().map(|user| &user.id),
        "voidInfo": [],
        "cancelRequestSubmitted": payments.status.as_deref() == Some("CANCELLED"),
    });
    with_defect(row, payments.shape)
}

impl Payments {
    /// When the payment at this place of the run was created; place 0 is the newest.
    pub(crate) fn at(&self, place: usize) -> Timestamp {
        let seconds = i64::try_from(place)
            .unwrap_or(i64::MAX)
            .saturating_mul(self.interval_seconds);
        self.newest_at
            .saturating_sub(SignedDuration::from_secs(seconds))
            .unwrap_or(self.newest_at)
    }
}

impl Verification {
    pub(crate) fn row(&self) -> Value {
        json!({
            "processingStatus": self.processing_status,
            "decision": self.decision,
            "referenceId": "fake-risk-ref-7712",
        })
    }
}

/// An amount of money.
struct Cents(i64);

impl Cents {
    /// Amounts of this population are far below 2^53 cents, so no digit is lost.
    #[expect(
        clippy::cast_precision_loss,
        reason = "amounts are far below 2^53 cents"
    )]
    fn to_dollars(&self) -> f64 {
        self.0 as f64 / 100.0
    }
}

/// Leaves out what has no value, as BILL does, and breaks the row where it is meant to be broken.
fn with_defect(row: Value, shape: Shape) -> Value {
    let Value::Object(mut fields) = row else {
        return row;
    };
    remove_nulls(&mut fields);
    match shape {
        Shape::Whole => {}
        Shape::WithoutId => drop(fields.remove("id")),
        Shape::WithoutCreatedTime => drop(fields.remove("createdTime")),
        Shape::AmountAsText => {
            let amount = fields
                .get("amount")
                .map(Value::to_string)
                .unwrap_or_default();
            fields.insert("amount".to_owned(), amount.into());
        }
        Shape::NotAnObject => return Value::String("a row that is not an object".to_owned()),
    }
    Value::Object(fields)
}

fn remove_nulls(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    for value in fields.values_mut() {
        if let Value::Object(fields) = value {
            remove_nulls(fields);
        }
    }
}

/// Above this many payments an organization's payments are not sorted.
const MAX_SORTED_PAYMENTS: usize = 20_000;

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
const BANKS: &[&str] = &[
    "Larkspur Community Bank",
    "Granite Falls Credit Union",
    "First Harbor Bank",
];
