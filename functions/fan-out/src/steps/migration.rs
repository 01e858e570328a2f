//! Step 1, after an update from the last release: adds its items to the index.

use runtime::Failure;
use store::Migration;

use crate::{run::Run, summary::RunOutcome};

impl Run<'_> {
    /// Adds items of the last release to the index, page by page, until a whole pass found none.
    pub(crate) async fn migrate_to_index(&mut self) -> Result<RunOutcome, Failure> {
        let (mut after, mut added) = match self.state.migration.clone() {
            Migration::Complete => return Ok(RunOutcome::Completed),
            Migration::NotStarted => (None, 0),
            Migration::InProgress { after, added } => (Some(after), added),
        };

        loop {
            let organizations = &self.fan_out.organizations;
            let page = organizations
                .migrate_page(after.as_ref(), self.as_of)
                .await?;
            added += page.added;
            after = page.next;

            self.state.migration = match &after {
                Some(after) => Migration::InProgress {
                    after: after.clone(),
                    added,
                },
                None if added == 0 => Migration::Complete,
                None => Migration::NotStarted,
            };
            self.save().await?;

            if after.is_none() {
                tracing::info!(
                    added,
                    "the table was searched for items without an index entry"
                );
                return Ok(RunOutcome::Completed);
            }
            if self.is_out_of_time() {
                return Ok(RunOutcome::OutOfTime);
            }
        }
    }
}
