//! One run: what is due, the most urgent first, until nothing is left or something says stop.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use engagement::{
    AddressHash, Contact, CurrentStage, Notice, NoticeKey, NoticeReason, NoticeStatus,
    OrganizationId, UnsubscribeKeys,
};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use runtime::{Deadline, Failure, clock};
use tokio::time::Instant;

use crate::{
    Notify, RunOutcome, Summary, allowance::Allowance, claim_ids::ClaimIds, pace::Pace, stored,
};

/// Notices that one look at the outbox keeps.
const ROUND: usize = 5_000;

/// Notices whose organizations and contacts are read at once.
const BATCH: usize = 200;

/// Mails on their way to SES at once.
const CONCURRENCY: usize = 8;

/// Time that a batch's last mails need at most.
pub const SEND_TIME: Duration = Duration::from_secs(20);

/// Time that reading a long outbox may need.
const READ_TIME: Duration = Duration::from_mins(1);

/// Age of a claim after which its notifier cannot be alive any more: longer than the function's
/// time-out.
const CLAIM_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// One run under way.
pub struct Run<'a> {
    pub notify: &'a Notify,
    /// The moment that the run is for; its day is that of the allowance.
    pub began: Timestamp,
    /// When it really began.
    started: Instant,
    pub deadline: Deadline,
    pub token_keys: Arc<UnsubscribeKeys>,
    pub pace: Pace,
    pub allowance: Allowance<'a>,
    /// Names this run's claims.
    pub claim_ids: ClaimIds,
    /// Mails on end that SES did not answer for.
    pub unanswered: AtomicU32,
    /// Mails on end that were given up because SES asked to slow down.
    pub throttled: AtomicU32,
    /// Set when nothing more should be sent.
    pub stopped: Mutex<Option<RunOutcome>>,
}

/// What became of one notice.
pub enum Ended {
    /// This.
    As(NoticeStatus, Option<NoticeReason>),
    /// Another notifier has it, or it is no longer due.
    Elsewhere,
    /// Not touched: the run stops, or the contact cannot be read or does not stand still.
    Untouched,
}

/// What a batch was decided by.
pub struct Facts {
    /// `None`: where the organization stands cannot be read.
    pub current_stages: HashMap<OrganizationId, Option<CurrentStage>>,
    /// `None`: the contact cannot be read.
    pub contacts: HashMap<AddressHash, Option<Contact>>,
}

impl<'a> Run<'a> {
    /// Sends everything that is due at `as_of`. What it did is in `summary` also after an `Err`.
    pub async fn send_all(
        notify: &'a Notify,
        as_of: Timestamp,
        id: &str,
        deadline: Deadline,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let now = clock::now();
        let abandoned = notify
            .notices
            .abandon_claims(now - CLAIM_LIFETIME, now)
            .await
            .map_err(stored)?;
        summary.abandoned_claims = abandoned as u64;
        let (token_keys, rate) =
            futures::join!(notify.token_keys.get(), notify.mailer.max_send_rate());
        let Some(rate) = rate else {
            summary.outcome = RunOutcome::MailUnavailable;
            return Ok(());
        };
        let run = Run {
            notify,
            began: as_of,
            started: Instant::now(),
            deadline,
            token_keys: token_keys.map_err(Failure::from)?,
            pace: Pace::new(rate),
            allowance: Allowance::new(
                &notify.runs,
                notify.daily_send_limit,
                notify.policy.window.day(as_of),
            ),
            claim_ids: ClaimIds::of_run(id),
            unanswered: AtomicU32::new(0),
            throttled: AtomicU32::new(0),
            stopped: Mutex::new(None),
        };
        tracing::info!(mails_per_second = run.pace.rate(), "sending what is due");
        let ended = run.rounds(summary).await;
        run.allowance.close().await;
        summary.outcome = ended?;
        Ok(())
    }

    async fn rounds(&self, summary: &mut Summary) -> Result<RunOutcome, Failure> {
        let mut seen: HashSet<(OrganizationId, NoticeKey)> = HashSet::new();
        loop {
            let is_new = |notice: &Notice| {
                !seen.contains(&(notice.organization_id.clone(), notice.notice.clone()))
            };
            let due = self
                .notify
                .notices
                .due(self.began, ROUND, is_new)
                .await
                .map_err(stored)?;
            // Each round sees the same ones.
            summary.unreadable = summary.unreadable.max(due.unreadable as u64);
            if due.notices.is_empty() {
                return Ok(RunOutcome::Completed);
            }
            for batch in due.notices.chunks(BATCH) {
                seen.extend(
                    batch
                        .iter()
                        .map(|notice| (notice.organization_id.clone(), notice.notice.clone())),
                );
                self.batch(batch, summary).await?;
                if let Some(outcome) = *self.stopped.lock() {
                    return Ok(outcome);
                }
                if self.deadline.is_near(SEND_TIME) {
                    return Ok(RunOutcome::OutOfTime);
                }
            }
            if self.deadline.is_near(READ_TIME) {
                return Ok(RunOutcome::OutOfTime);
            }
        }
    }

    async fn batch(&self, batch: &[Notice], summary: &mut Summary) -> Result<(), Failure> {
        let organizations = batch.iter().map(|notice| notice.organization_id.clone());
        let addresses = batch.iter().map(|notice| notice.address_hash.clone());
        let current_stages = self.notify.organizations.current_stages(organizations);
        let (current_stages, contacts) =
            futures::try_join!(current_stages, self.notify.contacts.get_many(addresses))
                .map_err(stored)?;
        let contacts_unreadable = contacts
            .values()
            .filter(|contact| contact.is_none())
            .count();
        let stages_unreadable = current_stages
            .values()
            .filter(|current_stage| current_stage.is_none())
            .count();
        summary.unreadable += (contacts_unreadable + stages_unreadable) as u64;
        let facts = &Facts {
            current_stages,
            contacts,
        };
        let endings: Vec<_> = stream::iter(batch)
            .map(|notice| self.attempt(notice, facts))
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut first_failure = None;
        for ended in endings {
            match ended {
                Ok(Ended::As(status, reason)) => {
                    *summary
                        .notices
                        .entry(outcome_name(status, reason))
                        .or_default() += 1;
                }
                Ok(Ended::Elsewhere | Ended::Untouched) => {}
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// The moment that the run has come to: a window may close, or a notice expire, while it sends.
    pub fn as_of(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.began
            .saturating_add(SignedDuration::from_secs(elapsed))
            .unwrap_or(self.began)
    }

    /// Whether no further mail should be begun.
    pub fn is_stopping(&self) -> bool {
        self.stopped.lock().is_some() || self.deadline.is_near(SEND_TIME)
    }
}

fn outcome_name(status: NoticeStatus, reason: Option<NoticeReason>) -> String {
    reason.map_or_else(|| status.to_string(), |reason| format!("{status}:{reason}"))
}
