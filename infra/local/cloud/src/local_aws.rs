//! The local AWS alone, without a stack.

use anyhow::Result;

use crate::{ministack::MiniStack, options::Options};

/// A running MiniStack. Dropping it ends the process.
pub struct LocalAws(MiniStack);

impl LocalAws {
    /// Starts MiniStack on a free port and waits until it is ready. `Err` says what to do.
    pub async fn start() -> Result<Self> {
        Ok(Self(MiniStack::start(&Options::default()).await?))
    }

    /// The URL that AWS SDK clients call.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }
}
