//! Payments, described as series.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::population::row_defect::RowDefect;

/// One payment, or a series of payments that differ only in their time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentSeries {
    /// BILL's status, such as `PAID`. `None` means that the row has no such field.
    pub status: Option<String>,
    /// `false` for a payment that was made outside BILL and only recorded there. `None` means that
    /// the row has no such field.
    pub online: Option<bool>,
    /// Whether the payments were made with a card instead of a bank account.
    pub by_card: bool,
    /// The amount of each payment in cents.
    pub amount_cents: i64,
    /// When the newest payment was created.
    pub newest_at: Timestamp,
    /// The number of payments.
    pub count: usize,
    /// Seconds between two payments.
    pub interval_seconds: i64,
    /// How the rows violate the contract.
    pub defect: RowDefect,
}

impl Default for PaymentSeries {
    /// One payment of 412.50 from a bank account, made through BILL in 1970.
    fn default() -> Self {
        Self {
            status: Some("PAID".to_owned()),
            online: Some(true),
            by_card: false,
            amount_cents: 41_250,
            newest_at: Timestamp::default(),
            count: 1,
            interval_seconds: 86_400,
            defect: RowDefect::None,
        }
    }
}

impl PaymentSeries {
    /// One payment with the status `PAID`, made through BILL.
    pub fn paid(newest_at: Timestamp) -> Self {
        Self {
            newest_at,
            ..Self::default()
        }
    }

    /// One payment with this status, made through BILL.
    pub fn with_status(status: &str, newest_at: Timestamp) -> Self {
        Self {
            status: Some(status.to_owned()),
            ..Self::paid(newest_at)
        }
    }

    /// The same payment `count` times, each `interval_seconds` before the next newer one.
    #[must_use]
    pub fn repeated(self, count: usize, interval_seconds: i64) -> Self {
        Self {
            count,
            interval_seconds,
            ..self
        }
    }

    /// When the payment at this index was created. Index 0 is the newest payment.
    pub(crate) fn created_at(&self, index: usize) -> Timestamp {
        let seconds = i64::try_from(index)
            .unwrap_or(i64::MAX)
            .saturating_mul(self.interval_seconds);

        self.newest_at
            .saturating_sub(SignedDuration::from_secs(seconds))
            .unwrap_or(self.newest_at)
    }
}
