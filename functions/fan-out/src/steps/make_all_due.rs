//! Step 3: makes every organization due, when an operator asked for it.

use runtime::Failure;
use store::MakeDueRequest;

use crate::run::Run;

impl Run<'_> {
    /// Notes that every organization has to become due, so that no later run can lose it.
    pub(crate) async fn request_all(&mut self) -> Result<(), Failure> {
        self.state.make_due = Some(MakeDueRequest {
            at: self.as_of,
            after: None,
        });
        self.save().await
    }

    /// Makes organizations due, page by page, as the request of this run or of an earlier one asks.
    pub(crate) async fn make_all_due(&mut self) -> Result<(), Failure> {
        while let Some(request) = self.state.make_due.clone() {
            let organizations = &self.fan_out.organizations;
            let page = organizations
                .make_page_due(request.at, request.after.as_ref())
                .await?;
            self.summary.made_due += page.progress.made_due;

            self.state.make_due = page.next.map(|next| MakeDueRequest {
                at: request.at,
                after: Some(next),
            });
            self.save().await?;
            if self.is_out_of_time() {
                break;
            }
        }

        Ok(())
    }
}
