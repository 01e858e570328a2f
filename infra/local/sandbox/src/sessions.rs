//! Sessions: opaque, idle for at most 35 minutes on the sandbox's clock.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// Every session that is, or once was, open.
#[derive(Default)]
pub(crate) struct Sessions {
    open: HashMap<String, Session>,
}

/// Who a session speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Partner,
    User {
        organization_id: String,
        user_id: String,
        trusted: bool,
    },
}

struct Session {
    identity: Identity,
    last_used: Timestamp,
}

impl Sessions {
    /// Opens a session and returns its id.
    pub(crate) fn open(&mut self, identity: Identity, now: Timestamp) -> String {
        if self.open.len() % PRUNE_EVERY == PRUNE_EVERY - 1 {
            self.open.retain(|_, session| !session.is_expired(now));
        }
        let id = hex::encode(rand::random::<[u8; 24]>());
        self.open.insert(
            id.clone(),
            Session {
                identity,
                last_used: now,
            },
        );
        id
    }

    /// Whom a session speaks for, without using it.
    pub(crate) fn peek(&self, id: &str, now: Timestamp) -> Option<&Identity> {
        self.open
            .get(id)
            .filter(|session| !session.is_expired(now))
            .map(|session| &session.identity)
    }

    /// Whom a session speaks for; it lives another 35 minutes.
    pub(crate) fn touch(&mut self, id: &str, now: Timestamp) -> Option<Identity> {
        let session = self
            .open
            .get_mut(id)
            .filter(|session| !session.is_expired(now))?;
        session.last_used = now;
        Some(session.identity.clone())
    }

    pub(crate) fn end(&mut self, id: &str) {
        self.open.remove(id);
    }

    pub(crate) fn end_all(&mut self) {
        self.open.clear();
    }
}

impl Session {
    fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_used) >= IDLE_TIMEOUT
    }
}

const IDLE_TIMEOUT: SignedDuration = SignedDuration::from_mins(35);

/// How many sessions may be added before the expired ones are dropped.
const PRUNE_EVERY: usize = 4_096;
