//! One notice: evaluates the guards, claims the notice and delivers it, or records why it is not
//! sent.

use std::collections::HashMap;

use engagement::{
    AddressHash, Contact, CurrentStage, EmailAddress, GuardContext, Notice, NoticeReason,
    NoticeStatus, OrganizationId, SendPolicy, Verdict, evaluate_guards,
};
use jiff::SignedDuration;
use runtime::{Failure, clock};
use store::{Claim, ClaimOutcome, Contacts, Notices, StoreError};
use uuid::Uuid;

use crate::{
    delivery::Delivery,
    pause_switch::PauseSwitch,
    quota_share::{QuotaPermit, QuotaShare},
    run_control::RunControl,
    summary::RunOutcome,
};

/// Decisions about one notice while concurrent writes keep changing its contact.
const MAX_DECISIONS: u32 = 5;

/// Minimum age of sends that are kept on a contact, so that they count when an operator sets a cap
/// over a longer time.
const MIN_SEND_HISTORY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Attempts to send notices, concurrently.
pub struct NoticeSender<'a> {
    pub notices: &'a Notices,
    pub contacts: &'a Contacts,
    pub pause: &'a PauseSwitch,
    pub policy: &'a SendPolicy,
    pub control: &'a RunControl,
    pub quota: &'a QuotaShare<'a>,
    pub delivery: Delivery<'a>,
    /// Lambda's id of the invocation.
    pub request_id: &'a str,
}

/// What was read for the decisions about a batch. An id without an entry has no item.
pub struct BatchContext {
    /// `None`: the item of the organization could not be read.
    pub current_stages: HashMap<OrganizationId, Option<CurrentStage>>,
    /// `None`: the item of the contact could not be read.
    pub contacts: HashMap<AddressHash, Option<Contact>>,
}

impl BatchContext {
    /// Number of items that could not be read.
    pub fn count_unreadable(&self) -> usize {
        let contacts = self.contacts.values().filter(|contact| contact.is_none());
        let stages = self.current_stages.values().filter(|stage| stage.is_none());
        contacts.count() + stages.count()
    }
}

/// What became of one notice.
pub enum AttemptOutcome {
    /// The notice has this status and reason now.
    Recorded(NoticeStatus, Option<NoticeReason>),
    /// The notice was not due any more: another run has claimed or resolved it.
    NotDue,
    /// Nothing was written: the run stops, an item could not be read, or the contact kept changing.
    NotAttempted,
}

