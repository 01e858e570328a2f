//! Reads one organization from BILL: which requests are made, and in which order.

use bill::{ErrorKind, ListResult, OrganizationClient};
use engagement::{PaymentHistory, Snapshot, UserId, Verification};
use jiff::Timestamp;
use runtime::Metrics;

use crate::{error::SyncError, snapshot};

/// Sign-in attempts, each as another user, before the sync fails.
const MAX_SIGN_IN_ATTEMPTS: usize = 3;

/// Reads the snapshot of one organization.
pub struct SnapshotReader<'a> {
    pub calls: &'a OrganizationClient,
    /// What the listing says about the organization.
    pub listed: Snapshot,
    pub as_of: Timestamp,
    /// Users to sign in as, from the last sync.
    pub known_users: &'a [UserId],
}

impl SnapshotReader<'_> {
    /// Reads the snapshot. With a known user, the sign-in runs concurrently with the list of users,
    /// which saves one round trip.
    ///
    /// An `Err` means that the snapshot is incomplete: nothing may be decided from it.
    pub async fn read(&self, metrics: &Metrics) -> Result<Snapshot, SyncError> {
        let mut snapshot = self.listed.clone();
        let (users, first_attempt) = match self.known_users.first() {
            Some(known) => {
                let (users, signed_in) =
                    tokio::join!(self.calls.users(), self.calls.sign_in(known.as_str()));
                (users?, Some((known.clone(), signed_in)))
            }
            None => (self.calls.users().await?, None),
        };

        count_skipped(&users, "users_skipped", metrics);
        snapshot.users = snapshot::users(users.rows, metrics);
        if snapshot.users.iter().all(|user| user.archived) {
            return Ok(snapshot);
        }
        self.sign_in(&snapshot, first_attempt).await?;

        let (banks, payments) = tokio::join!(self.calls.bank_accounts(), self.payments(metrics));
        let banks = banks?;
        count_skipped(&banks, "bank_accounts_skipped", metrics);
        snapshot.banks = banks.rows.iter().map(snapshot::bank_account).collect();
        snapshot.payments = payments?;

        if snapshot.needs_verification(self.as_of) {
            snapshot.verification = Some(self.verification(metrics).await?);
        }

        Ok(snapshot)
    }

    /// Signs in as the first user whom BILL accepts. `first_attempt` is the result of the sign-in
    /// as a known user, who may no longer belong to the organization.
    async fn sign_in(
        &self,
        snapshot: &Snapshot,
        first_attempt: Option<(UserId, Result<(), bill::Error>)>,
    ) -> Result<(), SyncError> {
        let is_candidate = |user: &UserId| {
            snapshot
                .sign_in_candidates()
                .iter()
                .any(|candidate| candidate.id == *user)
        };
        let (tried, mut rejection) = match first_attempt {
            Some((_, Ok(()))) => return Ok(()),
            Some((user, Err(error)))
                if is_user_rejected(&error)
                    || (!is_candidate(&user) && !error.is_hour_exhausted()) =>
            {
                (Some(user), Some(error))
            }
            Some((_, Err(error))) => return Err(error.into()),
            None => (None, None),
        };

        let candidates = snapshot
            .sign_in_candidates()
            .into_iter()
            .map(|user| &user.id)
            .filter(|id| Some(*id) != tried.as_ref());
        for candidate in candidates.take(MAX_SIGN_IN_ATTEMPTS) {
            match self.calls.sign_in(candidate.as_str()).await {
                Ok(()) => return Ok(()),
                Err(error) if is_user_rejected(&error) => rejection = Some(error),
                Err(error) => return Err(error.into()),
            }
        }

        Err(rejection.map_or(SyncError::HourExhausted, SyncError::Bill))
    }

    /// The state of the risk verification. If BILL rejects the request, there is none to read yet.
    async fn verification(&self, metrics: &Metrics) -> Result<Verification, bill::Error> {
        match self.calls.risk_verification().await {
            Ok(response) => Ok(response
                .as_ref()
                .map_or(Verification::NotStarted, snapshot::verification)),
            Err(error) if error.kind() == ErrorKind::Refused => {
                metrics.count("verifications_refused");
                tracing::warn!(
                    %error,
                    "BILL rejected the request for the verification; it counts as not started"
                );
                Ok(Verification::NotStarted)
            }
            Err(error) => Err(error),
        }
    }

    /// The payments, newest first, up to the last page that the stage depends on.
    async fn payments(&self, metrics: &Metrics) -> Result<PaymentHistory, bill::Error> {
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
            metrics.add("payments_skipped", skipped + undated);
            tracing::warn!(
                unreadable = skipped,
                undated,
                "payments were skipped: not an object, or without a creation time"
            );
        }

        Ok(history)
    }
}

/// Whether BILL rejected this user. It may accept another one.
fn is_user_rejected(error: &bill::Error) -> bool {
    !error.is_of_partner_login()
        && matches!(
            error.kind(),
            ErrorKind::Refused | ErrorKind::UntrustedSession
        )
}

/// Counts and logs the rows of a list that are missing from the snapshot.
fn count_skipped<T>(rows: &ListResult<T>, metric: &'static str, metrics: &Metrics) {
    if rows.skipped > 0 {
        metrics.add(metric, rows.skipped);
        tracing::warn!(
            rows = rows.skipped,
            metric,
            "rows that are not JSON objects were skipped"
        );
    }
    if rows.truncated {
        metrics.count("lists_truncated");
        tracing::warn!(
            rows = rows.rows.len(),
            metric,
            "the list has more pages than this function reads; the rest was not read"
        );
    }
}

#[cfg(test)]
mod tests;
