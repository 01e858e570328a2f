//! Receives BILL's webhooks: a bank account, a payment or a verification has changed, so that
//! organization is to be looked at now and not at its next turn.
//!
//! An event is believed in one thing alone, that something happened to the organization that it
//! names. What is so is read from BILL by the look that it causes, so events may repeat and arrive
//! in any order. `POST /bill/events` is answered
//!
//! | answer | when | BILL |
//! |---|---|---|
//! | 200 | signed: queued, or nothing that we look for or could read | is done |
//! | 401 | not signed, or not by one of our keys | tries again |
//! | 413 | longer than [`MAX_BODY_BYTES`] | tries again |
//! | 503 | our fault: no keys yet, or the queue does not answer | tries again |
//!
//! BILL takes anything but 200 for a failure, tries again at growing intervals, and disables a
//! subscription that keeps failing. So a signed event of a type that we do not know, or that we
//! cannot read, is answered 200 and counted: trying again would change nothing, and losing the
//! subscription would lose the events that matter. No answer says why.

mod config;
mod queue;

use bill::events::{EventType, Notification, NotificationError, SIGNATURE_HEADER, SecurityKeys};
use engagement::SyncRequest;
use jiff::Timestamp;
use runtime::{
    Failure, Metrics, Secret,
    http::{BodyError, HeaderValue, Method, Request, Response, StatusCode, header},
};

pub use config::Config;
pub use queue::EventsQueue;

/// Longest body that is read, in bytes. BILL's longest that are known have some 2,000.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Receives events. Built once per process.
pub struct ReceiveEvents {
    /// The keys that BILL signs with.
    pub keys: Secret<SecurityKeys>,
    /// Where the organizations go that are to be looked at.
    pub queue: EventsQueue,
}

impl ReceiveEvents {
    /// Answers a delivery that arrived at `at`, in whole seconds.
    ///
    /// May be repeated. An `Err` means that the keys or the queue could not be used: BILL is to
    /// deliver the event again.
    pub async fn answer(
        &self,
        request: &Request,
        at: Timestamp,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        if request.method() != Method::POST {
            return Ok(Response::empty(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(header::ALLOW, HeaderValue::from_static("POST")));
        }
        let status = match self.received(request).await? {
            Ok(notification) => self.take(&notification, at, metrics).await?,
            Err(rejection) => {
                metrics.count(rejection.metric());
                tracing::info!(reason = rejection.metric(), detail = ?rejection, "a delivery causes nothing");
                rejection.status()
            }
        };
        Ok(Response::empty(status))
    }

    /// The notification of a delivery that BILL signed.
    async fn received(
        &self,
        request: &Request,
    ) -> Result<Result<Notification, Rejection>, Failure> {
        let Some(signature) = request.header(SIGNATURE_HEADER) else {
            return Ok(Err(Rejection::Unsigned));
        };
        let body = match request.body(MAX_BODY_BYTES) {
            Ok(body) => body,
            Err(BodyError::TooLong { .. }) => return Ok(Err(Rejection::TooLong)),
            Err(BodyError::NotBase64) => return Ok(Err(Rejection::WronglySigned)),
        };
        // A new key may be younger than the one that is kept.
        if !self.keys.get().await?.verify(&body, signature)
            && !self.keys.refreshed().await?.verify(&body, signature)
        {
            return Ok(Err(Rejection::WronglySigned));
        }
        Ok(Notification::parse(&body).map_err(Rejection::Unusable))
    }

    /// Has the organization of a notification looked at.
    async fn take(
        &self,
        notification: &Notification,
        at: Timestamp,
        metrics: &Metrics,
    ) -> Result<StatusCode, Failure> {
        let Notification {
            event_id,
            organization_id,
            event_type,
            ..
        } = notification;
        metrics.count(metric(event_type));
        if let EventType::Other(_) = event_type {
            tracing::info!(event_id, %event_type, "an event of this type is not looked for");
            return Ok(StatusCode::OK);
        }
        let Ok(organization) = organization_id.parse() else {
            metrics.count("events_unusable");
            tracing::warn!(event_id, %event_type, "an event names no organization");
            return Ok(StatusCode::OK);
        };
        let (request, events_until) = SyncRequest::of_event(organization, event_id, at);
        self.queue.send(&request, events_until).await?;
        tracing::info!(event_id, %event_type, organization_id, "an organization is to be looked at");
        Ok(StatusCode::OK)
    }
}

/// The metric of an event, by its type.
fn metric(event_type: &EventType) -> &'static str {
    match event_type {
        EventType::BankAccountCreated => "events_bank_account_created",
        EventType::BankAccountUpdated => "events_bank_account_updated",
        EventType::PaymentUpdated => "events_payment_updated",
        EventType::PaymentFailed => "events_payment_failed",
        EventType::RiskVerificationUpdated => "events_risk_verification_updated",
        EventType::Other(_) => "events_of_other_types",
    }
}

/// Why a delivery causes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rejection {
    Unsigned,
    WronglySigned,
    TooLong,
    Unusable(NotificationError),
}

impl Rejection {
    fn status(self) -> StatusCode {
        match self {
            Self::Unsigned | Self::WronglySigned => StatusCode::UNAUTHORIZED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unusable(_) => StatusCode::OK,
        }
    }

    fn metric(self) -> &'static str {
        match self {
            Self::Unsigned => "rejected_unsigned",
            Self::WronglySigned => "rejected_wrong_signature",
            Self::TooLong => "rejected_too_long",
            Self::Unusable(_) => "events_unusable",
        }
    }
}
