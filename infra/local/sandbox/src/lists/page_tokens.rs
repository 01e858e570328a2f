//! Page tokens: opaque, signed, and valid for one query only.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::responses::ErrorResponse;

/// Signs page tokens. Each sandbox has its own key.
pub(crate) struct PageTokenKey([u8; 32]);

/// Where a page begins. The default is the first page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageCursor {
    /// The number of selected rows before this page.
    pub(crate) offset: usize,
    /// The number of pages before this page.
    pub(crate) page: usize,
}

impl PageTokenKey {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// The token of a page. `query` is the query that it is valid for.
    pub(crate) fn sign(&self, cursor: PageCursor, query: &str) -> String {
        let mut token = cursor_bytes(cursor).to_vec();
        token.extend_from_slice(&self.signature(&token, query));

        hex::encode(token)
    }

    /// The cursor in a token, or that of the first page without a token. `Err` is a 400: the token
    /// was not signed with this key and for this query.
    pub(crate) fn cursor_or_first_page(
        &self,
        token: Option<&str>,
        query: &str,
    ) -> Result<PageCursor, ErrorResponse> {
        let Some(token) = token else {
            return Ok(PageCursor::default());
        };

        self.verify(token, query).ok_or_else(|| {
            ErrorResponse::validation(vec!["page: is not a page of this list".to_owned()])
        })
    }

    fn verify(&self, token: &str, query: &str) -> Option<PageCursor> {
        let token = hex::decode(token).ok()?;
        let (cursor, signature) = token.split_at_checked(16)?;
        if signature != self.signature(cursor, query) {
            return None;
        }

        let (offset, page) = cursor.split_at(8);
        Some(PageCursor {
            offset: read_usize(offset)?,
            page: read_usize(page)?,
        })
    }

    fn signature(&self, cursor: &[u8], query: &str) -> [u8; 8] {
        let mut signature = [0; 8];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(cursor);
            mac.update(query.as_bytes());
            let full = mac.finalize().into_bytes();
            signature.copy_from_slice(&full[..8]);
        }

        signature
    }
}

fn cursor_bytes(cursor: PageCursor) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(cursor.offset as u64).to_be_bytes());
    bytes[8..].copy_from_slice(&(cursor.page as u64).to_be_bytes());

    bytes
}

fn read_usize(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u64::from_be_bytes(bytes.try_into().ok()?)).ok()
}