/// What is done about a notice.
enum Decision<'a> {
    Send(&'a EmailAddress, QuotaPermit),
    DoNotSend(Verdict<'a>),
}

impl NoticeSender<'_> {
    /// Decides about a notice and carries the decision out.
    ///
    /// An `Err` means that a table or the pause parameter could not be used. The notice stays due,
    /// or stays claimed and becomes `unknown` when the claim is abandoned.
    pub async fn attempt(
        &self,
        notice: &Notice,
        context: &BatchContext,
    ) -> Result<AttemptOutcome, Failure> {
        let mut contact = match context.contacts.get(&notice.address_hash) {
            Some(None) => return Ok(AttemptOutcome::NotAttempted),
            Some(Some(contact)) => Some(contact.clone()),
            None => None,
        };
        let current_stage = match context.current_stages.get(&notice.organization_id) {
            Some(None) => return Ok(AttemptOutcome::NotAttempted),
            Some(Some(current_stage)) => Some(*current_stage),
            None => None,
        };

        // Kept for the next decision, so that no notice of lower priority gets it.
        let mut kept_permit = None;
        for _ in 0..MAX_DECISIONS {
            if self.control.stop_outcome().is_some() || self.is_paused().await? {
                return Ok(AttemptOutcome::NotAttempted);
            }

            let guard_context = GuardContext {
                as_of: self.control.current_time(),
                current_stage,
                contact: contact.as_ref(),
                daily_limit_reached: false,
            };
            let (address, permit) = match self.decide(notice, guard_context, kept_permit).await? {
                Decision::Send(address, permit) => (address, permit),
                Decision::DoNotSend(verdict) => return self.record_not_sent(notice, verdict).await,
            };

            let claim = self.new_claim();
            match self.claim(notice, contact.as_ref(), &claim).await? {
                ClaimOutcome::Claimed => {
                    let (status, reason) =
                        self.delivery.send(notice, address, &claim, permit).await?;
                    return Ok(AttemptOutcome::Recorded(status, reason));
                }
                ClaimOutcome::NotDue => return Ok(AttemptOutcome::NotDue),
                ClaimOutcome::ContactChanged => {
                    contact = self.contacts.get(&notice.address_hash).await?;
                    kept_permit = Some(permit);
                }
            }
        }
        Ok(AttemptOutcome::NotAttempted)
    }

    /// Whether sending was paused in the meantime, which stops the run.
    async fn is_paused(&self) -> Result<bool, Failure> {
        let is_paused = self.pause.is_on().await?;
        if is_paused {
            self.control.stop(RunOutcome::Paused);
        }
        Ok(is_paused)
    }

    /// Evaluates the guards and, when they allow the e-mail, takes a permit of the daily quota
    /// unless there already is one.
    async fn decide<'n>(
        &self,
        notice: &'n Notice,
        guard_context: GuardContext<'_>,
        permit: Option<QuotaPermit>,
    ) -> Result<Decision<'n>, Failure> {
        let verdict = evaluate_guards(notice, &guard_context, self.policy);
        let Verdict::Send(address) = verdict else {
            return Ok(Decision::DoNotSend(verdict));
        };

        let permit = match permit {
            Some(permit) => Some(permit),
            None => self.quota.acquire().await?,
        };
        if let Some(permit) = permit {
            return Ok(Decision::Send(address, permit));
        }

        // The exhausted quota is that of the scheduled day, which may have ended during the run.
        let over_limit = GuardContext {
            as_of: self.control.scheduled_at(),
            daily_limit_reached: true,
            ..guard_context
        };
        Ok(Decision::DoNotSend(evaluate_guards(
            notice,
            &over_limit,
            self.policy,
        )))
    }

    /// Records why the notice is not sent now.
    async fn record_not_sent(
        &self,
        notice: &Notice,
        verdict: Verdict<'_>,
    ) -> Result<AttemptOutcome, Failure> {
        let now = self.control.current_time();
        let (written, status, reason) = match verdict {
            Verdict::Skip(reason) => (
                self.notices.skip(notice, reason, now).await,
                NoticeStatus::Skipped,
                reason,
            ),
            Verdict::Defer(reason, due_at) => (
                self.notices.defer(notice, reason, due_at, now).await,
                NoticeStatus::Due,
                reason,
            ),
            Verdict::Hold(reason) if notice.reason == Some(reason) => {
                (Ok(true), NoticeStatus::Due, reason)
            }
            Verdict::Hold(reason) => (
                self.notices.hold(notice, reason, now).await,
                NoticeStatus::Due,
                reason,
            ),
            Verdict::Send(_) => return Ok(AttemptOutcome::NotAttempted),
        };

        Ok(if written? {
            AttemptOutcome::Recorded(status, Some(reason))
        } else {
            AttemptOutcome::NotDue
        })
    }

    fn new_claim(&self) -> Claim {
        Claim {
            id: new_claim_id(self.request_id),
            claimed_at: clock::now(),
            counted_at: self.control.current_time(),
        }
    }

    async fn claim(
        &self,
        notice: &Notice,
        contact: Option<&Contact>,
        claim: &Claim,
    ) -> Result<ClaimOutcome, StoreError> {
        let count_retention = self.policy.caps.longest_period().max(MIN_SEND_HISTORY);
        self.notices
            .claim(notice, contact, claim, count_retention)
            .await
    }
}

/// A unique id. It contains the request id for operators, and a UUID because Lambda may deliver one
/// event twice under one request id, and because a run makes many claims.
fn new_claim_id(request_id: &str) -> String {
    format!("{request_id}#{}", Uuid::new_v4())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_invocations_with_one_request_id_have_different_claim_ids() {
        let ids: [String; 4] = std::array::from_fn(|_| new_claim_id("request"));

        assert!(ids.iter().all(|id| id.starts_with("request#")));
        assert_eq!(std::collections::HashSet::from(ids).len(), 4);
    }
}
