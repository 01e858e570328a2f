//! Feedback: what SES tells of a mail is recorded on its notice and on the contacts that it went
//! to.
//!
//! Events repeat and come in any order; every write is idempotent and refuses what is outranked, so
//! a record may be worked on twice or stopped half-way. Events hold addresses: no body reaches a
//! log or a dead letter, and so the queue has no redrive policy. What can never be worked on is
//! replaced by a letter without them.

mod config;
mod event;
mod letter;

use std::{collections::BTreeSet, time::Duration};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use engagement::{AddressHash, AddressHashKey, Bounce, Feedback, MailEvent, Suppression};
use futures::future::join_all;
use runtime::{
    DeadLetterQueue, Deadline, Failure, Metrics, Secret, clock,
    sqs::{Outcome, Record, run_batch},
};
use secrecy::SecretString;
use store::{Contacts, FeedbackOutcome, Notices, StoreError};

use event::Event;
use letter::Letter;

pub use config::Config;

/// Events recorded side by side.
const CONCURRENCY: usize = 10;

/// Time that one event needs at most, so that a record is not started that cannot be finished.
const RECORD_TIME: Duration = Duration::from_secs(5);

/// Receipts of one message after which its failing is an error and no longer a warning.
const PATIENCE: u32 = 20;

/// Records feedback. Built once per process.
pub struct Recorder {
    /// The notices.
    pub notices: Notices,
    /// The contacts.
    pub contacts: Contacts,
    /// Where letters go in place of messages that can never be worked on.
    pub dead_letters: DeadLetterQueue,
    /// The key under which addresses are hashed.
    pub address_key: Secret<SecretString>,
}

impl Recorder {
    /// Works on one batch of messages. Each is answered for by itself; an `Err` repeats the whole
    /// batch.
    pub async fn handle(
        &self,
        event: SqsEvent,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<SqsBatchResponse, Failure> {
        let key = AddressHashKey::new((*self.address_key.get().await?).clone());
        let work = async |record| self.record(&record, &key, metrics).await;
        let batch = run_batch(event, deadline, CONCURRENCY, RECORD_TIME, work).await?;
        batch.counts.add_to(metrics);
        Ok(batch.response)
    }

    async fn record(&self, record: &Record, key: &AddressHashKey, metrics: &Metrics) -> Outcome {
        let event = match Event::parse(&record.body, clock::now()) {
            Ok(event) => event,
            Err(reason) => {
                metrics.count("feedback_unreadable");
                return self.set_aside(record, None, &reason).await;
            }
        };
        if let Some(id) = &event.notice {
            record.log_organization_id(&id.organization_id);
        }
        match self.write(&event, key, metrics).await {
            Ok(()) => {
                metrics.count(event.metric());
                metrics.add_count("addresses_invalid", event.invalid_addresses);
                Outcome::Done
            }
            Err(error) => self.failed(record, &event, &error).await,
        }
    }

    /// Notice and contacts side by side. Each is attempted even when another fails; an `Err` that
    /// passes goes before one that does not.
    async fn write(
        &self,
        event: &Event,
        key: &AddressHashKey,
        metrics: &Metrics,
    ) -> Result<(), StoreError> {
        let Some(kind) = event.kind else {
            return Ok(());
        };
        let addresses = addresses(event, key);
        let contacts = join_all(
            addresses
                .iter()
                .map(|address| self.contact(kind, address, event, metrics)),
        );
        let (notice, contacts) = tokio::join!(self.notice(kind, event, metrics), contacts);
        let errors = contacts.into_iter().chain([notice]).filter_map(Result::err);
        errors.min_by_key(is_about_event).map_or(Ok(()), Err)
    }

    async fn notice(
        &self,
        kind: MailEvent,
        event: &Event,
        metrics: &Metrics,
    ) -> Result<(), StoreError> {
        let recorded = match &event.notice {
            Some(id) => {
                self.notices
                    .feedback(
                        id,
                        &Feedback::new(kind, event.message_id.clone(), event.at),
                        clock::now(),
                    )
                    .await?
            }
            None => FeedbackOutcome::NoSuchNotice,
        };
        tracing::debug!(event = event.metric(), ?recorded, "feedback for a notice");
        if recorded == FeedbackOutcome::NoSuchNotice {
            metrics.count("feedback_without_notice");
        }
        Ok(())
    }

    async fn contact(
        &self,
        kind: MailEvent,
        address: &AddressHash,
        event: &Event,
        metrics: &Metrics,
    ) -> Result<(), StoreError> {
        let is_suppressed = match kind {
            MailEvent::Complained => self.contacts.complained(address, event.at).await?,
            MailEvent::Bounced(Bounce::Hard) => {
                self.contacts.hard_bounced(address, event.at).await?
            }
            MailEvent::Bounced(Bounce::Soft | Bounce::Undetermined) => {
                self.soft_bounced(address, event).await?
            }
            _ => false,
        };
        if is_suppressed {
            tracing::info!(event = event.metric(), "an address is suppressed");
            metrics.count("contacts_suppressed");
        }
        Ok(())
    }

    /// Whether this bounce is one too many.
    async fn soft_bounced(&self, address: &AddressHash, event: &Event) -> Result<bool, StoreError> {
        let id = event
            .feedback_id
            .as_deref()
            .or(event.message_id.as_deref())
            .unwrap_or("unknown");
        if !self.contacts.soft_bounced(address, event.at, id).await? {
            return Ok(false);
        }
        let contact = self.contacts.get(address).await?;
        Ok(contact.and_then(|contact| contact.suppression()) == Some(Suppression::SoftBounces))
    }

    /// Most failures pass: of DynamoDB, or of a deployment that forbids the write until somebody
    /// corrects it. Rather than lose a complaint the message comes back as long as the queue keeps
    /// it.
    async fn failed(&self, record: &Record, event: &Event, error: &StoreError) -> Outcome {
        let (error_type, receive_count) = (error.type_name(), record.receive_count);
        if is_about_event(error) {
            tracing::warn!(error_type, %error, "feedback can never be recorded");
            return self.set_aside(record, Some(event), error_type).await;
        }
        if receive_count < PATIENCE {
            tracing::warn!(error_type, %error, receive_count, "feedback was not recorded; the message is repeated");
        } else {
            tracing::error!(error_type, %error, receive_count, "feedback is still not recorded; the message is repeated");
        }
        Outcome::Retry
    }

    async fn set_aside(&self, record: &Record, event: Option<&Event>, reason: &str) -> Outcome {
        self.dead_letters
            .replace(record, &Letter::new(record, event, reason).text(), reason)
            .await
    }
}

/// Whose contacts an event concerns. What bounces may be spelled differently from what was written
/// to, so the notice's own address is among them where it is certain that it is meant.
fn addresses(event: &Event, key: &AddressHashKey) -> BTreeSet<AddressHash> {
    if !event.concerns_addresses() {
        return BTreeSet::new();
    }
    let of_notice = event
        .notice
        .as_ref()
        .filter(|_| event.has_one_recipient)
        .and_then(|id| id.notice.address_hash());
    event
        .addresses
        .iter()
        .map(|address| key.hash(address))
        .chain(of_notice)
        .collect()
}

/// DynamoDB will refuse the same write every time, whoever makes it: an id that is no key.
fn is_about_event(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused { answer, .. } if matches!(answer.code.as_str(), "ValidationException" | "request not built"))
}
