//! Notify: sends the notices that are due, each once.
//!
//! A notice is claimed before it is sent, and SES is never asked twice for one claim, because SES has no way to recognize the
//! second time. Whatever ends without a clear answer is `unknown` and settled by feedback or by an operator.

mod config;
mod mailer;
mod pause;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

pub use config::Config;
use content::Content;
use engagement::{Circumstances, Expiry, Notice, NoticeKey, NoticeStatus, OrganizationId, Reason, Standing, Verdict, guard};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
pub use mailer::{Mailer, SendError};
pub use pause::PauseSwitch;
use runtime::{Deadline, ErrorType, Failure, Metrics, ScheduleEvent, clock};
use serde::Serialize;
use store::{Notices, Organizations, StoreError};
use url::Url;

/// Notices read at once.
const BATCH: usize = 200;

/// Mails on their way to SES at once.
const CONCURRENCY: usize = 8;

/// Time that a batch's last mails need at most.
const SEND_TIME: Duration = Duration::from_secs(20);

/// Age of a claim after which its notifier cannot be alive any more: longer than the function's time-out.
const CLAIM_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How long a notice waits after SES asked to slow down.
const AFTER_THROTTLING: SignedDuration = SignedDuration::from_mins(5);

/// Sends due notices. Built once per process.
pub struct Notify {
    /// The outbox.
    pub notices: Notices,
    /// Where the organizations stand now.
    pub organizations: Organizations,
    /// Campaigns and their texts.
    pub content: Content,
    /// SES.
    pub mailer: Mailer,
    /// The kill switch.
    pub pause: PauseSwitch,
    /// When a notice is too old.
    pub expiry: Expiry,
    /// Each mail's address to unsubscribe at lies below this one.
    pub unsubscribe_url: Url,
    /// Decide, and send nothing.
    pub dry_run: bool,
}

/// What a run did. The answer of the function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How it ended.
    pub outcome: RunOutcome,
    /// Notices by what became of them; those that stay due or were skipped or failed, with the reason.
    pub notices: BTreeMap<String, u64>,
    /// Claims of notifiers that did not come back, now `unknown`.
    pub abandoned_claims: u64,
    /// Items of the outbox that could not be read.
    pub unreadable: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Nothing that is due was left.
    #[default]
    Completed,
    /// Sending is paused; nothing was touched.
    Paused,
    /// It stopped before its deadline; the rest stays due.
    OutOfTime,
    /// SES did not answer or does not accept mail; the rest stays due.
    MailUnavailable,
}

impl Notify {
    /// Runs once. An `Err` means that a table, the pause switch or SES could not be used: what was not sent stays due.
    pub async fn run(&self, event: &ScheduleEvent, run_id: &str, deadline: Deadline, metrics: &Metrics) -> Result<Summary, Failure> {
        let as_of = event.as_of.unwrap_or_else(clock::now);
        let mut run = Run {
            notify: self,
            as_of,
            claim_id: run_id,
            deadline,
            seen: HashSet::new(),
            stopped: AtomicBool::new(false),
            summary: Summary::default(),
        };
        let ran = run.all().await;
        for (name, count) in &run.summary.notices {
            tracing::info!(outcome = name, count, "notices");
        }
        count(&run.summary, metrics);
        ran?;
        Ok(run.summary)
    }
}

/// One run under way.
struct Run<'a> {
    notify: &'a Notify,
    as_of: Timestamp,
    /// Lambda's request id: enough to tell claims apart, because a run meets each notice once.
    claim_id: &'a str,
    deadline: Deadline,
    seen: HashSet<(OrganizationId, NoticeKey)>,
    stopped: AtomicBool,
    summary: Summary,
}

/// What became of one notice.
enum Ended {
    As(NoticeStatus, Option<Reason>),
    /// Another notifier has it, or it is no longer due.
    Elsewhere,
    /// Not touched, because the run stops.
    Untouched,
}

