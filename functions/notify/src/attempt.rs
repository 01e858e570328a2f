//! One notice: guards, claim, mail, record.

use std::{sync::atomic::Ordering, time::Duration};

use engagement::{
    Contact, EmailAddress, GuardContext, Notice, NoticeReason, NoticeStatus, Subscription, Verdict,
    guard,
};
use jiff::SignedDuration;
use runtime::{ErrorType, Failure, clock};
use store::{Claim, Claimed};
use url::Url;

use crate::{
    RunOutcome, SendError,
    run::{Ended, Facts, Run},
    stored,
};

/// Decisions for one notice, while something keeps happening to its contact.
const DECISIONS: u32 = 5;

/// How long a contact's mails are kept at least, so that caps that are lengthened know of them.
const MAILS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Attempts for one mail that SES asks to slow down for.
const ATTEMPTS: u32 = 4;

/// Mails on end without an answer, or given up for going too fast, after which the run stops.
const PATIENCE: u32 = 3;

/// Time in which one more attempt is over, its turn after those of others included.
const ATTEMPT_TIME: Duration = Duration::from_secs(25);

/// How long a notice waits after SES refused the account, so that one whose recipient is the reason
/// does not head the queue again.
const AFTER_ACCOUNT_REFUSAL: SignedDuration = SignedDuration::from_hours(1);

/// How long a notice waits after SES asked to slow down.
const AFTER_THROTTLING: SignedDuration = SignedDuration::from_mins(5);

