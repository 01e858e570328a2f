//! The result of a run: what the function returns, logs and counts.

use std::collections::BTreeMap;

use engagement::{NoticeReason, NoticeStatus};
use runtime::Metrics;
use serde::Serialize;

/// What a run did. The response of the function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How the run ended.
    pub outcome: RunOutcome,
    /// Number of notices by `status` or `status:reason`, such as `sent` and `due:capped`.
    pub notices: BTreeMap<String, u64>,
    /// Claims of earlier runs that did not finish. Their notices are `unknown` now.
    pub abandoned_claims: u64,
    /// Notices, contacts and organizations whose items could not be read.
    pub unreadable: u64,
    /// Notices that became `unknown` between 25 hours and one hour ago; `None` when they could not
    /// be counted.
    pub long_unknown: Option<u64>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every due notice was attempted.
    #[default]
    Completed,
    /// Sending is paused. The rest stays due.
    Paused,
    /// The deadline was near. The rest stays due.
    OutOfTime,
    /// SES throttled several e-mails in a row. The rest stays due.
    Throttled,
    /// SES did not respond several times in a row, or rejected the account. The rest stays due.
    MailUnavailable,
}

impl Summary {
    /// Counts one notice under its status and reason.
    pub(crate) fn count(&mut self, status: NoticeStatus, reason: Option<NoticeReason>) {
        let name = reason.map_or_else(|| status.to_string(), |reason| format!("{status}:{reason}"));
        *self.notices.entry(name).or_default() += 1;
    }

    /// Logs the number of notices of each status and reason.
    pub(crate) fn log(&self) {
        for (name, count) in &self.notices {
            tracing::info!(outcome = name, count, "notices");
        }
    }

    /// Adds the numbers of the run to the metrics of the invocation.
    pub(crate) fn emit_metrics(&self, metrics: &Metrics) {
        for (status, metric) in [
            (NoticeStatus::Sent, "notices_sent"),
            (NoticeStatus::Skipped, "notices_skipped"),
            (NoticeStatus::Failed, "notices_failed"),
            (NoticeStatus::Unknown, "notices_unknown"),
            (NoticeStatus::Due, "notices_deferred"),
        ] {
            metrics.add(metric, self.with_status(status));
        }

        metrics.add("claims_abandoned", self.abandoned_claims);
        metrics.add("notices_unreadable", self.unreadable);
        if let Some(long_unknown) = self.long_unknown {
            metrics.add("notices_long_unknown", long_unknown);
        }

        let is_paused = self.outcome == RunOutcome::Paused;
        let is_mail_unavailable = matches!(
            self.outcome,
            RunOutcome::MailUnavailable | RunOutcome::Throttled
        );
        metrics.add("sending_paused", u64::from(is_paused));
        metrics.add("mail_unavailable", u64::from(is_mail_unavailable));
    }

    /// Number of notices with this status, whatever the reason.
    fn with_status(&self, status: NoticeStatus) -> u64 {
        let status: &'static str = status.into();
        let counts = self.notices.iter();
        counts
            .filter(|(name, _)| name.split(':').next() == Some(status))
            .map(|(_, count)| count)
            .sum()
    }
}
