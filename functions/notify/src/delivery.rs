//! The delivery of one claimed notice: renders the e-mail, sends it and records the result.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use content::{Content, Mail};
use engagement::{EmailAddress, Notice, NoticeReason, NoticeStatus, UnsubscribeKeys};
use jiff::SignedDuration;
use runtime::{ErrorType, Failure};
use store::{Claim, Notices};
use url::Url;

use crate::{
    links::unsubscribe_url, mailer::Mailer, quota_share::QuotaPermit, run_control::RunControl,
    send_error::SendError, send_rate_limiter::SendRateLimiter, summary::RunOutcome,
};

/// Attempts to send one e-mail that SES throttles.
const MAX_SEND_ATTEMPTS: u32 = 4;

/// Time that must be left before another attempt. It includes the wait for the rate limiter behind
/// the other concurrent sends.
const ATTEMPT_TIME_RESERVE: Duration = Duration::from_secs(25);

/// Consecutive sends without a response, or given up because SES throttled them, that stop the run.
const MAX_CONSECUTIVE_FAILURES: u32 = 3;

/// How long a notice that SES throttled waits.
const THROTTLED_RETRY_DELAY: SignedDuration = SignedDuration::from_mins(5);

/// How long a notice waits after SES rejected the account. If its recipient is the cause, it does
/// not block the notices behind it in the next run.
const ACCOUNT_REFUSED_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(1);

/// Delivers claimed notices, concurrently.
pub struct Delivery<'a> {
    pub notices: &'a Notices,
    pub content: &'a Content,
    pub mailer: &'a Mailer,
    pub public_url: &'a Url,
    pub token_keys: Arc<UnsubscribeKeys>,
    pub control: &'a RunControl,
    pub rate_limiter: SendRateLimiter,
    pub failures: ConsecutiveFailures,
}

/// Sends that failed in a row, by cause.
#[derive(Default)]
pub struct ConsecutiveFailures {
    ambiguous: AtomicU32,
    throttled: AtomicU32,
}

/// The status and reason that were recorded.
type Recorded = (NoticeStatus, Option<NoticeReason>);

impl Delivery<'_> {
    /// Sends the e-mail and records the result. The permit is spent unless SES has proved that it
    /// did not accept the e-mail.
    ///
    /// An `Err` means that a table could not be used or the link could not be built. Then, and
    /// after a crash at any point, the notice stays claimed and becomes `unknown` when the claim is
    /// abandoned; the SES event resolves it if the e-mail was sent. It is never sent twice.
    pub async fn send(
        &self,
        notice: &Notice,
        address: &EmailAddress,
        claim: &Claim,
        permit: QuotaPermit,
    ) -> Result<Recorded, Failure> {
        let url = unsubscribe_url(self.public_url, &self.token_keys, notice)?;
        let email = match self.content.render(notice, &url) {
            Ok(email) => email,
            Err(error) => {
                tracing::error!(
                    error_type = ErrorType::ContentInvalid.name(),
                    organization_id = %notice.organization_id,
                    %error,
                    "an e-mail could not be rendered"
                );
                return self.fail(notice, claim, NoticeReason::Unrenderable).await;
            }
        };

        let spent = permit.spend();
        match self.send_with_retries(notice, address, &email).await {
            Ok(message_id) => {
                self.failures.reset();
                self.notices
                    .mark_sent(notice, claim, &message_id, self.control.current_time())
                    .await?;
                Ok((NoticeStatus::Sent, None))
            }
            Err(error) => {
                tracing::warn!(
                    error_type = ErrorType::MailUnavailable.name(),
                    organization_id = %notice.organization_id,
                    %error,
                    "SES did not accept an e-mail"
                );
                if !matches!(error, SendError::Ambiguous(_)) {
                    spent.refund();
                }
                self.record_send_error(notice, claim, &error).await
            }
        }
    }

    /// Sends at the allowed rate. Only a throttled attempt is repeated, because SES has not
    /// accepted that e-mail.
    async fn send_with_retries(
        &self,
        notice: &Notice,
        address: &EmailAddress,
        email: &Mail,
    ) -> Result<String, SendError> {
        let mut attempts = 0;
        loop {
            self.rate_limiter.acquire().await;
            attempts += 1;
            match self.mailer.send(notice, address, email).await {
                Ok(message_id) => {
                    self.rate_limiter.on_success();
                    return Ok(message_id);
                }
                Err(SendError::Throttled(_))
                    if attempts < MAX_SEND_ATTEMPTS
                        && !self.control.is_deadline_near(ATTEMPT_TIME_RESERVE) =>
                {
                    self.rate_limiter.on_throttled();
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn record_send_error(
        &self,
        notice: &Notice,
        claim: &Claim,
        error: &SendError,
    ) -> Result<Recorded, Failure> {
        match error {
            SendError::Throttled(_) => {
                self.stop_if_repeated(&self.failures.throttled, RunOutcome::Throttled);
                self.release(
                    notice,
                    claim,
                    NoticeReason::Throttled,
                    THROTTLED_RETRY_DELAY,
                )
                .await
            }
            SendError::Rejected(_) => {
                self.fail(notice, claim, NoticeReason::MessageRejected)
                    .await
            }
            SendError::AccountRefused(_) => {
                self.control.stop(RunOutcome::MailUnavailable);
                let reason = NoticeReason::SendingPaused;
                self.release(notice, claim, reason, ACCOUNT_REFUSED_RETRY_DELAY)
                    .await
            }
            SendError::Ambiguous(_) => {
                self.stop_if_repeated(&self.failures.ambiguous, RunOutcome::MailUnavailable);
                let reason = NoticeReason::NoAnswer;
                self.notices
                    .mark_unknown(notice, claim, reason, self.control.current_time())
                    .await?;
                Ok((NoticeStatus::Unknown, Some(reason)))
            }
        }
    }

    /// Records that the e-mail was not sent and will not be.
    async fn fail(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
    ) -> Result<Recorded, Failure> {
        self.notices
            .mark_failed(notice, claim, reason, self.control.current_time())
            .await?;
        Ok((NoticeStatus::Failed, Some(reason)))
    }

    /// Gives up the claim: the notice is due again after `delay`.
    async fn release(
        &self,
        notice: &Notice,
        claim: &Claim,
        reason: NoticeReason,
        delay: SignedDuration,
    ) -> Result<Recorded, Failure> {
        let now = self.control.current_time();
        self.notices
            .release(notice, claim, reason, now + delay, now)
            .await?;
        Ok((NoticeStatus::Due, Some(reason)))
    }

    /// Counts a failure, and stops the run when it is one of too many in a row.
    fn stop_if_repeated(&self, failures: &AtomicU32, outcome: RunOutcome) {
        if failures.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_CONSECUTIVE_FAILURES {
            self.control.stop(outcome);
        }
    }
}

impl ConsecutiveFailures {
    fn reset(&self) {
        self.ambiguous.store(0, Ordering::Relaxed);
        self.throttled.store(0, Ordering::Relaxed);
    }
}
