//! Sync: looks at one organization in BILL, decides what that means, and remembers it in one
//! transaction.
//!
//! Every message may arrive twice, late or together with another for the same organization. A look
//! is done once for one `as_of`; a message that cannot be worked on now is completed, because its
//! organization stays due, or is made due when an event of BILL's caused the message.

mod config;
mod events;
mod look;
mod request;
mod signals;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use bill::{Bill, Credentials};
use engagement::{
    AddressHashKey, Decision, Organization, Rules, Snapshot, StageReason, SyncRequest, decide,
};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    DeadLetterQueue, Deadline, ErrorType, Failure, Metrics, Secret, clock,
    sqs::{Outcome, Record, run_batch},
};
use secrecy::SecretString;
use store::{BudgetAmount, Checks, Limits, Organizations, Runs, StoreError, WriteOutcome};
use tokio::time::Instant;

use look::{Look, SyncError};

pub use config::Config;

/// BILL requests reserved for one look: users, sign-in, bank accounts, payments, verification. What
/// it took is corrected afterwards: a look that an event caused takes one more.
const REQUESTS_PER_SYNC: u32 = 5;

/// Organizations looked at side by side.
const CONCURRENCY: usize = 10;

/// Time that one look needs at most, so that a record is not started that cannot be finished.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// Time kept back from a look for writing what it found, or that it failed.
const WRITE_TIME: Duration = Duration::from_secs(3);

/// Receipts of one message after which an organization that BILL cannot answer for is left to the
/// next sweep.
const PATIENCE: u32 = 3;

/// When an organization that BILL refuses to show is looked at again.
const AFTER_REFUSAL: SignedDuration = SignedDuration::from_hours(24);

/// Looks at organizations. Built once per process.
pub struct Sync {
    /// BILL's partner API.
    pub bill: Bill,
    /// What it signs in with: read first, so that a missing secret is named before anything is
    /// touched.
    pub credentials: Secret<Credentials>,
    /// What is remembered.
    pub organizations: Organizations,
    /// Writes what was decided.
    pub checks: Checks,
    /// The hour's budget.
    pub runs: Runs,
    /// Where messages go that can never be worked on.
    pub dead_letters: DeadLetterQueue,
    /// The key under which addresses are hashed.
    pub address_key: Secret<SecretString>,
    /// Campaigns and cadences.
    pub rules: Arc<Rules>,
    /// What the hour allows.
    pub limits: Limits,
}

impl Sync {
    /// Works on one batch of messages. Each is answered for by itself; an `Err` repeats the whole
    /// batch.
    pub async fn handle(
        &self,
        event: SqsEvent,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<SqsBatchResponse, Failure> {
        let (_, key) = futures::try_join!(self.credentials.get(), self.address_key.get())?;
        let looks = u32::try_from(event.records.len()).unwrap_or(u32::MAX);
        let amount = BudgetAmount {
            requests: looks.saturating_mul(REQUESTS_PER_SYNC),
            sign_ins: looks,
        };
        let began = clock::now();
        let reservation = self
            .runs
            .reserve(began, amount, self.limits)
            .await
            .map_err(stored)?;
        if reservation.is_none() {
            tracing::info!(
                looks,
                "the hour's budget of BILL requests is spent; the organizations stay due, or are made so"
            );
            metrics.count("budget_spent");
            // The organizations of the others stay due.
            if !event.records.iter().any(|record| {
                request::requires_processing(record.body.as_deref().unwrap_or_default())
            }) {
                return Ok(SqsBatchResponse::default());
            }
        }
        let key = AddressHashKey::new((*key).clone());
        let hour_closed = AtomicBool::new(reservation.is_none());
        let work = Work {
            sync: self,
            key,
            deadline,
            metrics,
            began,
            hour_closed,
            used: look::Used::default(),
        };
        let batch = run_batch(event, deadline, CONCURRENCY, LOOK_TIME, |record| {
            work.record(record)
        })
        .await;
        let used = work.used.amount();
        metrics.add("bill_requests", f64::from(used.requests));
        metrics.add("bill_sign_ins", f64::from(used.sign_ins));
        if let Some(reservation) = reservation
            && let Err(error) = self.runs.settle(reservation, used).await
        {
            tracing::warn!(error_type = error.type_name(), %error, "the batch's requests were not corrected in the hour's budget");
        }
        let batch = batch?;
        batch.counts.add_to(metrics);
        Ok(batch.response)
    }
}

/// One batch under way.
struct Work<'a> {
    sync: &'a Sync,
    key: AddressHashKey,
    deadline: Deadline,
    metrics: &'a Metrics,
    began: Timestamp,
    hour_closed: AtomicBool,
    used: look::Used,
}

