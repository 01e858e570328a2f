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
//! - `quota_share`, `send_rate_limiter`, `pause_switch` and `run_control` limit a run.
//!
//! The crate does not plan notices (`sync-organization` does), does not hold the rules of the
//! guards (`engagement`) or the texts (`content`), and does not read SES events
//! (`record-feedback`).

mod attempt;
mod config;
mod delivery;
mod links;
mod mailer;
mod pause_switch;
mod quota_share;
mod run;
mod run_control;
mod send_error;
mod send_rate_limiter;
mod summary;

use aws_config::SdkConfig;
use content::Content;
use engagement::{SendPolicy, UnsubscribeKeys};
use jiff::{SignedDuration, Timestamp};
use runtime::{ClassifiedError, Failure, Invocation, ScheduleEvent, Secret, clock};
use store::{Contacts, DailyQuota, Notices, Organizations, Tables};
use url::Url;

use crate::{
    attempt::NoticeSender,
    delivery::{ConsecutiveFailures, Delivery},
    mailer::Mailer,
    pause_switch::PauseSwitch,
    quota_share::QuotaShare,
    run::Run,
    run_control::RunControl,
    send_rate_limiter::SendRateLimiter,
};

pub use config::Config;
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
    notices: Notices,
    organizations: Organizations,
    contacts: Contacts,
    /// The counter of the day's e-mails.
    daily_quota: DailyQuota,
    content: Content,
    mailer: Mailer,
    pause: PauseSwitch,
    /// The keys that sign unsubscribe tokens.
    token_keys: Secret<UnsubscribeKeys>,
    /// The base URL of unsubscribe links.
    public_url: Url,
    policy: SendPolicy,
    /// E-mails that all runs together may send per day; `None`: no limit.
    daily_send_limit: Option<u32>,
}

impl Notify {
    /// Builds the clients. An `Err` is permanent: the embedded campaigns are invalid.
    pub fn new(config: Config, aws: &SdkConfig) -> Result<Self, Failure> {
        let content = Content::embedded()?;
        let policy = config.send_policy();
        let mailer = Mailer::new(
            aws,
            content.brand().sender(&config.from_address),
            content.brand().support_address.clone(),
            config.configuration_set,
        );
        let tables = Tables::new(store::client(aws), config.tables);

        Ok(Self {
            notices: tables.notices(),
            organizations: tables.organizations(),
            contacts: tables.contacts(),
            daily_quota: tables.daily_quota(),
            content,
            mailer,
            pause: PauseSwitch::new(aws, config.pause_parameter),
            token_keys: Secret::json(aws, config.unsubscribe_keys_secret, "unsubscribe keys"),
            public_url: config.public_url,
            policy,
            daily_send_limit: Some(config.daily_send_limit).filter(|limit| *limit > 0),
        })
    }

    /// Runs once, for the time in `event` or, without one, for now. Lambda's id of the invocation
    /// becomes part of the claim ids.
    ///
    /// Logs and counts what was done also when it fails. An `Err` means that a table, a secret or
    /// the pause parameter could not be used. Notices that were not sent stay due.
    pub async fn run(
        &self,
        event: &ScheduleEvent,
        invocation: &Invocation,
    ) -> Result<Summary, Failure> {
        let as_of = event.as_of(invocation);
        let mut summary = Summary::default();

        let run_result = match self.pause.is_on().await {
            Ok(true) => {
                summary.outcome = RunOutcome::Paused;
                Ok(())
            }
            Ok(false) => self.send_due(as_of, invocation, &mut summary).await,
            Err(failure) => Err(failure),
        };

        summary.log();
        summary.long_unknown = self.count_long_unknown(as_of).await;
        summary.emit_metrics(&invocation.metrics);

        run_result?;
        Ok(summary)
    }

    /// Sends everything that is due at `as_of`. `summary` holds what was done also after an `Err`.
    async fn send_due(
        &self,
        as_of: Timestamp,
        invocation: &Invocation,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let now = clock::now();
        let abandoned = self
            .notices
            .abandon_claims(now - CLAIM_LIFETIME, now)
            .await?;
        summary.abandoned_claims = abandoned as u64;

        let (token_keys, max_send_rate) =
            futures::join!(self.token_keys.get(), self.mailer.max_send_rate());
        let Some(max_send_rate) = max_send_rate else {
            summary.outcome = RunOutcome::MailUnavailable;
            return Ok(());
        };
        let token_keys = token_keys?;

        let control = RunControl::new(as_of, invocation.deadline);
        let rate_limiter = SendRateLimiter::new(max_send_rate);
        let quota = QuotaShare::new(
            &self.daily_quota,
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
                quota: &quota,
                request_id: &invocation.request_id,
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

        quota.close().await;
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
                let error_type = error.error_type().name();
                tracing::warn!(error_type, %error, "unknown notices could not be counted");
            })
            .ok()
    }
}
