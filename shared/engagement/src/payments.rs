//! What the list of payments tells: the newest qualifying payment, and counts and amounts of the
//! trailing windows.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::stage::age;

/// Pages of payments read at most, 100 payments each.
pub const MAX_PAYMENT_PAGES: u32 = 10;

const THIRTY_DAYS: SignedDuration = SignedDuration::from_hours(30 * 24);
const NINETY_DAYS: SignedDuration = SignedDuration::from_hours(90 * 24);

/// One row of `GET /v3/payments`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payment {
    /// `createdTime`.
    pub created_at: Option<Timestamp>,
    /// `status` is `CANCELLED` or `VOID`. A missing or unknown status is neither.
    pub cancelled_or_void: bool,
    /// `onlinePayment` is `false`: paid outside BILL and only recorded there.
    pub offline: bool,
    /// `fundingAmount` in USD, else `amount` in the payment's currency.
    pub amount: Option<Decimal>,
}

impl Payment {
    /// Whether the payment shows that the customer pays through BILL.
    pub fn qualifies(&self) -> bool {
        !self.cancelled_or_void && !self.offline
    }
}

/// A summary of the payments read so far, newest first, as seen at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PaymentHistory {
    newest: Option<Timestamp>,
    payments_30d: u32,
    payments_90d: u32,
    amount_30d: Decimal,
    undated: u32,
    pages: u32,
    window_covered: bool,
}

impl PaymentHistory {
    /// Adds the next page of `sort=createdTime:desc`.
    pub fn add_page<'a>(
        &mut self,
        payments: impl IntoIterator<Item = &'a Payment>,
        as_of: Timestamp,
    ) {
        self.pages += 1;
        for payment in payments {
            let Some(created_at) = payment.created_at else {
                self.undated += 1;
                continue;
            };
            let age = age(created_at, as_of);
            self.window_covered |= age >= NINETY_DAYS;
            if !payment.qualifies() {
                continue;
            }
            self.newest = self.newest.max(Some(created_at));
            if age < NINETY_DAYS {
                self.payments_90d += 1;
            }
            if age < THIRTY_DAYS {
                self.payments_30d += 1;
                self.amount_30d = self
                    .amount_30d
                    .saturating_add(payment.amount.unwrap_or_default());
            }
        }
    }

    /// Whether a further page, if there is one, has to be read: until the 90-day window is covered
    /// and the newest qualifying payment is known, or [`MAX_PAYMENT_PAGES`] were read.
    pub fn needs_next_page(&self) -> bool {
        self.pages < MAX_PAYMENT_PAGES && !(self.window_covered && self.newest.is_some())
    }

    /// Time of the newest qualifying payment.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Qualifying payments of the trailing 30 days.
    pub fn payments_30d(&self) -> u32 {
        self.payments_30d
    }

    /// Qualifying payments of the trailing 90 days.
    pub fn payments_90d(&self) -> u32 {
        self.payments_90d
    }

    /// Sum of the qualifying payments of the trailing 30 days, USD where BILL gives it.
    pub fn amount_30d(&self) -> Decimal {
        self.amount_30d
    }

    /// Payments passed over because they carry no readable creation time.
    pub fn undated(&self) -> u32 {
        self.undated
    }
}