impl Run<'_> {
    /// Decides, and does what was decided. An `Err` leaves the notice due, or claimed and soon
    /// `unknown`.
    pub async fn attempt(&self, notice: &Notice, facts: &Facts) -> Result<Ended, Failure> {
        let mut holds_mail = false;
        let ended = self.decide(notice, facts, &mut holds_mail).await;
        if holds_mail {
            self.allowance.give_back().await;
        }
        ended
    }

    /// `holds_mail`: whether one of the day's mails was taken and not used. It is kept while the
    /// decision is made again, so that none less valuable gets it.
    async fn decide(
        &self,
        notice: &Notice,
        facts: &Facts,
        holds_mail: &mut bool,
    ) -> Result<Ended, Failure> {
        let mut contact = match facts.contacts.get(&notice.address_hash) {
            Some(None) => return Ok(Ended::Untouched),
            Some(Some(contact)) => Some(contact.clone()),
            None => None,
        };
        let current_stage = match facts.current_stages.get(&notice.organization_id) {
            Some(None) => return Ok(Ended::Untouched),
            Some(Some(current_stage)) => Some(*current_stage),
            None => None,
        };
        for _ in 0..DECISIONS {
            if self.is_stopping() || self.is_paused().await? {
                return Ok(Ended::Untouched);
            }
            let circumstances = GuardContext {
                as_of: self.as_of(),
                current_stage,
                contact: contact.as_ref(),
                daily_limit_reached: false,
            };
            let mut verdict = guard(notice, &circumstances, &self.notify.policy);
            if matches!(verdict, Verdict::Send(_)) && !*holds_mail {
                *holds_mail = self.allowance.take().await.map_err(stored)?;
            }
            if matches!(verdict, Verdict::Send(_)) && !*holds_mail {
                // Put off from the day that is used up, which may have ended meanwhile.
                let used_up = GuardContext {
                    as_of: self.began,
                    daily_limit_reached: true,
                    ..circumstances
                };
                verdict = guard(notice, &used_up, &self.notify.policy);
            }
            let Verdict::Send(address) = verdict else {
                return self.leave(notice, verdict).await;
            };
            match self.claim(notice, contact.as_ref()).await? {
                (Claimed::Yes, claim) => {
                    return self.send(notice, address, &claim, holds_mail).await;
                }
                (Claimed::NotDue, _) => return Ok(Ended::Elsewhere),
                (Claimed::ContactChanged, _) => {
                    contact = self
                        .notify
                        .contacts
                        .get(&notice.address_hash)
                        .await
                        .map_err(stored)?;
                }
            }
        }
        Ok(Ended::Untouched)
    }

    /// Whether sending was paused meanwhile, which stops the run.
    async fn is_paused(&self) -> Result<bool, Failure> {
        let is_paused = self.notify.pause.is_on().await?;
        if is_paused {
            *self.stopped.lock() = Some(RunOutcome::Paused);
        }
        Ok(is_paused)
    }

    /// Records why the notice is not sent now.
    async fn leave(&self, notice: &Notice, verdict: Verdict<'_>) -> Result<Ended, Failure> {
        let notices = &self.notify.notices;
        let (changed, status, reason) = match verdict {
            Verdict::Skip(reason) => (
                notices.skip(notice, reason, self.as_of()).await,
                NoticeStatus::Skipped,
                reason,
            ),
            Verdict::Defer(reason, due_at) => (
                notices.defer(notice, reason, due_at, self.as_of()).await,
                NoticeStatus::Due,
                reason,
            ),
            Verdict::Hold(reason) if notice.reason == Some(reason) => {
                (Ok(true), NoticeStatus::Due, reason)
            }
            Verdict::Hold(reason) => (
                notices.hold(notice, reason, self.as_of()).await,
                NoticeStatus::Due,
                reason,
            ),
            Verdict::Send(_) => return Ok(Ended::Untouched),
        };
        Ok(if changed.map_err(stored)? {
            Ended::As(status, Some(reason))
        } else {
            Ended::Elsewhere
        })
    }

    async fn claim(
        &self,
        notice: &Notice,
        contact: Option<&Contact>,
    ) -> Result<(Claimed, Claim), Failure> {
        let claim = Claim {
            id: self.claim_ids.next(),
            at: clock::now(),
            counted_at: self.as_of(),
        };
        let claimed = self
            .notify
            .notices
            .claim(
                notice,
                contact,
                &claim,
                self.notify.policy.caps.longest().max(MAILS_KEPT),
            )
            .await
            .map_err(stored)?;
        Ok((claimed, claim))
    }

    /// Sends and records. Dying before SES's answer leaves a claim that becomes `unknown`; dying
    /// after it too, and SES's own events settle it. In no case is a mail sent twice.
    async fn send(
        &self,
        notice: &Notice,
        address: &EmailAddress,
        claim: &Claim,
        holds_mail: &mut bool,
    ) -> Result<Ended, Failure> {
        let notices = &self.notify.notices;
        let mail = match self
            .unsubscribe_url(notice)
            .map(|url| self.notify.content.render(notice, &url))
        {
            Ok(Ok(mail)) => mail,
            Ok(Err(error)) => {
                tracing::error!(error_type = "content_invalid", organization_id = %notice.organization_id, %error, "a mail could not be rendered");
                notices
                    .fail(notice, claim, NoticeReason::Unrenderable, self.as_of())
                    .await
                    .map_err(stored)?;
                return Ok(Ended::As(
                    NoticeStatus::Failed,
                    Some(NoticeReason::Unrenderable),
                ));
            }
            Err(failure) => return Err(failure),
        };
        *holds_mail = false;
        let mut attempts = 0;
        let refusal = loop {
            self.pace.turn().await;
            attempts += 1;
            match self.notify.mailer.send(notice, address, &mail).await {
                Ok(message_id) => {
                    self.pace.went_well();
                    self.unanswered.store(0, Ordering::Relaxed);
                    self.throttled.store(0, Ordering::Relaxed);
                    notices
                        .sent(notice, claim, &message_id, self.as_of())
                        .await
                        .map_err(stored)?;
                    return Ok(Ended::As(NoticeStatus::Sent, None));
                }
                Err(SendError::Throttled(_))
                    if attempts < ATTEMPTS && !self.deadline.is_near(ATTEMPT_TIME) =>
                {
                    self.pace.slow_down();
                }
                Err(refusal) => break refusal,
            }
        };
        tracing::warn!(error_type = "mail_unavailable", organization_id = %notice.organization_id, error = %refusal, "SES did not take a mail");
        *holds_mail = !matches!(refusal, SendError::Ambiguous(_));
        self.record(notice, claim, &refusal).await
    }

    async fn record(
        &self,
        notice: &Notice,
        claim: &Claim,
        refusal: &SendError,
    ) -> Result<Ended, Failure> {
        let notices = &self.notify.notices;
        let (status, reason) = match refusal {
            SendError::Throttled(_) => {
                self.count_on_end(&self.throttled, RunOutcome::Throttled);
                let due_at = self.as_of() + AFTER_THROTTLING;
                notices
                    .release(notice, claim, NoticeReason::Throttled, due_at, self.as_of())
                    .await
                    .map_err(stored)?;
                (NoticeStatus::Due, NoticeReason::Throttled)
            }
            SendError::Rejected(_) => {
                notices
                    .fail(notice, claim, NoticeReason::MessageRejected, self.as_of())
                    .await
                    .map_err(stored)?;
                (NoticeStatus::Failed, NoticeReason::MessageRejected)
            }
            SendError::AccountRefused(_) => {
                *self.stopped.lock() = Some(RunOutcome::MailUnavailable);
                notices
                    .release(
                        notice,
                        claim,
                        NoticeReason::SendingPaused,
                        self.as_of() + AFTER_ACCOUNT_REFUSAL,
                        self.as_of(),
                    )
                    .await
                    .map_err(stored)?;
                (NoticeStatus::Due, NoticeReason::SendingPaused)
            }
            SendError::Ambiguous(_) => {
                self.count_on_end(&self.unanswered, RunOutcome::MailUnavailable);
                notices
                    .unknown(notice, claim, NoticeReason::NoAnswer, self.as_of())
                    .await
                    .map_err(stored)?;
                return Ok(Ended::As(
                    NoticeStatus::Unknown,
                    Some(NoticeReason::NoAnswer),
                ));
            }
        };
        Ok(Ended::As(status, Some(reason)))
    }

    fn count_on_end(&self, count: &std::sync::atomic::AtomicU32, outcome: RunOutcome) {
        if count.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            *self.stopped.lock() = Some(outcome);
        }
    }

    fn unsubscribe_url(&self, notice: &Notice) -> Result<Url, Failure> {
        let subscription = Subscription {
            address_hash: notice.address_hash.clone(),
            category: notice.category,
        };
        let mut url = self.notify.public_url.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::new(ErrorType::ConfigInvalid, "PUBLIC_URL cannot have a path"))?
            .pop_if_empty()
            .extend(["unsubscribe", &self.token_keys.token(&subscription)]);
        Ok(url)
    }
}
