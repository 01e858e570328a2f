//! Step 4: queues the organizations that are due, the longest overdue first.

use engagement::SyncRequest;
use runtime::Failure;
use store::BudgetShare;

use crate::{run::Run, summary::RunOutcome};

/// BILL requests of the sync of a known organization: sign-in, bank accounts, payments.
const REQUESTS_PER_SYNC: u32 = 3;

impl Run<'_> {
    /// Queues as many organizations as the sweep's share of the hour covers. The others stay due,
    /// before those that become due later.
    pub(crate) async fn queue_due(&mut self) -> Result<RunOutcome, Failure> {
        let now = self.invocation.now();
        let left = self
            .fan_out
            .budget
            .remaining(now, BudgetShare::Sweep)
            .await?;
        let covered = (left.requests / REQUESTS_PER_SYNC).min(left.sign_ins);
        let covered = usize::try_from(covered).unwrap_or(usize::MAX);

        // The organizations queued before in this run are still due. One more shows whether the
        // budget covers all.
        let limit = covered.saturating_add(1);
        let mut due = self.fan_out.organizations.due(self.as_of, limit).await?;
        let is_covered = due.len() <= covered;
        due.truncate(covered);
        due.retain(|organization| self.queued.insert(organization.id.clone()));

        let requests: Vec<SyncRequest> = due
            .into_iter()
            .map(|organization| {
                SyncRequest::for_due(organization.id, self.summary.run_id.clone(), self.as_of)
            })
            .collect();
        self.summary.due += requests.len() as u64;
        self.summary.queued += self.fan_out.queue.send(&requests).await?;

        Ok(if is_covered {
            RunOutcome::Completed
        } else {
            RunOutcome::BudgetSpent
        })
    }
}
