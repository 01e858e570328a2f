//! One look at one organization: which BILL requests are made, and in which order.

use std::sync::atomic::{AtomicU32, Ordering};

use bill::{ErrorKind, OrganizationClient, Rows};
use engagement::{PaymentHistory, Snapshot, SyncRequest, UserId, Verification};
use runtime::Metrics;
use store::{BudgetAmount, StoreError};

use crate::signals;

/// Users that are tried at most before the organization counts as refused.
const SIGN_IN_ATTEMPTS: usize = 3;

/// A look that is about to be made.
pub struct Look<'a> {
    pub calls: &'a OrganizationClient,
    pub request: &'a SyncRequest,
    /// Users to sign in as, known from the last look.
    pub contacts: &'a [UserId],
}

impl Look<'_> {
    /// Reads what BILL says. With a known user, sign-in runs beside the list of users, so that two
    /// round trips are enough.
    pub async fn signals(&self, metrics: &Metrics) -> Result<Snapshot, SyncError> {
        let mut signals = signals::of_listed(&self.request.organization);
        let (users, early) = match self.contacts.first() {
            Some(known) => {
                let (users, signed_in) =
                    tokio::join!(self.calls.users(), self.calls.sign_in(known.as_str()));
                (users?, Some((known.clone(), signed_in)))
            }
            None => (self.calls.users().await?, None),
        };
        count_skipped(&users, "users_skipped", metrics);
        signals.users = signals::users(users.rows, metrics);
        if signals.users.iter().all(|user| user.archived) {
            return Ok(signals);
        }
        self.sign_in(&signals, early).await?;
        let (banks, payments) = tokio::join!(self.calls.bank_accounts(), self.payments(metrics));
        let banks = banks?;
        count_skipped(&banks, "bank_accounts_skipped", metrics);
        signals.banks = banks.rows.iter().map(signals::bank_account).collect();
        signals.payments = payments?;
        if signals.needs_verification(self.request.as_of) {
            signals.verification = Some(self.verification(metrics).await?);
        }
        Ok(signals)
    }

    /// Signs in as the first user whom BILL accepts. `early`: an attempt that was already made,
    /// with a user who may be one no longer.
    async fn sign_in(
        &self,
        signals: &Snapshot,
        early: Option<(UserId, Result<(), bill::Error>)>,
    ) -> Result<(), SyncError> {
        let is_candidate = |user: &UserId| {
            signals
                .sign_in_candidates()
                .iter()
                .any(|candidate| candidate.id == *user)
        };
        let (tried, mut refusal) = match early {
            Some((_, Ok(()))) => return Ok(()),
            Some((user, Err(error)))
                if is_about_user(&error)
                    || (!is_candidate(&user) && !error.is_hour_exhausted()) =>
            {
                (Some(user), Some(error))
            }
            Some((_, Err(error))) => return Err(error.into()),
            None => (None, None),
        };
        let candidates = signals
            .sign_in_candidates()
            .into_iter()
            .map(|user| &user.id)
            .filter(|id| Some(*id) != tried.as_ref());
        for candidate in candidates.take(SIGN_IN_ATTEMPTS) {
            match self.calls.sign_in(candidate.as_str()).await {
                Ok(()) => return Ok(()),
                Err(error) if is_about_user(&error) => refusal = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refusal.map_or(SyncError::HourExhausted, SyncError::Bill))
    }

    /// Where the know-your-customer check stands. A refusal says no more than that there is nothing
    /// to show.
    async fn verification(&self, metrics: &Metrics) -> Result<Verification, bill::Error> {
        match self.calls.risk_verification().await {
            Ok(answer) => Ok(answer
                .as_ref()
                .map_or(Verification::NotStarted, signals::verification)),
            Err(error) if error.kind() == ErrorKind::Refused => {
                metrics.count("verifications_refused");
                tracing::warn!(%error, "BILL refuses to show the verification; it counts as not begun");
                Ok(Verification::NotStarted)
            }
            Err(error) => Err(error),
        }
    }

    /// Pages of payments, newest first, until they tell enough.
    async fn payments(&self, metrics: &Metrics) -> Result<PaymentHistory, bill::Error> {
        let mut history = PaymentHistory::default();
        let (mut token, mut skipped) = (None, 0);
        loop {
            let page = self.calls.payments_page(token.as_ref()).await?;
            skipped += page.skipped;
            let payments: Vec<_> = page.rows.iter().map(signals::payment).collect();
            history.add_page(&payments, self.request.as_of);
            token = page.next;
            if token.is_none() || !history.needs_next_page() {
                break;
            }
        }
        let undated = u64::from(history.undated());
        if skipped + undated > 0 {
            count(metrics, "payments_skipped", skipped + undated);
            tracing::warn!(
                unreadable = skipped,
                undated,
                "payments were passed over: not an object, or without a creation time"
            );
        }
        Ok(history)
    }
}

