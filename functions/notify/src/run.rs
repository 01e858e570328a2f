//! One run: queries the due notices, most urgent first, and attempts them in batches until none is
//! left or the run must stop.

use std::{collections::HashSet, time::Duration};

use engagement::{Notice, NoticeKey, OrganizationId};
use futures::{StreamExt, stream};
use runtime::Failure;
use store::{Contacts, Notices, Organizations};

use crate::{
    attempt::{AttemptOutcome, BatchContext, NoticeSender},
    run_control::RunControl,
    summary::{RunOutcome, Summary},
};

/// Notices kept from one query of the due notices.
const MAX_NOTICES_PER_QUERY: usize = 5_000;

/// Notices whose organizations and contacts are read together.
const NOTICES_PER_BATCH: usize = 200;

/// E-mails that are sent concurrently.
const CONCURRENCY: usize = 8;

/// Time that must be left before another query: reading a long outbox takes at most this long.
const READ_TIME_RESERVE: Duration = Duration::from_mins(1);

/// A run under way.
pub struct Run<'a> {
    pub notices: &'a Notices,
    pub organizations: &'a Organizations,
    pub contacts: &'a Contacts,
    pub control: &'a RunControl,
    pub sender: NoticeSender<'a>,
}

impl Run<'_> {
    /// Sends until nothing is due or the run must stop. `summary` holds what was done also after an
    /// `Err`, which means that a table or the pause parameter could not be used.
    pub async fn send_batches(&self, summary: &mut Summary) -> Result<RunOutcome, Failure> {
        let mut seen: HashSet<(OrganizationId, NoticeKey)> = HashSet::new();
        loop {
            let is_new = |notice: &Notice| !seen.contains(&key(notice));
            let due = self
                .notices
                .due(self.control.scheduled_at(), MAX_NOTICES_PER_QUERY, is_new)
                .await?;
            // Every query finds the same unreadable items.
            summary.unreadable = summary.unreadable.max(due.unreadable as u64);
            if due.notices.is_empty() {
                return Ok(RunOutcome::Completed);
            }

            for batch in due.notices.chunks(NOTICES_PER_BATCH) {
                seen.extend(batch.iter().map(key));
                self.process_batch(batch, summary).await?;
                if let Some(outcome) = self.control.stop_outcome() {
                    return Ok(outcome);
                }
            }

            if self.control.is_deadline_near(READ_TIME_RESERVE) {
                return Ok(RunOutcome::OutOfTime);
            }
        }
    }

    /// Attempts every notice of a batch. An `Err` is the first failure; the other notices of the
    /// batch were attempted all the same.
    async fn process_batch(&self, batch: &[Notice], summary: &mut Summary) -> Result<(), Failure> {
        let context = &self.read_context(batch).await?;
        summary.unreadable += context.count_unreadable() as u64;

        let outcomes: Vec<_> = stream::iter(batch)
            .map(|notice| self.sender.attempt(notice, context))
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;

        let mut first_failure = None;
        for outcome in outcomes {
            match outcome {
                Ok(AttemptOutcome::Recorded(status, reason)) => summary.count(status, reason),
                Ok(AttemptOutcome::NotDue | AttemptOutcome::NotAttempted) => {}
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// Reads the organizations and contacts of a batch.
    async fn read_context(&self, batch: &[Notice]) -> Result<BatchContext, Failure> {
        let organizations = batch.iter().map(|notice| notice.organization_id.clone());
        let addresses = batch.iter().map(|notice| notice.address_hash.clone());
        let (current_stages, contacts) = futures::try_join!(
            self.organizations.current_stages(organizations),
            self.contacts.get_many(addresses)
        )?;
        Ok(BatchContext {
            current_stages,
            contacts,
        })
    }
}

fn key(notice: &Notice) -> (OrganizationId, NoticeKey) {
    (notice.organization_id.clone(), notice.notice.clone())
}
