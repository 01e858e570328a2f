//! The users to sign in as, to read an organization's data.

use crate::{identity::UserId, organization::Organization, snapshot::Snapshot};

/// The users to sign in as, the best first: as the sync read them, or else as the record remembers
/// them. Without those whom BILL refused in this sync.
pub fn sign_in_candidates(previous: Option<&Organization>, snapshot: &Snapshot) -> Vec<UserId> {
    let mut candidates = ranked_users(previous, snapshot);
    candidates.retain(|user| !snapshot.refused.contains(user));
    candidates
}

/// The users to sign in as, before BILL refused any: those of the list, if it was read, in the
/// order of their roles, but one who could read stands first.
pub(crate) fn ranked_users(previous: Option<&Organization>, snapshot: &Snapshot) -> Vec<UserId> {
    let remembered = previous.map_or(&[][..], |previous| &previous.contacts);
    if snapshot.users.is_none() {
        return remembered.to_vec();
    }

    let candidates = snapshot.sign_in_candidates();
    let mut users: Vec<UserId> = Vec::new();
    for user in &candidates {
        if !users.contains(&user.id) {
            users.push(user.id.clone());
        }
    }
    let last_reader = snapshot.reader.as_ref().or(remembered.first());
    let keeps_access = |user: &UserId| {
        candidates
            .iter()
            .any(|candidate| candidate.id == *user && candidate.has_access())
    };
    if let Some(reader) = last_reader.filter(|reader| keeps_access(reader)) {
        users.retain(|user| user != reader);
        users.insert(0, reader.clone());
    }
    users
}
