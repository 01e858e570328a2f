//! Page tokens: opaque, signed, and good for one query only.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs the tokens of one run of the sandbox.
pub(crate) struct PageTokenKey([u8; 32]);

/// Where a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageCursor {
    /// How many selected rows come before it.
    pub(crate) offset: usize,
    /// How many pages come before it.
    pub(crate) page: usize,
}

impl PageTokenKey {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    pub(crate) fn sign(&self, place: PageCursor, query: &str) -> String {
        let mut token = cursor_bytes(place).to_vec();
        token.extend_from_slice(&self.signature(&token, query));
        hex::encode(token)
    }

    /// `None`: the token is not one of ours, or belongs to another query.
    pub(crate) fn open(&self, token: &str, query: &str) -> Option<PageCursor> {
        let token = hex::decode(token).ok()?;
        let (place, signature) = token.split_at_checked(16)?;
        if signature != self.signature(place, query) {
            return None;
        }
        let (offset, page) = place.split_at(8);
        Some(PageCursor {
            offset: number(offset)?,
            page: number(page)?,
        })
    }

    fn signature(&self, place: &[u8], query: &str) -> [u8; 8] {
        let mut signature = [0; 8];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(place);
            mac.update(query.as_bytes());
            let full = mac.finalize().into_bytes();
            signature.copy_from_slice(&full[..8]);
        }
        signature
    }
}

fn cursor_bytes(place: PageCursor) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(place.offset as u64).to_be_bytes());
    bytes[8..].copy_from_slice(&(place.page as u64).to_be_bytes());
    bytes
}

fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u64::from_be_bytes(bytes.try_into().ok()?)).ok()
}
