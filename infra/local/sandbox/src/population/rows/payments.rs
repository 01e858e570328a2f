//! The rows of `listPayments`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::with_defect;
use crate::{
    lists::rows::Rows,
    population::{
        names, organization::Organization, payment_series::PaymentSeries, row_defect::RowDefect,
        seeded_random::SeededRandom,
    },
    responses::format_timestamp,
};

/// The payments of an organization with more than this number are not sorted.
const MAX_SORTED_PAYMENTS: usize = 20_000;

/// The rows of an organization's payments, oldest first.
pub(crate) struct PaymentRows<'a> {
    organization: &'a Organization,
    order: PaymentOrder,
}

enum PaymentOrder {
    /// The time, the series and the index in the series of each payment.
    Sorted(Vec<(Timestamp, usize, usize)>),
    /// The order of the series, with this total number of payments. The result is sorted only if
    /// the series are given newest first and do not overlap.
    AsGiven(usize),
}

impl<'a> PaymentRows<'a> {
    pub(crate) fn new(organization: &'a Organization) -> Self {
        let total = organization
            .payments
            .iter()
            .fold(0_usize, |total, series| total.saturating_add(series.count));
        let order = if total <= MAX_SORTED_PAYMENTS {
            PaymentOrder::sorted(&organization.payments)
        } else {
            PaymentOrder::AsGiven(total)
        };

        Self {
            organization,
            order,
        }
    }

    /// The position of the series and the index in it.
    fn series_and_index(&self, position: usize) -> (usize, usize) {
        match &self.order {
            PaymentOrder::Sorted(sorted) => (sorted[position].1, sorted[position].2),
            PaymentOrder::AsGiven(total) => {
                let mut index = total - 1 - position;
                for (position, series) in self.organization.payments.iter().enumerate() {
                    if index < series.count {
                        return (position, index);
                    }
                    index -= series.count;
                }
                (0, 0)
            }
        }
    }
}

impl PaymentOrder {
    fn sorted(all: &[PaymentSeries]) -> Self {
        let mut sorted: Vec<_> = all
            .iter()
            .enumerate()
            .flat_map(|(position, series)| {
                (0..series.count).map(move |index| (series.created_at(index), position, index))
            })
            .collect();

        // Payments without a time come first. In a list with the newest payment first they are
        // last.
        let lacks_created_time =
            |position: usize| all[position].defect == RowDefect::WithoutCreatedTime;
        sorted.sort_by_key(|(created_at, position, index)| {
            (
                !lacks_created_time(*position),
                *created_at,
                *position,
                *index,
            )
        });

        Self::Sorted(sorted)
    }
}

impl Rows for PaymentRows<'_> {
    fn len(&self) -> usize {
        match &self.order {
            PaymentOrder::Sorted(sorted) => sorted.len(),
            PaymentOrder::AsGiven(total) => *total,
        }
    }

    fn row(&self, position: usize) -> Value {
        let (series, index) = self.series_and_index(position);

        payment_row(self.organization, series, index)
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

/// The row of the payment at `index` of the series at position `position`.
pub(crate) fn payment_row(organization: &Organization, position: usize, index: usize) -> Value {
    let series = &organization.payments[position];
    let created_at = series.created_at(index);
    let id = organization.id.as_deref().unwrap_or_default();
    let random = SeededRandom::from_id(&format!("{id} payment {position} {index}"));

    let amount = json!(Cents(series.amount_cents).to_dollars());
    let bill_id = random.bill_id("00n");
    let transaction = random.number_below("transaction", 100_000_000);
    let confirmation = random.number_below("confirmation", 100_000_000);
    let row = json!({
        "id": random.bill_id("stp"),
        "vendorId": random.bill_id("009"),
        "vendorName": names::company(random),
        "billId": bill_id,
        "billPayments": [{ "id": random.bill_id("blp"), "billId": bill_id, "amount": amount }],
        "description": "Invoice",
        "processDate": created_at.strftime("%Y-%m-%d").to_string(),
        "fundingAccount": funding_account(organization, series, random),
        "amount": amount,
        "transactionNumber": format!("T{transaction:08}"),
        "confirmationNumber": format!("P{confirmation:08} - {index:07}"),
        "status": series.status,
        "fundingAmount": amount,
        "onlinePayment": series.online,
        "disbursementType": if series.online == Some(false) { "OFFLINE" } else { "ACH" },
        "remittanceEmail": format!("accounts@{}", names::domain(random)),
        "createdTime": format_timestamp(created_at),
        "updatedTime": format_timestamp(created_at),
        "createdBy": organization.users.first().map(|user| &user.id),
        "voidInfo": [],
        "cancelRequestSubmitted": series.status.as_deref() == Some("CANCELLED"),
    });

    with_defect(row, series.defect)
}

fn funding_account(
    organization: &Organization,
    series: &PaymentSeries,
    random: SeededRandom,
) -> Value {
    if series.by_card {
        json!({ "type": "CARD_ACCOUNT", "id": random.bill_id("cat") })
    } else {
        let account = organization.bank_accounts.first();
        json!({ "type": "BANK_ACCOUNT", "id": account.map(|account| &account.id) })
    }
}

/// An amount of money.
struct Cents(i64);

impl Cents {
    #[expect(
        clippy::cast_precision_loss,
        reason = "amounts are far below 2^53 cents"
    )]
    fn to_dollars(&self) -> f64 {
        self.0 as f64 / 100.0
    }
}
