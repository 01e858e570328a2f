//! Fan-out: lists the partner's organizations and queues those that are due for a look.
//!
//! "Due" is data in the `organizations` table, not a position in this run: whatever is left undone
//! here, because the hour's budget is spent, time runs out or the process dies, is still due in the
//! next run.

mod config;
mod page;
mod queue;

use std::{collections::HashSet, num::NonZeroU32, time::Duration};

use bill::{Bill, Credentials, Page, PageToken};
use engagement::OrganizationId;
use jiff::{SignedDuration, Timestamp};
use runtime::{Deadline, Failure, Metrics, ScheduleEvent, Secret, clock};
use serde::Serialize;
use store::{BudgetAmount, Cursor, Limits, Organizations, RunRecord, Runs, StoreError};

pub use config::Config;
pub use queue::SyncQueue;

/// BILL requests that one look takes at most, as a rule: users, sign-in, bank accounts, payments,
/// verification.
const REQUESTS_PER_SYNC: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Time that one page needs at most, so that a run stops in an orderly way before its deadline.
const PAGE_TIME: Duration = Duration::from_secs(20);

/// How long a page is gone on from. Runs that end early save one each hour.
const CURSOR_LIFETIME: SignedDuration = SignedDuration::from_hours(6);

/// Lists organizations and queues those that are due. Built once per process.
pub struct FanOut {
    /// BILL's partner API.
    pub bill: Bill,
    /// What it signs in with: read first, so that a missing secret is named before anything is
    /// touched.
    pub credentials: Secret<Credentials>,
    /// Which organizations are due.
    pub organizations: Organizations,
    /// The hour's budget, the cursor and the record of the run.
    pub runs: Runs,
    /// Where to send them.
    pub queue: SyncQueue,
    /// How many BILL requests and sign-ins the hour allows.
    pub limits: Limits,
}

/// What a run did. The answer of the function, and an item of the `runs` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Id of the run, as in its messages.
    pub run_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Pages of organizations read.
    pub pages: u64,
    /// Organizations seen.
    pub organizations: u64,
    /// Those of them that were due.
    pub due: u64,
    /// Messages sent.
    pub queued: u64,
    /// Rows passed over because they carry no usable id.
    pub skipped: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// It saw every organization.
    #[default]
    Completed,
    /// It stopped where the hour's budget of BILL requests ended; the next run goes on from there.
    BudgetSpent,
    /// It stopped before its deadline; the next run goes on from there.
    OutOfTime,
}

impl FanOut {
    /// Runs once. An `Err` means that BILL or AWS could not be reached or refused; nothing is lost,
    /// the next run repeats it.
    pub async fn run(
        &self,
        event: &ScheduleEvent,
        run_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<Summary, Failure> {
        let started_at = clock::now();
        let as_of = event.as_of.unwrap_or(started_at);
        self.credentials.get().await?;
        let requests_before = self.bill.requests();
        let (remaining, cursor) = futures::try_join!(
            self.runs.remaining(started_at, self.limits),
            self.runs.cursor()
        )
        .map_err(stored)?;
        let allowance = u64::from((remaining.requests / REQUESTS_PER_SYNC).min(remaining.sign_ins));
        let mut sweep = Sweep {
            fan_out: self,
            as_of,
            all: event.all,
            deadline,
            allowance,
            queued: HashSet::new(),
            summary: Summary {
                run_id: run_id.to_owned(),
                ..Summary::default()
            },
        };
        let swept = if allowance == 0 {
            sweep.summary.outcome = Outcome::BudgetSpent;
            Ok(())
        } else {
            Box::pin(sweep.run(usable(cursor, started_at))).await
        };
        let Sweep { mut summary, .. } = sweep;
        let requests = u32::try_from(self.bill.requests() - requests_before).unwrap_or(u32::MAX);
        if summary.pages > 0 {
            self.settle(started_at, requests).await;
        }
        let swept = match swept {
            Err(SweepError::Bill(error)) if error.is_hour_exhausted() => {
                summary.outcome = Outcome::BudgetSpent;
                self.close_hour(started_at).await;
                Ok(())
            }
            swept => swept,
        };
        count(&summary, requests, metrics);
        swept?;
        self.runs
            .record(&record(&summary, as_of, started_at))
            .await
            .map_err(stored)?;
        Ok(summary)
    }

    /// BILL says that the hour is used up: nobody is to ask any more.
    async fn close_hour(&self, now: Timestamp) {
        tracing::warn!(
            error_type = "bill_hour_exhausted",
            "BILL's requests of this hour are used up; the next run goes on"
        );
        if let Err(error) = self.runs.close_hour(now).await {
            tracing::warn!(
                error_type = error.type_name(),
                "the hour was not closed for others"
            );
        }
    }

    /// Counts what listing took against the hour's budget. A failure here costs the precision of a
    /// counter, not the run.
    async fn settle(&self, now: Timestamp, requests: u32) {
        let used = BudgetAmount {
            requests,
            sign_ins: 0,
        };
        if let Err(error) = self.runs.add(now, used).await {
            tracing::warn!(
                error_type = error.type_name(),
                "the run's requests were not counted"
            );
        }
    }
}

/// A cursor younger than this, if there is one. BILL does not say for how long it knows a page.
fn usable(cursor: Option<Cursor>, now: Timestamp) -> Option<Cursor> {
    cursor.filter(|cursor| now.duration_since(cursor.saved_at) < CURSOR_LIFETIME)
}

/// One pass over the list of organizations.
struct Sweep<'a> {
    fan_out: &'a FanOut,
    as_of: Timestamp,
    all: bool,
    deadline: Deadline,
    allowance: u64,
    queued: HashSet<OrganizationId>,
    summary: Summary,
}

