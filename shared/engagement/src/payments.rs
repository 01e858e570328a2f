//! The payments of an organization, summarized: the last qualifying payment, and counts and amounts
//! of the last 30 and 90 days.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::time::age;

/// Maximum number of pages of payments to read, 100 payments each.
pub const MAX_PAYMENT_PAGES: u32 = 10;

const THIRTY_DAYS: SignedDuration = SignedDuration::from_hours(30 * 24);
const NINETY_DAYS: SignedDuration = SignedDuration::from_hours(90 * 24);

/// One row of `GET /v3/payments`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payment {
    /// `createdTime`.
    pub created_at: Option<Timestamp>,
    /// Whether `status` is `CANCELLED` or `VOID`. A missing or unknown status is neither.
    pub cancelled_or_void: bool,
    /// Whether `onlinePayment` is `false`: paid outside of BILL and only recorded there.
    pub offline: bool,
    /// `fundingAmount` in USD, or else `amount` in the currency of the payment.
    pub amount: Option<Decimal>,
}

impl Payment {
    /// Whether the payment shows that the customer pays through BILL.
    pub fn qualifies(&self) -> bool {
        !self.cancelled_or_void && !self.offline
    }
}

/// A summary of the payments read so far, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PaymentHistory {
    last_payment_at: Option<Timestamp>,
    payments_30d: u32,
    payments_90d: u32,
    amount_30d: Decimal,
    undated: u32,
    pages: u32,
    window_covered: bool,
}

impl PaymentHistory {
    /// Adds the next page of payments (`sort=createdTime:desc`). `as_of` is the same for all pages.
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

            self.last_payment_at = self.last_payment_at.max(Some(created_at));
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

    /// Whether the next page, if there is one, has to be read. `false` once the last 90 days are
    /// covered and the last qualifying payment is known, or [`MAX_PAYMENT_PAGES`] have been read.
    pub fn needs_next_page(&self) -> bool {
        self.pages < MAX_PAYMENT_PAGES && !(self.window_covered && self.last_payment_at.is_some())
    }

    /// Time of the last qualifying payment.
    pub fn last_payment_at(&self) -> Option<Timestamp> {
        self.last_payment_at
    }

    /// Number of qualifying payments in the last 30 days.
    pub fn payments_30d(&self) -> u32 {
        self.payments_30d
    }

    /// Number of qualifying payments in the last 90 days.
    pub fn payments_90d(&self) -> u32 {
        self.payments_90d
    }

    /// Sum of the qualifying payments in the last 30 days, in USD where BILL returns it.
    pub fn amount_30d(&self) -> Decimal {
        self.amount_30d
    }

    /// Number of payments skipped because they have no valid creation time.
    pub fn undated(&self) -> u32 {
        self.undated
    }
}
