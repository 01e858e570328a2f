//! The `notify` function: sends the notices that are due, each at most once.
//!
//! EventBridge Scheduler invokes the function every 15 minutes. One invocation is one run. It reads
//! the due notices, highest priority first. For each of them it evaluates the guards, claims the
//! notice, renders the e-mail, sends it through SES and records the result. The function returns a
//! [`Summary`].
//!
//! SES does not recognize an e-mail that it receives twice. Therefore a notice is claimed before it
//! is sent, and SES is called again for a claim only when it has proved that it did not accept the
//! e-mail. A send that ends without such proof is recorded as `unknown` and not repeated; an SES
//! event or an operator resolves it. See `docs/delivery.md` for all failure cases.
//!
//! Start reading at [`Notify::run`]. It uses these modules, from the top down:
//!
//! - `run` reads due notices in batches until none is left or the run must stop.
//! - `attempt` decides about one notice and claims it.
//! - `delivery` renders, sends and records one claimed notice; `mailer` calls SES.
//! - `daily_quota`, `send_rate_limiter`, `pause_switch` and `run_control` limit a run.
//!
//! The crate does not plan notices (`sync-organization` does), does not hold the rules of the
//! guards (`engagement`) or the texts (`content`), and does not read SES events
//! (`record-feedback`).

mod attempt;
mod config;
mod daily_quota;
mod delivery;
mod failure;
mod links;
mod mailer;
mod pause_switch;
mod run;
mod run_control;
mod send_error;
mod send_rate_limiter;
mod summary;

use content::Content;
use engagement::{SendPolicy, UnsubscribeKeys};
use jiff::{SignedDuration, Timestamp};
use runtime::{Deadline, Failure, Metrics, ScheduleEvent, Secret, clock};
use store::{Contacts, Notices, Organizations, Runs};
use url::Url;

use crate::{
    attempt::NoticeSender,
    daily_quota::DailyQuota,
    delivery::{ConsecutiveFailures, Delivery},
    failure::store_failure,
    run::Run,
    run_control::RunControl,
    send_rate_limiter::SendRateLimiter,
};

pub use config::Config;
pub use mailer::Mailer;
pub use pause_switch::PauseSwitch;
pub use summary::{RunOutcome, Summary};

/// Age at which a claim is abandoned: longer than the time-out of the function, so that the run
/// that made the claim has ended.
const CLAIM_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Age from which an `unknown` notice counts as `notices_long_unknown`, which raises the alarm.
const UNKNOWN_ALERT_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Age from which an `unknown` notice no longer counts, so that the alarm ends after a day.
const UNKNOWN_ALERT_UNTIL: SignedDuration = SignedDuration::from_hours(25);

/// Sends due notices. Built once per process.
pub struct Notify {
    /// Due notices, their claims and results.
    pub notices: Notices,
    /// Current stages of the organizations.
    pub organizations: Organizations,
    /// Suppressions, unsubscriptions and recent e-mails of each address.
    pub contacts: Contacts,
    /// The counter of the day's e-mails.
    pub runs: Runs,
    /// Campaigns and their templates.
    pub content: Content,
    /// SES.
    pub mailer: Mailer,
    /// The parameter that pauses sending.
    pub pause: PauseSwitch,
    /// The keys that sign unsubscribe tokens.
    pub token_keys: Secret<UnsubscribeKeys>,
    /// The base URL of unsubscribe links.
    pub public_url: Url,
    /// The partner's sending policy.
    pub policy: SendPolicy,
    /// E-mails that all runs together may send per day; `None`: no limit.
    pub daily_send_limit: Option<u32>,
}

impl Notify {
    /// Runs once, for the time in `event` or, without one, for now. `request_id` is Lambda's id of
    /// the invocation and becomes part of the claim ids.
    ///
    /// Logs and counts what was done also when it fails. An `Err` means that a table, a secret or
    /// the pause parameter could not be used. Notices that were not sent stay due.
    pub async fn run(
        &self,
        event: &ScheduleEvent,
        request_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<Summary, Failure> {
        let as_of = event.as_of.unwrap_or_else(clock::now);
        let mut summary = Summary::default();

        let run_result = match self.pause.is_on().await {
            Ok(true) => {
                summary.outcome = RunOutcome::Paused;
                Ok(())
            }
            Ok(false) => {
                self.send_due(as_of, request_id, deadline, &mut summary)
                    .await
            }
            Err(failure) => Err(failure),
        };

        summary.log();
        summary.long_unknown = self.count_long_unknown(as_of).await;
        summary.emit_metrics(metrics);

        run_result?;
        Ok(summary)
    }

    /// Sends everything that is due at `as_of`. `summary` holds what was done also after an `Err`.
    async fn send_due(
        &self,
        as_of: Timestamp,
        request_id: &str,
        deadline: Deadline,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let now = clock::now();
        let abandoned = self
            .notices
            .abandon_claims(now - CLAIM_LIFETIME, now)
            .await
            .map_err(store_failure)?;
        summary.abandoned_claims = abandoned as u64;

        let (token_keys, max_send_rate) =
            futures::join!(self.token_keys.get(), self.mailer.max_send_rate());
        let Some(max_send_rate) = max_send_rate else {
            summary.outcome = RunOutcome::MailUnavailable;
            return Ok(());
        };
        let token_keys = token_keys?;

        let control = RunControl::new(as_of, deadline);
        let rate_limiter = SendRateLimiter::new(max_send_rate);
        let daily_quota = DailyQuota::new(
            &self.runs,
            self.daily_send_limit,
            self.policy.window.local_date(as_of),
        );
        tracing::info!(
            mails_per_second = rate_limiter.rate(),
            "sending the due notices"
        );

        let run = Run {
            notices: &self.notices,
            organizations: &self.organizations,
            contacts: &self.contacts,
            control: &control,
            sender: NoticeSender {
                notices: &self.notices,
                contacts: &self.contacts,
                pause: &self.pause,
                policy: &self.policy,
                control: &control,
                daily_quota: &daily_quota,
                request_id,
                delivery: Delivery {
                    notices: &self.notices,
                    content: &self.content,
                    mailer: &self.mailer,
                    public_url: &self.public_url,
                    token_keys,
                    control: &control,
                    rate_limiter,
                    failures: ConsecutiveFailures::default(),
                },
            },
        };
        let outcome = run.send_batches(summary).await;

        daily_quota.close().await;
        summary.outcome = outcome?;
        Ok(())
    }

    /// Notices that have been `unknown` for long enough to raise the alarm; `None` when they could
    /// not be counted.
    async fn count_long_unknown(&self, as_of: Timestamp) -> Option<u64> {
        let alert_window = as_of - UNKNOWN_ALERT_UNTIL..=as_of - UNKNOWN_ALERT_AFTER;
        self.notices
            .count_unknown(alert_window)
            .await
            .inspect_err(|error| {
                let error_type = error.type_name();
                tracing::warn!(error_type, %error, "unknown notices could not be counted");
            })
            .ok()
    }
}
