//! The `record-feedback` function: records the events of SES on notices and contacts.
//!
//! SES publishes sends, deliveries, bounces and complaints to EventBridge, whose rule routes them
//! to an SQS queue. This function processes the queue in batches. Each event updates the notice
//! that the e-mail was sent for; a bounce or complaint also suppresses the address.
//!
//! Events repeat and arrive in any order. Every write is idempotent and is refused when the notice
//! already has a status that outranks it. So a message may be processed twice or stopped half-way.
//!
//! Events contain addresses. So no body reaches a log, and the queue has no redrive policy, which
//! would move the body to the dead-letter queue. A message that can never be processed is replaced
//! by a redacted dead letter that contains ids and the reason.
//!
//! Start reading at [`Recorder::handle`]. It uses these modules:
//!
//! - `event` parses an SES event and decides what it means.
//! - `redacted_dead_letter` is the message to the dead-letter queue.
//!
//! The crate does not know which status outranks another (`engagement`) or how many soft bounces
//! suppress an address (`engagement`), and does not send e-mails (`notify`).

mod config;
mod event;
mod redacted_dead_letter;

use std::{collections::BTreeSet, time::Duration};

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use engagement::{AddressHash, AddressHashKey, Bounce, Feedback, MailEvent, Suppression};
use futures::future::join_all;
use runtime::{
    ClassifiedError, DeadLetterQueue, Failure, Invocation, Metrics, Secret, clock,
    sqs::{HandlerOutcome, Record, run_batch},
};
use secrecy::SecretString;
use store::{Contacts, FeedbackOutcome, Notices, StoreError, StoreErrorKind, Tables};

use crate::{event::Event, redacted_dead_letter::RedactedDeadLetter};

pub use config::Config;

/// Events that are recorded concurrently.
const CONCURRENCY: usize = 10;

/// Time that must be left before another event is started: one event takes at most this long.
const RECORD_TIME_RESERVE: Duration = Duration::from_secs(5);

/// Receives of a message from which a failure is logged as an error instead of a warning.
const ERROR_AFTER_RECEIVES: u32 = 20;

/// Records SES events. Built once per process.
pub struct Recorder {
    notices: Notices,
    contacts: Contacts,
    /// Where the dead letters of messages go that can never be processed.
    dead_letters: DeadLetterQueue,
    /// The key of the address hashes.
    address_key: Secret<SecretString>,
}

impl Recorder {
    /// Builds the clients.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        let tables = Tables::new(store::client(aws), config.tables);

