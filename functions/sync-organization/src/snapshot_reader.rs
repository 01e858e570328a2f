//! Reads one organization from BILL, as far as the decision needs it.

mod user_reads;

use bill::{ErrorKind, ListResult, OrganizationClient};
use bill_connection::listed_organization;
use engagement::{
    ListedOrganization, Organization, OrganizationId, Rules, Snapshot, SyncCause, User, UserId,
    Wants, sign_in_candidates, wants,
};
use jiff::Timestamp;
use runtime::Metrics;

use self::user_reads::UserReads;
use crate::{error::SyncError, snapshot};

/// Users whom BILL may refuse before the organization counts as refused.
const MAX_REFUSED_USERS: usize = 3;

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

/// What has been read so far.
struct Progress {
    snapshot: Snapshot,
    /// The user as whom the client is signed in.
    signed_in: Option<UserId>,
    /// BILL's last refusal of a user.
    refusal: Option<bill::Error>,
    /// A sign-in as a remembered user that failed in a way that BILL does not document for it. The
    /// users tell whether it matters.
    failed_sign_in: Option<(UserId, bill::Error)>,
}

impl SnapshotReader<'_> {
    /// Adds to `listed`, what is known of the organization's row, everything that
    /// [`wants`](engagement::wants()) asks for. What does not depend on another read is read side by
    /// side.
    ///
    /// An `Err` means that the snapshot is incomplete: nothing may be decided from it.
    pub async fn read(&self, listed: Snapshot) -> Result<Snapshot, SyncError> {
        let mut progress = Progress {
            snapshot: listed,
            signed_in: None,
            refusal: None,
            failed_sign_in: None,
        };
        loop {
            let wants = progress.wants(self);
            if wants.is_empty() {
                return Ok(progress.snapshot);
            }

            let user = progress.next_user(self.previous);
            let user = user.filter(|_| wants.needs_user_session());
            if user.is_none() && wants.needs_user_session() {
                // Nobody is left to read as.
                let Progress {
                    snapshot, refusal, ..
                } = progress;
                return refusal.map_or(Ok(snapshot), |error| Err(error.into()));
            }
            let (as_user, as_partner) = tokio::join!(
                self.read_as(user.as_ref(), &progress, wants),
                self.read_as_partner(wants)
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

struct PartnerReads {
    users: Option<Vec<User>>,
    row: Option<ListedOrganization>,
}

impl Progress {
    fn wants(&self, reader: &SnapshotReader<'_>) -> Wants {
        let SnapshotReader {
            previous,
            rules,
            cause,
            as_of,
            ..
        } = *reader;
        if self.failed_sign_in.is_some() {
            return Wants {
                users: true,
                ..Wants::default()
            };
        }

        wants(previous, &self.snapshot, rules, cause, as_of)
    }

    /// The user to read as. `None`: BILL refused too many, or there is none left.
    fn next_user(&self, previous: Option<&Organization>) -> Option<UserId> {
        if self.signed_in.is_some() {
            return self.signed_in.clone();
        }

        let is_current = |user: &&UserId| self.snapshot.users.is_none() || self.has_access(user);
        let refused = self.snapshot.refused.iter().filter(is_current).count();
        if refused >= MAX_REFUSED_USERS {
            return None;
        }

        let candidates = sign_in_candidates(previous, &self.snapshot);
        candidates.into_iter().next()
    }

    /// Whether the users were read, and this one is unarchived and may have access.
    fn has_access(&self, user: &UserId) -> bool {
        let candidates = self.snapshot.sign_in_candidates();
        candidates
            .into_iter()
            .any(|candidate| candidate.id == *user && candidate.has_access())
    }

    fn add_partner_reads(&mut self, reads: PartnerReads) -> Result<(), SyncError> {
        if let Some(row) = reads.row {
            self.snapshot.archived = row.archived;
            self.snapshot.name = row.name;
            self.snapshot.created_at = row.created_at;
            self.snapshot.is_row_read = true;
        }
        let Some(users) = reads.users else {
            return Ok(());
        };

        self.snapshot.users = Some(users);
        match self.failed_sign_in.take() {
            Some((user, error)) if self.has_access(&user) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Adds what was read as `user`. A remembered user who turns out to be archived, or without
    /// access, may have been shown nothing: what was read as that user does not count.
    fn add_user_reads(
        &mut self,
        user: UserId,
        reads: UserReads,
        were_users_known: bool,
        metrics: &Metrics,
    ) -> Result<(), SyncError> {
        let is_early = !were_users_known;
        if is_early && self.snapshot.users.is_some() && !self.has_access(&user) {
            self.signed_in = None;
            return match reads.error() {
                Some(error) if error.is_hour_exhausted() => Err(error.clone().into()),
                _ => Ok(()),
            };
        }

        let UserReads {
            sign_in,
            banks,
            payments,
            verification,
        } = reads;
        if let Err(error) = sign_in {
            if is_early && self.snapshot.users.is_none() && may_be_of_user(&error) {
                self.failed_sign_in = Some((user, error));
                return Ok(());
            }
            return self.add_refusal(user, error, metrics);
        }

        self.signed_in = Some(user.clone());
        let mut refusal = None;
        keep(banks, &mut self.snapshot.banks, &mut refusal)?;
        keep(payments, &mut self.snapshot.payments, &mut refusal)?;
        keep(verification, &mut self.snapshot.verification, &mut refusal)?;
        match refusal {
            Some(error) => self.add_refusal(user, error, metrics),
            None => {
                self.snapshot.reader = Some(user);
                Ok(())
            }
        }
    }

    /// Passes over a user whom BILL refused. `Err`: the error says nothing about the user.
    fn add_refusal(
        &mut self,
        user: UserId,
        error: bill::Error,
        metrics: &Metrics,
    ) -> Result<(), SyncError> {
        if !is_user_refused(&error) {
            return Err(error.into());
        }

        metrics.count("users_refused");
        tracing::info!(%error, "BILL refuses a user; the next one is tried");
        self.signed_in = None;
        self.refusal = Some(error);
        self.snapshot.refused.push(user);
        Ok(())
    }
}

/// Keeps what was read, or BILL's refusal of the user. `Err`: any other failure.
fn keep<T>(
    read: Option<Result<T, bill::Error>>,
    fact: &mut Option<T>,
    refusal: &mut Option<bill::Error>,
) -> Result<(), SyncError> {
    match read {
        Some(Ok(value)) => *fact = Some(value),
        Some(Err(error)) if is_user_refused(&error) => *refusal = Some(error),
        Some(Err(error)) => return Err(error.into()),
        None => {}
    }
    Ok(())
}

/// Runs a read that is wanted.
async fn only_if<T>(is_wanted: bool, read: impl Future<Output = T>) -> Option<T> {
    if is_wanted { Some(read.await) } else { None }
}

/// Whether BILL refused this user. It may accept another one.
fn is_user_refused(error: &bill::Error) -> bool {
    !error.is_of_partner_login()
        && matches!(
            error.kind(),
            ErrorKind::Refused | ErrorKind::UntrustedSession
        )
}

/// Whether a failed sign-in may be BILL's response to a user who is no longer there: which one it
/// is, BILL does not document.
fn may_be_of_user(error: &bill::Error) -> bool {
    !error.is_of_partner_login()
        && matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::BadAnswer | ErrorKind::SessionExpired
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