impl Sweep<'_> {
    /// From the cursor to the end of the list, then from its beginning to the cursor.
    async fn run(&mut self, cursor: Option<Cursor>) -> Result<(), SweepError> {
        let start = cursor.map(|cursor| PageToken::new(cursor.page));
        if let Some(start) = &start {
            match self.pass(Some(start.clone()), None).await {
                Ok(Outcome::Completed) => self.fan_out.runs.clear_cursor().await.map_err(stored)?,
                Ok(_) => return Ok(()),
                Err(failure) if failure.is_refused_page() => {
                    tracing::warn!(
                        "BILL no longer knows the page where the last run stopped; starting from the first"
                    );
                    self.fan_out.runs.clear_cursor().await.map_err(stored)?;
                }
                Err(failure) => return Err(failure),
            }
        }
        self.pass(None, start.as_ref()).await?;
        Ok(())
    }

    /// Reads pages from `first` until the list or `until` ends it; each page is sent while the next
    /// one is fetched.
    async fn pass(
        &mut self,
        first: Option<PageToken>,
        until: Option<&PageToken>,
    ) -> Result<Outcome, SweepError> {
        let mut token = first;
        let mut fetched = Some(self.fetch(token.as_ref()).await?);
        while let Some(page) = fetched.take() {
            self.summary.pages += 1;
            let next = page.next.clone().filter(|next| Some(next) != until);
            let fan_out = self.fan_out;
            let instant = self.deadline.instant();
            let fetch_next = async {
                match &next {
                    Some(next) => fan_out
                        .bill
                        .organizations(Some(next), instant)
                        .await
                        .map(Some),
                    None => Ok(None),
                }
            };
            let (sent_all, following) = tokio::join!(self.send(page), fetch_next);
            if !sent_all? {
                return Ok(self.stop(Outcome::BudgetSpent, token).await?);
            }
            fetched = following?;
            token = next;
            if fetched.is_some() && self.deadline.is_near(PAGE_TIME) {
                return Ok(self.stop(Outcome::OutOfTime, token).await?);
            }
        }
        Ok(Outcome::Completed)
    }

    async fn fetch(
        &self,
        token: Option<&PageToken>,
    ) -> Result<Page<bill::Organization>, SweepError> {
        Ok(self
            .fan_out
            .bill
            .organizations(token, self.deadline.instant())
            .await?)
    }

    /// Remembers the page at which the next run goes on.
    async fn stop(
        &mut self,
        outcome: Outcome,
        token: Option<PageToken>,
    ) -> Result<Outcome, Failure> {
        self.summary.outcome = outcome;
        match token {
            Some(token) => {
                let cursor = Cursor {
                    page: token.as_str().to_owned(),
                    run_id: self.summary.run_id.clone(),
                    saved_at: clock::now(),
                };
                self.fan_out
                    .runs
                    .save_cursor(&cursor)
                    .await
                    .map_err(stored)?;
            }
            None => self.fan_out.runs.clear_cursor().await.map_err(stored)?,
        }
        Ok(outcome)
    }

    /// Sends the organizations of a page that are due. `false`: the budget ended before the page
    /// did.
    async fn send(&mut self, page: Page<bill::Organization>) -> Result<bool, Failure> {
        let (listed, skipped) = page::listed_organizations(page);
        self.summary.organizations += listed.len() as u64;
        self.summary.skipped += skipped;
        let mut due = page::due(&self.fan_out.organizations, listed, self.as_of, self.all).await?;
        due.retain(|organization| self.queued.insert(organization.id.clone()));
        self.summary.due += due.len() as u64;
        let allowed = usize::try_from(self.allowance)
            .unwrap_or(usize::MAX)
            .min(due.len());
        let within_budget = allowed == due.len();
        due.truncate(allowed);
        self.allowance -= allowed as u64;
        let requests = page::requests(due, &self.summary.run_id, self.as_of, self.all);
        self.summary.queued += self.fan_out.queue.send(&requests).await?;
        Ok(within_budget)
    }
}

/// Why a pass ended early.
enum SweepError {
    Bill(bill::Error),
    Other(Failure),
}

impl SweepError {
    /// BILL refused a page token that an earlier run remembered.
    fn is_refused_page(&self) -> bool {
        matches!(self, Self::Bill(error) if error.type_name() == "bill_refused")
    }
}

impl From<bill::Error> for SweepError {
    fn from(error: bill::Error) -> Self {
        Self::Bill(error)
    }
}

impl From<Failure> for SweepError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Bill(error) => Self::named(error.type_name(), &error),
            SweepError::Other(failure) => failure,
        }
    }
}

fn count(summary: &Summary, requests: u32, metrics: &Metrics) {
    for (name, value) in [
        ("organizations_seen", summary.organizations),
        ("organizations_due", summary.due),
        ("organizations_queued", summary.queued),
        ("organizations_skipped", summary.skipped),
        ("bill_requests", u64::from(requests)),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        metrics.add(name, value as f64);
    }
    metrics.add(
        "budget_spent",
        f64::from(u8::from(summary.outcome == Outcome::BudgetSpent)),
    );
}

fn record(summary: &Summary, as_of: Timestamp, started_at: Timestamp) -> RunRecord {
    RunRecord {
        run: format!("fan-out#{as_of}"),
        run_id: summary.run_id.clone(),
        started_at,
        finished_at: clock::now(),
        outcome: summary.outcome.to_string(),
        pages: summary.pages,
        organizations: summary.organizations,
        due: summary.due,
        queued: summary.queued,
        skipped: summary.skipped,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stored(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
