//! One batch in progress, and the sync of one organization in it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use engagement::{AddressHashKey, Decision, Snapshot, SyncCause, SyncRequest, decide};
use jiff::{SignedDuration, Timestamp};
use runtime::{ClassifiedError, Invocation, Metrics, clock};
use store::{OrganizationRow, WriteOutcome};
use tokio::time::Instant;

use crate::{
    batch_plan::BatchPlan, error::SyncError, request_usage::RequestUsage,
    snapshot::listed_snapshot, snapshot_reader::SnapshotReader, sync::Sync,
};

/// Time reserved for writing the result of a sync, or its failure, after the last BILL request.
const WRITE_TIME_RESERVE: Duration = Duration::from_secs(3);

/// How long the listing of an organization that was never synced counts as read by its first sync.
const LISTING_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The item of an organization that was listed.
pub struct ListedRow {
    pub row: OrganizationRow,
    /// Whether this sync read the listing from BILL.
    pub is_read_now: bool,
}

impl ListedRow {
    /// Whether the listing is as BILL has it now: fan-out lists a new organization and queues its
    /// first sync at once.
    fn is_current(&self, as_of: Timestamp) -> bool {
        let is_young = |listed_at| as_of.duration_since(listed_at) < LISTING_LIFETIME;
        let is_new = self.row.record.is_none();
        self.is_read_now || (is_new && self.row.listed_at.is_some_and(is_young))
    }
}

/// One batch in progress. Its records run concurrently.
pub struct SyncBatch<'a> {
    pub sync: &'a Sync,
    pub metrics: &'a Metrics,
    /// The BILL requests of the batch so far.
    pub usage: RequestUsage,
    invocation: &'a Invocation,
    key: AddressHashKey,
    pub(crate) plan: BatchPlan,
    is_hour_closed: AtomicBool,
    /// Whether BILL said so in the first minute of an hour, when its clock may be behind.
    is_closing_unconfirmed: AtomicBool,
}

impl<'a> SyncBatch<'a> {
    /// A batch in which nothing has been synced yet.
    pub fn new(
        sync: &'a Sync,
        invocation: &'a Invocation,
        key: AddressHashKey,
        plan: BatchPlan,
    ) -> Self {
        Self {
            sync,
            metrics: &invocation.metrics,
            usage: RequestUsage::default(),
            invocation,
            key,
            plan,
            is_hour_closed: AtomicBool::new(false),
            is_closing_unconfirmed: AtomicBool::new(false),
        }
    }

    /// Syncs an organization: reads it from BILL, decides, and writes the decision.
    ///
    /// An `Err` means that nothing was written.
    pub async fn sync_organization(
        &self,
        request: &SyncRequest,
        cause: SyncCause,
        previous: &ListedRow,
    ) -> Result<WriteOutcome, SyncError> {
        let record = previous.row.record.as_ref();
        let snapshot = self.read_snapshot(request, cause, previous).await?;
        let decision = decide(
            &request.organization.id,
            record,
            &snapshot,
            &self.sync.rules,
            request.as_of,
        );
        let outcome = self
            .sync
            .decisions
            .write(&decision, Some(&previous.row), &self.key)
            .await?;

        match outcome {
            WriteOutcome::Written { notices, .. } => self.count_decision(&decision, notices),
            WriteOutcome::Superseded => self.metrics.count("organizations_superseded"),
        }
        Ok(outcome)
    }

    /// Reads an organization from BILL. An archived one takes no request: its stage does not depend
    /// on anything else.
    async fn read_snapshot(
        &self,
        request: &SyncRequest,
        cause: SyncCause,
        previous: &ListedRow,
    ) -> Result<Snapshot, SyncError> {
        let row = &previous.row;
        let listing = row.listing.as_ref().unwrap_or(&request.organization);
        let is_current = previous.is_current(request.as_of);
        let listed = listed_snapshot(listing, row.listed_at, is_current);
        if listed.archived {
            return Ok(listed);
        }
        if self.is_hour_closed() {
            return Err(SyncError::HourExhausted);
        }

        let id = &request.organization.id;
        let calls = self
            .sync
            .bill
            .organization(id.as_str(), self.read_deadline());
        let reader = SnapshotReader {
            calls: &calls,
            id,
            previous: row.record.as_ref(),
            rules: &self.sync.rules,
            cause,
            as_of: request.as_of,
            metrics: self.metrics,
        };
        let snapshot = reader.read(listed).await;
        self.usage.add(&calls);
        snapshot
    }

    fn count_decision(&self, decision: &Decision, notices: usize) {
        self.metrics.count("organizations_synced");
        self.metrics.add("notices_planned", notices as u64);

        if let Some(transition) = &decision.transition {
            self.metrics.count("transitions");
            let from = transition.from.map_or("new", Into::into);
            tracing::info!(
                from,
                to = %transition.to,
                reason = %transition.reason,
                notices,
                "stage entered"
            );
        } else {
            tracing::debug!(stage = %decision.organization.stage, notices, "stage unchanged");
        }
    }

    /// The current time, in whole seconds.
    pub fn now(&self) -> Timestamp {
        self.invocation.now()
    }

    /// The time after which no response of BILL is awaited.
    pub fn read_deadline(&self) -> Instant {
        let end = self.invocation.deadline.instant();
        end.checked_sub(WRITE_TIME_RESERVE).unwrap_or(end)
    }

    /// Whether the hour has no BILL requests left.
    pub fn is_hour_closed(&self) -> bool {
        self.is_hour_closed.load(Ordering::Relaxed)
    }

    /// Whether the batch stopped because of an answer that has to be repeated to be believed. Its
    /// messages are retried.
    pub fn is_closing_unconfirmed(&self) -> bool {
        self.is_closing_unconfirmed.load(Ordering::Relaxed)
    }

    /// Stops the batch's BILL requests and closes the hour for other batches, once per batch.
    ///
    /// In the first minute of an hour the answer may still refer to the hour before, because clocks
    /// differ. Then the hour stays open, and the messages come back when the minute is over.
    pub async fn close_hour(&self) {
        if self.is_hour_closed.swap(true, Ordering::Relaxed) {
            return;
        }
        let now = self.now();
        if clock::until_start_of_hour_is_over(now).is_some() {
            self.is_closing_unconfirmed.store(true, Ordering::Relaxed);
            return;
        }

        self.metrics.count("hour_exhausted");
        if let Err(error) = self.sync.budget.close_hour(now).await {
            tracing::warn!(
                error_type = error.error_type().name(),
                "the hour's budget could not be closed for other batches"
            );
        }
    }
}