impl Run<'_> {
    async fn all(&mut self) -> Result<(), Failure> {
        if self.notify.pause.is_on().await? {
            self.summary.outcome = RunOutcome::Paused;
            return Ok(());
        }
        let now = clock::now();
        let abandoned = self.notify.notices.abandon_claims(now - CLAIM_LIFETIME, now).await.map_err(stored)?;
        self.summary.abandoned_claims = abandoned as u64;
        loop {
            let batch = self.next_batch().await?;
            if batch.is_empty() {
                return Ok(());
            }
            self.batch(batch).await?;
            if self.stopped.load(Ordering::Relaxed) {
                self.summary.outcome = RunOutcome::MailUnavailable;
                return Ok(());
            }
            if self.deadline.is_near(SEND_TIME) {
                self.summary.outcome = RunOutcome::OutOfTime;
                return Ok(());
            }
            if self.notify.pause.is_on().await? {
                self.summary.outcome = RunOutcome::Paused;
                return Ok(());
            }
        }
    }

    /// Due notices that this run has not yet seen. Those that it leaves due are read again, so the limit grows with them.
    async fn next_batch(&mut self) -> Result<Vec<Notice>, Failure> {
        let due = self.notify.notices.due(self.as_of, BATCH + self.seen.len()).await.map_err(stored)?;
        self.summary.unreadable = due.unreadable as u64;
        let unseen = |notice: &Notice| !self.seen.contains(&(notice.organization_id.clone(), notice.notice.clone()));
        let mut batch: Vec<Notice> = due.notices.into_iter().filter(unseen).collect();
        batch.truncate(BATCH);
        Ok(batch)
    }

    async fn batch(&mut self, batch: Vec<Notice>) -> Result<(), Failure> {
        let organizations = batch.iter().map(|notice| notice.organization_id.clone());
        let standings = self.notify.organizations.standings(organizations).await.map_err(stored)?;
        let this = &*self;
        let standings = &standings;
        let endings: Vec<_> = stream::iter(batch)
            .map(|notice| async move {
                let ended = this.notice(&notice, standings).await;
                (notice, ended)
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut first_failure = None;
        for (notice, ended) in endings {
            match ended {
                Ok(Ended::As(status, reason)) => *self.summary.notices.entry(outcome_name(status, reason)).or_default() += 1,
                Ok(Ended::Elsewhere | Ended::Untouched) => {}
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
            self.seen.insert((notice.organization_id, notice.notice));
        }
        first_failure.map_or(Ok(()), Err)
    }

    async fn notice(&self, notice: &Notice, standings: &HashMap<OrganizationId, Standing>) -> Result<Ended, Failure> {
        if self.stopped.load(Ordering::Relaxed) || self.deadline.is_near(SEND_TIME) {
            return Ok(Ended::Untouched);
        }
        let notices = &self.notify.notices;
        let circumstances = Circumstances {
            as_of: self.as_of,
            standing: standings.get(&notice.organization_id).copied(),
            contact: None,
            daily_limit_reached: false,
        };
        let policy = engagement::Policy {
            expiry: self.notify.expiry,
            caps: engagement::Caps::default(),
            window: engagement::SendWindow::Always,
            holdout: engagement::Holdout::default(),
            dry_run: self.notify.dry_run,
        };
        let (changed, status, reason) = match guard(notice, &circumstances, &policy) {
            Verdict::Skip(reason) => (notices.skip(notice, reason, self.as_of).await.map_err(stored)?, NoticeStatus::Skipped, reason),
            Verdict::Hold(reason) => (notices.hold(notice, reason, self.as_of).await.map_err(stored)?, NoticeStatus::Due, reason),
            Verdict::PutOff(..) | Verdict::Send(_) => return self.send(notice).await,
        };
        Ok(if changed { Ended::As(status, Some(reason)) } else { Ended::Elsewhere })
    }

    /// Claims, sends and records. Dying after the claim leaves a claim that becomes `unknown`; dying after SES's answer too, and
    /// SES's own events settle it. In no case is a mail sent twice.
    async fn send(&self, notice: &Notice) -> Result<Ended, Failure> {
        let notices = &self.notify.notices;
        let unsubscribe =
            self.notify.unsubscribe_url.join(&notice.id().to_string()).map_err(|error| Failure::new(ErrorType::ConfigInvalid, error))?;
        let rendered = self.notify.content.render(notice, &unsubscribe);
        if !notices.claim(notice, self.claim_id, clock::now()).await.map_err(stored)? {
            return Ok(Ended::Elsewhere);
        }
        let mail = match rendered {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!(error_type = "content_invalid", organization_id = %notice.organization_id, %error, "a mail could not be rendered");
                notices.fail(notice, self.claim_id, Reason::Unrenderable, self.as_of).await.map_err(stored)?;
                return Ok(Ended::As(NoticeStatus::Failed, Some(Reason::Unrenderable)));
            }
        };
        let refusal = match self.notify.mailer.send(notice, mail).await {
            Ok(message_id) => {
                notices.sent(notice, self.claim_id, &message_id, self.as_of).await.map_err(stored)?;
                return Ok(Ended::As(NoticeStatus::Sent, None));
            }
            Err(refusal) => refusal,
        };
        tracing::warn!(error_type = "mail_unavailable", organization_id = %notice.organization_id, error = %refusal, "SES did not take a mail");
        match refusal {
            SendError::Throttled(_) => {
                let due_at = self.as_of + AFTER_THROTTLING;
                notices.release(notice, self.claim_id, Reason::Throttled, due_at, self.as_of).await.map_err(stored)?;
                Ok(Ended::As(NoticeStatus::Due, Some(Reason::Throttled)))
            }
            SendError::Rejected(_) => {
                notices.fail(notice, self.claim_id, Reason::MessageRejected, self.as_of).await.map_err(stored)?;
                Ok(Ended::As(NoticeStatus::Failed, Some(Reason::MessageRejected)))
            }
            SendError::AccountRefused(_) => {
                self.stopped.store(true, Ordering::Relaxed);
                notices.release(notice, self.claim_id, Reason::SendingPaused, notice.due_at, self.as_of).await.map_err(stored)?;
                Ok(Ended::As(NoticeStatus::Due, Some(Reason::SendingPaused)))
            }
            SendError::Ambiguous(_) => {
                self.stopped.store(true, Ordering::Relaxed);
                notices.unknown(notice, self.claim_id, Reason::NoAnswer, self.as_of).await.map_err(stored)?;
                Ok(Ended::As(NoticeStatus::Unknown, Some(Reason::NoAnswer)))
            }
        }
    }
}

fn outcome_name(status: NoticeStatus, reason: Option<Reason>) -> String {
    reason.map_or_else(|| status.to_string(), |reason| format!("{status}:{reason}"))
}

fn count(summary: &Summary, metrics: &Metrics) {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let add = |name: &'static str, count: u64| metrics.add(name, count as f64);
    for (status, metric) in [
        (NoticeStatus::Sent, "notices_sent"),
        (NoticeStatus::Skipped, "notices_skipped"),
        (NoticeStatus::Failed, "notices_failed"),
        (NoticeStatus::Unknown, "notices_unknown"),
        (NoticeStatus::Due, "notices_put_off"),
    ] {
        let name: &'static str = status.into();
        let of_status = |(key, count): (&String, &u64)| (key.split(':').next() == Some(name)).then_some(*count);
        add(metric, summary.notices.iter().filter_map(of_status).sum());
    }
    add("claims_abandoned", summary.abandoned_claims);
    add("notices_unreadable", summary.unreadable);
    add("sending_paused", u64::from(summary.outcome == RunOutcome::Paused));
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stored(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