/// BILL refuses this user; another one may be accepted.
fn is_about_user(error: &bill::Error) -> bool {
    matches!(error.type_name(), "bill_refused" | "bill_untrusted_session")
}

fn count_skipped<T>(rows: &Rows<T>, metric: &'static str, metrics: &Metrics) {
    if rows.skipped > 0 {
        count(metrics, metric, rows.skipped);
        tracing::warn!(
            rows = rows.skipped,
            metric,
            "rows that cannot be read were passed over"
        );
    }
    if rows.truncated {
        metrics.count("lists_truncated");
        tracing::warn!(
            rows = rows.rows.len(),
            metric,
            "the list is longer than anything believable; its end was not read"
        );
    }
}

fn count(metrics: &Metrics, name: &'static str, count: u64) {
    metrics.add_count(name, usize::try_from(count).unwrap_or(usize::MAX));
}

/// BILL requests that a batch made.
#[derive(Default)]
pub struct Used {
    requests: AtomicU32,
    sign_ins: AtomicU32,
}

impl Used {
    /// Adds what one look made, whether it succeeded or not.
    pub fn add(&self, calls: &OrganizationClient) {
        self.requests.fetch_add(
            u32::try_from(calls.requests()).unwrap_or(u32::MAX),
            Ordering::Relaxed,
        );
        self.sign_ins.fetch_add(
            u32::try_from(calls.sign_ins()).unwrap_or(u32::MAX),
            Ordering::Relaxed,
        );
    }

    /// The sum.
    pub fn amount(&self) -> BudgetAmount {
        BudgetAmount {
            requests: self.requests.load(Ordering::Relaxed),
            sign_ins: self.sign_ins.load(Ordering::Relaxed),
        }
    }
}

/// Why an organization could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// BILL did not answer as wanted.
    #[error(transparent)]
    Bill(#[from] bill::Error),
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another look of this batch learned that the hour's requests are used up.
    #[error("BILL's requests of this hour are used up")]
    HourExhausted,
}

/// What to do about a failed look.
pub enum FailureAction {
    /// The message comes back.
    Repeat,
    /// The message is completed; the organization stays due.
    NextSweep,
    /// The message is completed; the organization is due in a day.
    Tomorrow,
}

impl SyncError {
    /// Stable name for logs.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Bill(error) => error.type_name(),
            Self::Store(error) => error.type_name(),
            Self::HourExhausted => "bill_hour_exhausted",
        }
    }

    /// What to do.
    pub fn remedy(&self) -> FailureAction {
        match self {
            Self::Store(_) => FailureAction::Repeat,
            Self::HourExhausted => FailureAction::NextSweep,
            Self::Bill(error) => match error.type_name() {
                "bill_refused" | "bill_untrusted_session" => FailureAction::Tomorrow,
                _ => FailureAction::NextSweep,
            },
        }
    }

    /// Repeating within minutes has a chance.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Bill(error) if matches!(error.type_name(), "bill_unavailable" | "bill_deadline" | "bill_too_many_at_once" | "bill_bad_answer" | "bill_session_expired"))
    }

    /// The rest of the clock hour is of no use to anyone.
    pub fn exhausts_hour(&self) -> bool {
        matches!(self, Self::Bill(error) if error.is_hour_exhausted())
    }

    /// The failure says something about this organization and not about BILL, the credentials or
    /// the hour.
    pub fn is_about_organization(&self) -> bool {
        self.is_transient()
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
