//! A run's share of the daily quota: how many more e-mails it may send today.

use std::sync::Arc;

use jiff::civil::Date;
use runtime::ClassifiedError;
use store::{DailyQuota, StoreError};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// E-mails reserved from the quota at once. A run that is killed wastes at most these.
const QUOTA_BLOCK_SIZE: u32 = 50;

/// One run's share of the daily quota, reserved in blocks.
pub struct QuotaShare<'a> {
    daily_quota: &'a DailyQuota,
    /// `None`: no limit.
    limit: Option<u32>,
    day: Date,
    /// Reserved e-mails for which there is no permit.
    block: Arc<Semaphore>,
    /// Whether the day has none left to reserve. Locked during a reservation, so that concurrent
    /// callers do not each reserve a block.
    is_exhausted: Mutex<bool>,
}

/// Permission to send one e-mail. It returns itself to the [`QuotaShare`] when it is dropped
/// without having been spent.
#[must_use]
pub struct QuotaPermit(Option<OwnedSemaphorePermit>);

/// A permit whose e-mail was sent, or may have been.
pub struct SpentPermit(Option<Arc<Semaphore>>);

impl<'a> QuotaShare<'a> {
    /// A share of the quota of a day; `limit` is the quota in e-mails.
    pub fn new(daily_quota: &'a DailyQuota, limit: Option<u32>, day: Date) -> Self {
        Self {
            daily_quota,
            limit,
            day,
            block: Arc::new(Semaphore::new(0)),
            is_exhausted: Mutex::new(false),
        }
    }

    /// Takes a permit for one e-mail; `None`: the day has none left.
    ///
    /// An `Err` means that no block could be reserved: do not send.
    pub async fn acquire(&self) -> Result<Option<QuotaPermit>, StoreError> {
        let Some(limit) = self.limit else {
            return Ok(Some(QuotaPermit(None)));
        };

        let mut is_exhausted = self.is_exhausted.lock().await;
        if self.block.available_permits() == 0 && !*is_exhausted {
            let reserved = self
                .daily_quota
                .reserve(self.day, QUOTA_BLOCK_SIZE, limit)
                .await?;
            *is_exhausted = reserved == 0;
            self.block.add_permits(reserved as usize);
        }

        let permit = Arc::clone(&self.block).try_acquire_owned().ok();
        Ok(permit.map(|permit| QuotaPermit(Some(permit))))
    }

    /// Returns the unused e-mails to the day. If that fails, fewer e-mails can be sent today, which
    /// is logged.
    pub async fn close(self) {
        let unused = u32::try_from(self.block.available_permits()).unwrap_or(u32::MAX);
        if let Err(error) = self.daily_quota.release(self.day, unused).await {
            tracing::warn!(
                error_type = error.error_type().name(),
                unused,
                "unused e-mails could not be returned to the daily quota"
            );
        }
    }
}

impl QuotaPermit {
    /// Spends the permit before SES is called, so that a send that is cancelled still counts.
    pub fn spend(self) -> SpentPermit {
        SpentPermit(self.0.map(|permit| {
            let block = Arc::clone(permit.semaphore());
            permit.forget();
            block
        }))
    }
}

impl SpentPermit {
    /// Returns the permit: SES has proved that it did not accept the e-mail.
    pub fn refund(self) {
        if let Some(block) = self.0 {
            block.add_permits(1);
        }
    }
}
