//! Receives BILL's webhooks and queues a sync of the organization that each event names.
//!
//! Start at [`ReceiveEvents::handle`], which responds to `POST /bill/events`. BILL signs each
//! delivery. An event proves only that something happened to the organization: the sync reads the
//! facts from BILL. So events can repeat and arrive in any order.
//!
//! | Status | Meaning | BILL |
//! |---|---|---|
//! | 200 | signed: a sync is queued, or the event is of an unused type or unreadable | is done |
//! | 401 | no signature, or a signature by another key | retries |
//! | 413 | longer than [`MAX_BODY_BYTES`] | retries |
//! | 500 | an internal error | retries |
//! | 503 | the keys are not stored yet, or the queue is unavailable | retries |
//!
//! BILL treats every status except 200 as a failure, retries at growing intervals, and disables a
//! subscription that keeps failing. So a signed event of an unknown type or in an unknown format
//! gets 200 and is counted: a retry would change nothing, and a disabled subscription would lose
//! the events that matter. Responses have no body, so that they tell a forger nothing but the
//! status.
//!
//! The crate knows neither tables nor stages, and calls no API of BILL.

mod config;
mod queue;

use aws_config::SdkConfig;
use bill::events::{EventType, Notification, NotificationError, SIGNATURE_HEADER, SecurityKeys};
use engagement::SyncRequest;
use runtime::{
    Failure, Invocation, Secret,
    http::{BodyError, HeaderValue, Method, Request, Response, StatusCode, header},
};

use crate::queue::EventsQueue;

pub use config::Config;

/// The maximum length of a body, in bytes. The longest known notifications have about 2,000.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The parts of the function. Built once per process.
pub struct ReceiveEvents {
    /// The keys with which BILL signs deliveries.
    keys: Secret<SecurityKeys>,
    /// The queue for the sync requests.
    queue: EventsQueue,
}

impl ReceiveEvents {
    /// Builds the clients.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        let purpose = "security keys of BILL's webhooks";

        Self {
            keys: Secret::json(aws, config.webhook_keys_secret, purpose)
                .with_store_command("engage webhooks create"),
            queue: EventsQueue::new(aws, config.events_queue_url),
        }
    }

    /// Responds to a delivery, which was received when the invocation started.
    ///
    /// Safe to repeat. An `Err` means that the keys could not be read or the message may not have
    /// been sent: BILL has to deliver the event again.
    pub async fn handle(
        &self,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        if request.method() != Method::POST {
            return Ok(Response::empty(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(header::ALLOW, HeaderValue::from_static("POST")));
        }

        let status = match self.verify(request).await? {
            Ok(notification) => self.queue_sync(&notification, invocation).await?,
            Err(rejection) => {
                let reason = rejection.metric();
                invocation.metrics.count(reason);
                tracing::info!(reason, detail = ?rejection, "the delivery causes no sync");
                rejection.status()
            }
        };

        Ok(Response::empty(status))
    }

    /// Verifies the signature and parses the notification.
    ///
    /// An inner `Err` is final for this delivery. An outer `Err` means that the keys could not be
    /// read: BILL has to deliver the event again.
    async fn verify(&self, request: &Request) -> Result<Result<Notification, Rejection>, Failure> {
        let Some(signature) = request.header(SIGNATURE_HEADER) else {
            return Ok(Err(Rejection::Unsigned));
        };
        let body = match request.body(MAX_BODY_BYTES) {
            Ok(body) => body,
            Err(BodyError::TooLong { .. }) => return Ok(Err(Rejection::TooLong)),
            Err(BodyError::NotBase64) => return Ok(Err(Rejection::InvalidSignature)),
        };

        // BILL may already sign with a key that was stored after the cached keys were read.
        if !self.keys.get().await?.verify(&body, signature)
            && !self.keys.refresh().await?.verify(&body, signature)
        {
            return Ok(Err(Rejection::InvalidSignature));
        }

        Ok(Notification::parse(&body).map_err(Rejection::Unusable))
    }

    /// Queues a sync of the organization of a notification.
    ///
    /// An `Err` means that the message may not have been sent: BILL has to deliver the event again.
    async fn queue_sync(
        &self,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<StatusCode, Failure> {
        let Notification {
            event_id,
            organization_id,
            event_type,
            ..
        } = notification;
        invocation.metrics.count(event_metric(event_type));

        if let EventType::Other(_) = event_type {
            tracing::info!(event_id, %event_type, "events of this type are not used");
            return Ok(StatusCode::OK);
        }
        let Ok(organization) = organization_id.parse() else {
            invocation.metrics.count("events_unusable");
            tracing::warn!(event_id, %event_type, "the event has no valid organization id");
            return Ok(StatusCode::OK);
        };

        let (request, events_until) =
            SyncRequest::for_event(organization, event_id, invocation.started_at);
        self.queue.send(&request, events_until).await?;
        tracing::info!(event_id, %event_type, organization_id, "a sync is queued");

        Ok(StatusCode::OK)
    }
}

/// The metric that counts events of this type.
fn event_metric(event_type: &EventType) -> &'static str {
    match event_type {
        EventType::BankAccountCreated => "events_bank_account_created",
        EventType::BankAccountUpdated => "events_bank_account_updated",
        EventType::PaymentUpdated => "events_payment_updated",
        EventType::PaymentFailed => "events_payment_failed",
        EventType::RiskVerificationUpdated => "events_risk_verification_updated",
        EventType::Other(_) => "events_of_other_types",
    }
}

/// Why a delivery contains no notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rejection {
    /// No signature header.
    Unsigned,
    /// A signature by none of the keys, or a body that is not valid base64.
    InvalidSignature,
    /// A body of more than [`MAX_BODY_BYTES`].
    TooLong,
    /// Signed by BILL, but not in the documented format.
    Unusable(NotificationError),
}

impl Rejection {
    fn status(self) -> StatusCode {
        match self {
            Self::Unsigned | Self::InvalidSignature => StatusCode::UNAUTHORIZED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unusable(_) => StatusCode::OK,
        }
    }

    fn metric(self) -> &'static str {
        match self {
            Self::Unsigned => "rejected_unsigned",
            Self::InvalidSignature => "rejected_wrong_signature",
            Self::TooLong => "rejected_too_long",
            Self::Unusable(_) => "events_unusable",
        }
    }
}
