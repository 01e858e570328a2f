//! What a sync has read so far, and as whom it goes on.

use bill::ErrorKind;
use engagement::{
    ListedOrganization, Organization, Snapshot, User, UserId, Wants, sign_in_candidates, wants,
};
use runtime::Metrics;

use super::{SnapshotReader, user_reads::UserReads};
use crate::error::SyncError;

/// Users whom BILL may refuse before the organization counts as refused.
const MAX_REFUSED_USERS: usize = 3;

/// What has been read so far.
pub struct Progress {
    pub snapshot: Snapshot,
    /// The user as whom the client is signed in.
    pub signed_in: Option<UserId>,
    /// BILL's last refusal of a user.
    refusal: Option<bill::Error>,
    /// A sign-in as a remembered user that failed in a way that BILL does not document for it. The
    /// users tell whether it matters.
    failed_sign_in: Option<(UserId, bill::Error)>,
}

/// What needs no session of a user; `None`: it was not wanted.
pub struct PartnerReads {
    pub users: Option<Vec<User>>,
    pub row: Option<ListedOrganization>,
}

impl Progress {
    /// Nothing but the organization's row.
    pub fn new(listed: Snapshot) -> Self {
        Self {
            snapshot: listed,
            signed_in: None,
            refusal: None,
            failed_sign_in: None,
        }
    }

    /// What to read next.
    pub fn wants(&self, reader: &SnapshotReader<'_>) -> Wants {
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
    pub fn next_user(&self, previous: Option<&Organization>) -> Option<UserId> {
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

    /// The outcome when nobody is left to read as: BILL's last refusal.
    pub fn into_refusal(self) -> Result<Snapshot, SyncError> {
        let snapshot = self.snapshot;
        self.refusal.map_or(Ok(snapshot), |error| Err(error.into()))
    }

    /// Whether the users were read, and this one is unarchived and may have access.
    fn has_access(&self, user: &UserId) -> bool {
        let candidates = self.snapshot.sign_in_candidates();
        candidates
            .into_iter()
            .any(|candidate| candidate.id == *user && candidate.has_access())
    }

    /// Adds what needs no session of a user. What was read before as a user who turns out to be
    /// archived, or without access, does not count: that user may have been shown nothing.
    pub fn add_partner_reads(&mut self, reads: PartnerReads) -> Result<(), SyncError> {
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
        if self
            .signed_in
            .as_ref()
            .is_some_and(|user| !self.has_access(user))
        {
            self.signed_in = None;
            self.snapshot = Snapshot {
                banks: None,
                payments: None,
                verification: None,
                reader: None,
                ..std::mem::take(&mut self.snapshot)
            };
        }
        if let Some((user, error)) = self.failed_sign_in.take()
            && self.has_access(&user)
        {
            return Err(error.into());
        }
        Ok(())
    }

    /// Adds what was read as `user`, unless the users, read at the same time, show that this one is
    /// archived or without access.
    pub fn add_user_reads(
        &mut self,
        user: UserId,
        reads: UserReads,
        were_users_known: bool,
        metrics: &Metrics,
    ) -> Result<(), SyncError> {
        let is_early = !were_users_known;
        if is_early && self.snapshot.users.is_some() && !self.has_access(&user) {
            self.signed_in = None;
            let hour_exhausted = reads.error().filter(|error| error.is_hour_exhausted());
            return hour_exhausted.map_or(Ok(()), |error| Err(error.clone().into()));
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
        if let Some(error) = refusal {
            return self.add_refusal(user, error, metrics);
        }
        self.snapshot.reader = Some(user);
        Ok(())
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
