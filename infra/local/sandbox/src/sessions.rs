//! Sessions: opaque ids that expire after 35 idle minutes of the sandbox's clock.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

const IDLE_TIMEOUT: SignedDuration = SignedDuration::from_mins(35);

/// Expired sessions are removed each time this many sessions are stored.
const PRUNE_EVERY: usize = 4_096;

/// The open sessions, and expired ones that are not removed yet.
#[derive(Default)]
pub(crate) struct Sessions {
    by_id: HashMap<String, Session>,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The partner.
    Partner,
    /// A user of an organization.
    User(UserIdentity),
}

/// The user of an organization session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserIdentity {
    pub(crate) organization_id: String,
    pub(crate) user_id: String,
    /// Whether the session was opened on a remembered device.
    pub(crate) trusted: bool,
}

struct Session {
    identity: Identity,
    last_used: Timestamp,
}

impl Sessions {
    /// Opens a session and returns its id.
    pub(crate) fn open(&mut self, identity: Identity, now: Timestamp) -> String {
        if self.by_id.len() % PRUNE_EVERY == PRUNE_EVERY - 1 {
            self.by_id.retain(|_, session| !session.is_expired(now));
        }

        let id = hex::encode(rand::random::<[u8; 24]>());
        self.by_id.insert(
            id.clone(),
            Session {
                identity,
                last_used: now,
            },
        );

        id
    }

    /// The identity of a session. Does not extend the session.
    pub(crate) fn peek(&self, id: &str, now: Timestamp) -> Option<&Identity> {
        self.by_id
            .get(id)
            .filter(|session| !session.is_expired(now))
            .map(|session| &session.identity)
    }

    /// The identity of a session. Extends the session by 35 minutes from `now`.
    pub(crate) fn touch(&mut self, id: &str, now: Timestamp) -> Option<Identity> {
        let session = self
            .by_id
            .get_mut(id)
            .filter(|session| !session.is_expired(now))?;
        session.last_used = now;

        Some(session.identity.clone())
    }

    pub(crate) fn end(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    pub(crate) fn end_all(&mut self) {
        self.by_id.clear();
    }
}

impl Session {
    fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_used) >= IDLE_TIMEOUT
    }
}
