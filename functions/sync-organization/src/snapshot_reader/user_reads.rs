//! What is read as one of the organization's users.

use engagement::{BankAccount, PaymentHistory, UserId, Verification, Wants};

use super::{SnapshotReader, count_skipped, only_if};
use crate::snapshot;

/// The outcome of each read; `None`: it was not wanted, or the sign-in failed.
pub struct UserReads {
    /// `Ok` also for a user who was signed in before.
    pub sign_in: Result<(), bill::Error>,
    pub banks: Option<Result<Vec<BankAccount>, bill::Error>>,
    pub payments: Option<Result<PaymentHistory, bill::Error>>,
    pub verification: Option<Result<Verification, bill::Error>>,
}

impl UserReads {
    /// One of the failures.
    pub fn error(&self) -> Option<&bill::Error> {
        let reads = [
            self.sign_in.as_ref().err(),
            self.banks.as_ref().and_then(|read| read.as_ref().err()),
            self.payments.as_ref().and_then(|read| read.as_ref().err()),
            self.verification
                .as_ref()
                .and_then(|read| read.as_ref().err()),
        ];
        reads.into_iter().flatten().next()
    }
}

impl SnapshotReader<'_> {
    /// Signs in as the user, unless that was done, and reads what is wanted side by side.
    pub(super) async fn read_as_user(
        &self,
        user: &UserId,
        is_signed_in: bool,
        wants: Wants,
    ) -> UserReads {
        let sign_in = if is_signed_in {
            Ok(())
        } else {
            self.calls.sign_in(user.as_str()).await
        };
        if sign_in.is_err() {
            return UserReads {
                sign_in,
                banks: None,
                payments: None,
                verification: None,
            };
        }

        let (banks, payments, verification) = tokio::join!(
            only_if(wants.banks, Box::pin(self.bank_accounts())),
            only_if(wants.payments, Box::pin(self.payments())),
            only_if(wants.verification, Box::pin(self.verification()))
        );
        UserReads {
            sign_in,
            banks,
            payments,
            verification,
        }
    }

    async fn bank_accounts(&self) -> Result<Vec<BankAccount>, bill::Error> {
        let banks = self.calls.bank_accounts().await?;
        count_skipped(&banks, "bank_accounts_skipped", self.metrics);

        Ok(banks.rows.iter().map(snapshot::bank_account).collect())
    }

    /// The payments, newest first, up to the last page that the stage depends on.
    async fn payments(&self) -> Result<PaymentHistory, bill::Error> {
        let mut history = PaymentHistory::default();
        let (mut token, mut skipped) = (None, 0);
        loop {
            let page = self.calls.payments_page(token.as_ref()).await?;
            skipped += page.skipped;
            let payments: Vec<_> = page.rows.iter().map(snapshot::payment).collect();
            history.add_page(&payments, self.as_of);
            token = page.next;
            if token.is_none() || !history.needs_next_page() {
                break;
            }
        }

        let undated = u64::from(history.undated());
        if skipped + undated > 0 {
            self.metrics.add("payments_skipped", skipped + undated);
            tracing::warn!(
                unreadable = skipped,
                undated,
                "payments were skipped: not an object, or without a creation time"
            );
        }

        Ok(history)
    }

    async fn verification(&self) -> Result<Verification, bill::Error> {
        let response = self.calls.risk_verification().await?;

        Ok(response
            .as_ref()
            .map_or(Verification::NotStarted, snapshot::verification))
    }
}
