//! Notify: sends the notices that are due, each once.
//!
//! A notice is claimed before it is sent, and SES is never asked twice for one claim unless it has
//! refused the first time, because SES has no way to recognize the second time. Whatever ends
//! without a clear answer is `unknown` and settled by SES's own events or by an operator.

mod allowance;
mod attempt;
mod claim_ids;
mod config;
mod mailer;
mod pace;
mod pause;
mod run;

use std::collections::BTreeMap;

use content::Content;
use engagement::{NoticeStatus, Policy, UnsubscribeKeys};
use jiff::SignedDuration;
use runtime::{Deadline, Failure, Metrics, ScheduleEvent, Secret, clock};
use serde::Serialize;
use store::{Contacts, Notices, Organizations, Runs, StoreError};
use url::Url;

use crate::run::Run;

pub use config::Config;
pub use mailer::{Mailer, SendError};
pub use pause::PauseSwitch;

/// How long a notice may be `unknown` before somebody should look.
const UNKNOWN_PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// How long an operator is told of it. What stays so is as it is.
const UNKNOWN_FOR_LONG: SignedDuration = SignedDuration::from_hours(25);

/// Sends due notices. Built once per process.
pub struct Notify {
    /// The outbox.
    pub notices: Notices,
    /// Where the organizations stand now.
    pub organizations: Organizations,
    /// Who may be written to.
    pub contacts: Contacts,
    /// Where the day's mails are counted.
    pub runs: Runs,
    /// Campaigns and their texts.
    pub content: Content,
    /// SES.
    pub mailer: Mailer,
    /// The kill switch.
    pub pause: PauseSwitch,
    /// What links to unsubscribe are made with.
    pub token_keys: Secret<UnsubscribeKeys>,
    /// Links to unsubscribe are below this address.
    pub public_url: Url,
    /// What the partner has decided about sending.
    pub policy: Policy,
    /// Mails of the whole system in a day; `None`: no limit.
    pub daily_send_limit: Option<u32>,
}

/// What a run did. The answer of the function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How it ended.
    pub outcome: RunOutcome,
    /// Notices by what became of them; those that stay due or were skipped or failed, with the
    /// reason.
    pub notices: BTreeMap<String, u64>,
    /// Claims of notifiers that did not come back, now `unknown`.
    pub abandoned_claims: u64,
    /// Items of the outbox, contacts and organizations that could not be read.
    pub unreadable: u64,
    /// Notices that have been `unknown` for more than an hour, and not for more than a day; `None`
    /// when they could not be counted.
    pub long_unknown: Option<u64>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Nothing that is due was left.
    #[default]
    Completed,
    /// Sending is paused; nothing more was touched.
    Paused,
    /// It stopped before its deadline; the rest stays due.
    OutOfTime,
    /// SES kept asking to slow down; the rest stays due.
    Throttled,
    /// SES did not answer several times on end, or does not accept mail; the rest stays due.
    MailUnavailable,
}

impl Notify {
    /// Runs once. An `Err` means that a table, a secret, the pause switch or SES could not be used:
    /// what was not sent stays due.
    pub async fn run(
        &self,
        event: &ScheduleEvent,
        run_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<Summary, Failure> {
        let as_of = event.as_of.unwrap_or_else(clock::now);
        let mut summary = Summary::default();
        let ran = match self.pause.is_on().await {
            Ok(true) => {
                summary.outcome = RunOutcome::Paused;
                Ok(())
            }
            Ok(false) => Run::send_all(self, as_of, run_id, deadline, &mut summary).await,
            Err(failure) => Err(failure),
        };
        for (name, count) in &summary.notices {
            tracing::info!(outcome = name, count, "notices");
        }
        let became_unknown = as_of - UNKNOWN_FOR_LONG..=as_of - UNKNOWN_PATIENCE;
        summary.long_unknown = match self.notices.count_unknown(became_unknown).await {
            Ok(count) => Some(count),
            Err(error) => {
                tracing::warn!(error_type = error.type_name(), %error, "notices that are unknown could not be counted");
                None
            }
        };
        count(&summary, metrics);
        ran?;
        Ok(summary)
    }
}

fn count(summary: &Summary, metrics: &Metrics) {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let add = |name: &'static str, count: u64| metrics.add(name, count as f64);
    for (status, metric) in [
        (NoticeStatus::Sent, "notices_sent"),
        (NoticeStatus::Skipped, "notices_skipped"),
        (NoticeStatus::Failed, "notices_failed"),
        (NoticeStatus::Unknown, "notices_unknown"),
        (NoticeStatus::Due, "notices_deferred"),
    ] {
        let name: &'static str = status.into();
        let of_status =
            |(key, count): (&String, &u64)| (key.split(':').next() == Some(name)).then_some(*count);
        add(metric, summary.notices.iter().filter_map(of_status).sum());
    }
    add("claims_abandoned", summary.abandoned_claims);
    add("notices_unreadable", summary.unreadable);
    if let Some(long_unknown) = summary.long_unknown {
        add("notices_long_unknown", long_unknown);
    }
    add(
        "sending_paused",
        u64::from(summary.outcome == RunOutcome::Paused),
    );
    add(
        "mail_unavailable",
        u64::from(matches!(
            summary.outcome,
            RunOutcome::MailUnavailable | RunOutcome::Throttled
        )),
    );
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stored(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
