//! Reads one organization from BILL, as far as the decision needs it.

mod progress;
mod user_reads;

use bill::{ListResult, OrganizationClient};
use bill_connection::listed_organization;
use engagement::{Organization, OrganizationId, Rules, Snapshot, SyncCause, UserId, Wants};
use jiff::Timestamp;
use runtime::Metrics;

use self::{
    progress::{PartnerReads, Progress},
    user_reads::UserReads,
};
use crate::{error::SyncError, snapshot};

/// Reads the snapshot of one organization.
pub struct SnapshotReader<'a> {
    pub calls: &'a OrganizationClient,
    pub id: &'a OrganizationId,
    /// The record of the last sync.
    pub previous: Option<&'a Organization>,
    pub rules: &'a Rules,
    pub cause: SyncCause,
    pub as_of: Timestamp,
    pub metrics: &'a Metrics,
}

impl SnapshotReader<'_> {
    /// Adds to `listed`, what is known of the organization's row, everything that
    /// [`wants`](engagement::wants()) asks for. What does not depend on another read is read
    /// concurrently.
    ///
    /// An `Err` means that the snapshot is incomplete: nothing may be decided from it.
    pub async fn read(&self, listed: Snapshot) -> Result<Snapshot, SyncError> {
        let mut progress = Progress::new(listed);
        loop {
            let wants = progress.wants(self);
            if wants.is_empty() {
                return Ok(progress.snapshot);
            }

            let user = progress.next_user(self.previous);
            let user = user.filter(|_| wants.needs_user_session());
            if user.is_none() && wants.needs_user_session() {
                // Nobody is left to read as.
                return progress.into_refusal();
            }
            let (as_user, as_partner) = tokio::join!(
                Box::pin(self.read_as(user.as_ref(), &progress, wants)),
                Box::pin(self.read_as_partner(wants))
            );
            let were_users_known = progress.snapshot.users.is_some();
            progress.add_partner_reads(as_partner?)?;
            if let Some((user, reads)) = user.zip(as_user) {
                progress.add_user_reads(user, reads, were_users_known, self.metrics)?;
            }
        }
    }

    async fn read_as(
        &self,
        user: Option<&UserId>,
        progress: &Progress,
        wants: Wants,
    ) -> Option<UserReads> {
        let user = user?;
        let is_signed_in = progress.signed_in.as_ref() == Some(user);
        Some(self.read_as_user(user, is_signed_in, wants).await)
    }

    /// What needs no session of a user.
    async fn read_as_partner(&self, wants: Wants) -> Result<PartnerReads, SyncError> {
        let (users, row) = tokio::join!(
            only_if(wants.users, self.calls.users()),
            only_if(wants.row, self.calls.find_in_list())
        );
        let row = match row.transpose()? {
            Some(row) => Some(row.ok_or(SyncError::NotListed)?),
            None => None,
        };

        Ok(PartnerReads {
            users: users.transpose()?.map(|users| {
                count_skipped(&users, "users_skipped", self.metrics);
                snapshot::users(users.rows, self.metrics)
            }),
            row: row.map(|row| listed_organization(self.id.clone(), row)),
        })
    }
}

/// Runs a read that is wanted.
async fn only_if<T>(is_wanted: bool, read: impl Future<Output = T>) -> Option<T> {
    if is_wanted { Some(read.await) } else { None }
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