        Self {
            notices: tables.notices(),
            contacts: tables.contacts(),
            dead_letters: DeadLetterQueue::new(aws, config.feedback_dead_letter_queue_url),
            address_key: Secret::text(aws, config.address_key_secret, "key of the address hashes"),
        }
    }

    /// Processes a batch of messages, each independently of the others. The response names those
    /// that SQS must deliver again. An `Err` makes SQS deliver the whole batch again.
    pub async fn handle(
        &self,
        event: SqsEvent,
        invocation: &Invocation,
    ) -> Result<SqsBatchResponse, Failure> {
        let metrics = &invocation.metrics;
        let key = AddressHashKey::new((*self.address_key.get().await?).clone());
        let process = async |record| self.process_record(&record, &key, metrics).await;

        let batch = run_batch(
            event,
            invocation.deadline,
            CONCURRENCY,
            RECORD_TIME_RESERVE,
            process,
        )
        .await?;

        batch.counts.add_to(metrics);
        Ok(batch.response)
    }

    async fn process_record(
        &self,
        record: &Record,
        key: &AddressHashKey,
        metrics: &Metrics,
    ) -> HandlerOutcome {
        let event = match Event::parse(&record.body, clock::now()) {
            Ok(event) => event,
            Err(reason) => {
                metrics.count("feedback_unreadable");
                return self.dead_letter(record, None, &reason).await;
            }
        };
        if let Some(id) = &event.notice {
            record.log_organization_id(&id.organization_id);
        }

        match self.record_event(&event, key, metrics).await {
            Ok(()) => {
                metrics.count(event.metric());
                metrics.add("addresses_invalid", event.invalid_addresses as u64);
                HandlerOutcome::Done
            }
            Err(error) => self.handle_failure(record, &event, &error).await,
        }
    }

    /// Records the event on its notice and contacts, concurrently. Each write is attempted even if
    /// another one fails. Of several errors, a recoverable one is returned before a permanent one,
    /// so that the message is retried.
    async fn record_event(
        &self,
        event: &Event,
        key: &AddressHashKey,
        metrics: &Metrics,
    ) -> Result<(), StoreError> {
        let Some(kind) = event.kind else {
            return Ok(());
        };

        let addresses = affected_addresses(event, key);
        let contacts = join_all(
            addresses
                .iter()
                .map(|address| self.record_on_contact(kind, address, event, metrics)),
        );
        let notice = self.record_on_notice(kind, event, metrics);
        let (notice, contacts) = tokio::join!(notice, contacts);

        let errors = contacts.into_iter().chain([notice]).filter_map(Result::err);
        errors.min_by_key(is_permanent).map_or(Ok(()), Err)
    }

    async fn record_on_notice(
        &self,
        kind: MailEvent,
        event: &Event,
        metrics: &Metrics,
    ) -> Result<(), StoreError> {
        let recorded = match &event.notice {
            Some(id) => {
                let feedback = Feedback::new(kind, event.message_id.clone(), event.at);
                self.notices
                    .record_feedback(id, &feedback, clock::now())
                    .await?
            }
            None => FeedbackOutcome::NoSuchNotice,
        };

        tracing::debug!(
            event = event.metric(),
            ?recorded,
            "processed the notice of the event"
        );
        if recorded == FeedbackOutcome::NoSuchNotice {
            metrics.count("feedback_without_notice");
        }
        Ok(())
    }

    async fn record_on_contact(
        &self,
        kind: MailEvent,
        address: &AddressHash,
        event: &Event,
        metrics: &Metrics,
    ) -> Result<(), StoreError> {
        let is_suppressed = match kind {
            MailEvent::Complained => self.contacts.record_complaint(address, event.at).await?,
            MailEvent::Bounced(Bounce::Hard) => {
                self.contacts.record_hard_bounce(address, event.at).await?
            }
            MailEvent::Bounced(Bounce::Soft | Bounce::Undetermined) => {
                self.record_soft_bounce(address, event).await?
            }
            _ => false,
        };

        if is_suppressed {
            tracing::info!(event = event.metric(), "an address is suppressed");
            metrics.count("contacts_suppressed");
        }
        Ok(())
    }

    /// Returns whether this soft bounce suppresses the address.
    async fn record_soft_bounce(
        &self,
        address: &AddressHash,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let id = event
            .feedback_id
            .as_deref()
            .or(event.message_id.as_deref())
            .unwrap_or("unknown");
        if !self
            .contacts
            .record_soft_bounce(address, event.at, id)
            .await?
        {
            return Ok(false);
        }

        let contact = self.contacts.get(address).await?;
        Ok(contact.and_then(|contact| contact.suppression()) == Some(Suppression::SoftBounces))
    }

    /// Most failures are recoverable, such as throttling, or missing permissions until a deployment
    /// adds them. The message is then retried for as long as the queue keeps it, so that no
    /// complaint is lost.
    async fn handle_failure(
        &self,
        record: &Record,
        event: &Event,
        error: &StoreError,
    ) -> HandlerOutcome {
        let (error_type, receive_count) = (error.error_type().name(), record.receive_count);
        if is_permanent(error) {
            tracing::warn!(error_type, %error, "the event can never be recorded");
            return self.dead_letter(record, Some(event), error_type).await;
        }

        if receive_count < ERROR_AFTER_RECEIVES {
            tracing::warn!(
                error_type,
                %error,
                receive_count,
                "the event was not recorded; the message is retried"
            );
        } else {
            tracing::error!(
                error_type,
                %error,
                receive_count,
                "the event was not recorded after many receives; the message is retried"
            );
        }
        HandlerOutcome::Retry
    }

    /// Replaces the message by a redacted dead letter. If that cannot be sent, the message is
    /// retried.
    async fn dead_letter(
        &self,
        record: &Record,
        event: Option<&Event>,
        reason: &str,
    ) -> HandlerOutcome {
        let dead_letter = RedactedDeadLetter::new(record, event, reason);
        self.dead_letters
            .send_redacted(record, &dead_letter.to_json(), reason)
            .await
    }
}

/// The contacts that the event is recorded on. A mail server may report another spelling of the
/// address than the e-mail was sent to. So the address of the notice is included when it is certain
/// that the event concerns it.
fn affected_addresses(event: &Event, key: &AddressHashKey) -> BTreeSet<AddressHash> {
    if !event.concerns_addresses() {
        return BTreeSet::new();
    }

    let notice_address = event
        .notice
        .as_ref()
        .filter(|_| event.has_one_recipient)
        .and_then(|id| id.notice.address_hash());
    event
        .addresses
        .iter()
        .map(|address| key.hash(address))
        .chain(notice_address)
        .collect()
}

/// Whether DynamoDB will reject the same write every time: an id of the event is no valid key.
fn is_permanent(error: &StoreError) -> bool {
    error.kind() == StoreErrorKind::InvalidRequest
}