impl Work<'_> {
    async fn record(&self, record: Record) -> Outcome {
        let request = match request::parse(&record) {
            Ok(request) => request,
            Err(reason) => return self.sync.dead_letters.park(&record, reason).await,
        };
        record.log_organization_id(&request.organization.id);
        if let Some(events_until) = request.events_until {
            return self
                .events(&request, events_until, record.receive_count)
                .await;
        }
        match self.organization(&request).await {
            Ok(()) => Outcome::Done,
            Err(error) => self.failed(&request, &error, record.receive_count).await,
        }
    }

    async fn organization(&self, request: &SyncRequest) -> Result<(), SyncError> {
        let id = &request.organization.id;
        let previous = self.sync.organizations.get(id).await?;
        if let Some(reason) = skip_reason(previous.as_ref(), request) {
            tracing::debug!(reason, "nothing to do");
            self.metrics.count("organizations_not_due");
            return Ok(());
        }
        self.check(request, previous.as_ref()).await.map(drop)
    }

    /// Looks at the organization, decides, and writes what was decided.
    async fn check(
        &self,
        request: &SyncRequest,
        previous: Option<&Organization>,
    ) -> Result<WriteOutcome, SyncError> {
        let signals = self.look(request, previous).await?;
        let decision = decide(
            &request.organization.id,
            previous,
            &signals,
            &self.sync.rules,
            request.as_of,
        );
        let applied = self
            .sync
            .checks
            .apply(&decision, previous, &self.key)
            .await?;
        match applied {
            WriteOutcome::Written { notices, .. } => self.count(&decision, notices),
            WriteOutcome::Superseded => self.metrics.count("organizations_superseded"),
        }
        Ok(applied)
    }

    /// An archived organization is closed, whatever else BILL would say: it costs no request.
    async fn look(
        &self,
        request: &SyncRequest,
        previous: Option<&Organization>,
    ) -> Result<Snapshot, SyncError> {
        if request.organization.archived {
            return Ok(signals::of_listed(&request.organization));
        }
        if self.is_hour_closed() {
            return Err(SyncError::HourExhausted);
        }
        let calls = self
            .sync
            .bill
            .organization(request.organization.id.as_str(), self.looks_until());
        let look = Look {
            calls: &calls,
            request,
            contacts: previous
                .map(|previous| previous.contacts.as_slice())
                .unwrap_or_default(),
        };
        let signals = look.signals(self.metrics).await;
        self.used.add(&calls);
        signals
    }

    fn count(&self, decision: &Decision, notices: usize) {
        self.metrics.count("organizations_synced");
        self.metrics.add_count("notices_planned", notices);
        if let Some(transition) = &decision.transition {
            self.metrics.count("transitions");
            let from = transition.from.map_or("new", Into::into);
            tracing::info!(from, to = %transition.to, reason = %transition.reason, notices, "stage entered");
        } else {
            tracing::debug!(stage = %decision.organization.stage, notices, "stage unchanged");
        }
    }

    /// What becomes of a message whose organization could not be looked at.
    async fn failed(
        &self,
        request: &SyncRequest,
        error: &SyncError,
        receive_count: u32,
    ) -> Outcome {
        let error_type = error.error_type();
        self.metrics.count("syncs_failed");
        match error.remedy() {
            look::FailureAction::Repeat => {
                tracing::warn!(error_type, %error, receive_count, "the organization could not be looked at; the message is repeated");
                Outcome::Retry
            }
            look::FailureAction::NextSweep if receive_count < PATIENCE && error.is_transient() => {
                tracing::warn!(error_type, %error, receive_count, "BILL could not answer; the message is repeated");
                Outcome::Retry
            }
            look::FailureAction::NextSweep => {
                if error.exhausts_hour() && !self.hour_closed.swap(true, Ordering::Relaxed) {
                    self.close_hour().await;
                }
                tracing::warn!(error_type, %error, "the organization could not be looked at; it stays due");
                if error.is_about_organization() || request.all {
                    return self
                        .remember_failure(request, error_type, SignedDuration::ZERO)
                        .await;
                }
                Outcome::Done
            }
            look::FailureAction::Tomorrow => {
                tracing::warn!(error_type, %error, "BILL refuses to show the organization; it is looked at again in a day");
                self.remember_failure(request, error_type, AFTER_REFUSAL)
                    .await
            }
        }
    }

    fn is_hour_closed(&self) -> bool {
        self.hour_closed.load(Ordering::Relaxed)
    }

    /// When BILL is no longer waited for.
    fn looks_until(&self) -> Instant {
        let end = self.deadline.instant();
        end.checked_sub(WRITE_TIME).unwrap_or(end)
    }

    /// Closes the hour in which the batch began: an answer that comes after its end may be about
    /// it.
    async fn close_hour(&self) {
        self.metrics.count("hour_exhausted");
        if let Err(error) = self.sync.runs.close_hour(self.began).await {
            tracing::warn!(
                error_type = error.type_name(),
                "the hour was not closed for other batches"
            );
        }
    }

    async fn remember_failure(
        &self,
        request: &SyncRequest,
        error_type: &str,
        pause: SignedDuration,
    ) -> Outcome {
        let next_check_at = request.as_of.saturating_add(pause).unwrap_or(request.as_of);
        match self
            .sync
            .organizations
            .record_failure(
                &request.organization.id,
                error_type,
                request.as_of,
                next_check_at,
                clock::now(),
            )
            .await
        {
            Ok(()) => Outcome::Done,
            Err(error) => {
                tracing::warn!(
                    error_type = error.type_name(),
                    "the failure was not remembered; the message is repeated"
                );
                Outcome::Retry
            }
        }
    }
}

/// The campaigns of this release. An `Err` is a fault of the build.
pub fn rules() -> Result<Rules, Failure> {
    let content = content::Content::embedded()
        .map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;
    Ok(content.rules().clone())
}

/// Why a look is not wanted: it was done for this moment or a later one, or the organization is not
/// due.
fn skip_reason(previous: Option<&Organization>, request: &SyncRequest) -> Option<&'static str> {
    let previous = previous?;
    if previous.checked_at >= request.as_of {
        Some("already checked for this moment or a later one")
    } else if previous.next_check_at > request.as_of
        && !request.all
        && is_archived(previous) == request.organization.archived
    {
        Some("not due")
    } else {
        None
    }
}

/// Whether it was archived when it was last looked at.
fn is_archived(organization: &Organization) -> bool {
    organization.stage_reason == StageReason::Archived
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stored(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
