//! The calls about webhook subscriptions.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{
    notification::EventType,
    signature::SecurityKey,
    subscription::{Subscription, SubscriptionId},
};
use crate::{
    base_url::BaseUrl,
    client_inner::ClientInner,
    error::{Cause, Error, ErrorKind},
    lenient,
    list::{self, ListResult, Page, PageToken},
    operation::Operation,
    response::{self, ApiResponse, ResponseParser},
    transport::Call,
};

/// "API not supported": the path does not exist.
const API_NOT_SUPPORTED: &str = "BDC_1121";

/// The calls about the partner's subscriptions. A subscription covers every organization that was
/// created with the partner's application key.
///
/// The calls use the partner's session and count as requests of the partner's client.
#[derive(Clone)]
pub struct SubscriptionsClient {
    inner: Arc<ClientInner>,
    base_url: BaseUrl,
}

/// A new subscription and its key, which BILL returns only once.
#[derive(Debug, Clone)]
pub struct CreatedSubscription {
    /// The subscription as BILL lists it.
    pub subscription: Subscription,
    /// The key that signs its notifications.
    pub security_key: SecurityKey,
}

/// The result of a test event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TestEventResult {
    /// `metadata.eventId` of the notification that BILL sent.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<String>,
    /// HTTP status with which the receiver responded.
    #[serde(deserialize_with = "lenient::optional")]
    pub status_code: Option<u16>,
}

impl SubscriptionsClient {
    pub(crate) fn new(inner: Arc<ClientInner>, base_url: BaseUrl) -> Self {
        Self { inner, base_url }
    }

    /// Creates an enabled subscription to `events`.
    ///
    /// For 24 hours the same `idempotency_key` (a UUID of version 4) with the same request returns
    /// the same response, security key included. A caller that stores the key before the call can
    /// therefore retry the call after a crash.
    ///
    /// [`ErrorKind::Refused`] for a second subscription with the same events and URL, and for an
    /// eleventh subscription.
    pub async fn create(
        &self,
        idempotency_key: Uuid,
        name: &str,
        events: &[EventType],
        notification_url: &Url,
        deadline: Instant,
    ) -> Result<CreatedSubscription, Error> {
        let events: Vec<_> = events
            .iter()
            .map(|event| json!({ "type": event.to_string(), "version": "1" }))
            .collect();
        let body = json!({
            "name": name,
            "status": { "enabled": true },
            "events": events,
            "notificationUrl": notification_url.as_str(),
        });
        let call = self
            .call(Operation::CreateSubscription, "")
            .json(&body)
            .header("X-Idempotent-Key", &idempotency_key.to_string())?;

        self.send(&call, deadline, parse_created_subscription).await
    }

    /// All subscriptions, those of other users of the same application key included.
    pub async fn list(&self, deadline: Instant) -> Result<ListResult<Subscription>, Error> {
        list::read_all(|page| async move { self.list_page(page.as_ref(), deadline).await }).await
    }

    /// One subscription; `None` when it does not exist.
    pub async fn get(
        &self,
        id: &SubscriptionId,
        deadline: Instant,
    ) -> Result<Option<Subscription>, Error> {
        let call = self.call(Operation::GetSubscription, &format!("/{id}"));
        none_if_not_found(self.send(&call, deadline, parse_subscription).await)
    }

    /// Deletes a subscription. `false` when it does not exist, which includes the case that an
    /// earlier attempt of the same call deleted it and its response was lost.
    pub async fn delete(&self, id: &SubscriptionId, deadline: Instant) -> Result<bool, Error> {
        let call = self.call(Operation::DeleteSubscription, &format!("/{id}"));
        Ok(none_if_not_found(self.send(&call, deadline, response::ignore_body).await)?.is_some())
    }

    /// Makes BILL send a notification with sample data and returns the receiver's response; `None`
    /// when the subscription does not exist.
    pub async fn send_test_event(
        &self,
        id: &SubscriptionId,
        deadline: Instant,
    ) -> Result<Option<TestEventResult>, Error> {
        let call = self
            .call(Operation::SendTestEvent, &format!("/{id}/test"))
            .json(&json!({}));
        none_if_not_found(
            self.send(&call, deadline, ApiResponse::lenient_object)
                .await,
        )
    }

    async fn list_page(
        &self,
        page: Option<&PageToken>,
        deadline: Instant,
    ) -> Result<Page<Subscription>, Error> {
        let mut query = vec![("max", list::PAGE_SIZE.to_owned())];
        query.extend(page.map(|token| ("page", token.as_str().to_owned())));
        let call = self.call(Operation::GetAllSubscriptions, "").query(query);

        self.send(&call, deadline, list::parse_page)
            .await?
            .reject_repeated_token(call.operation(), page)
    }

    fn call(&self, operation: Operation, suffix: &str) -> Call {
        let path = format!("{}{suffix}", operation.path());
        Call::new(operation).with_url(self.base_url.with_path(&path))
    }

    async fn send<T>(
        &self,
        call: &Call,
        deadline: Instant,
        parse: ResponseParser<T>,
    ) -> Result<T, Error> {
        let response = self
            .inner
            .sessions
            .send(call, self.inner.call_scope(deadline), parse)
            .await?;
        Ok(response.value)
    }
}

impl fmt::Debug for SubscriptionsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SubscriptionsClient")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// BILL does not document whether an unknown id has status 400 or 404. The ids here are
/// well-formed, and a wrong path has its own error code, so both statuses mean that the id is
/// unknown.
fn none_if_not_found<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    let is_not_found = |error: &Error| {
        error.kind() == ErrorKind::Refused
            && matches!(error.status(), Some(400 | 404))
            && error
                .codes()
                .iter()
                .all(|code| code.as_str() != API_NOT_SUPPORTED)
    };

    match outcome {
        Err(error) if is_not_found(&error) => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn parse_created_subscription(response: &ApiResponse) -> Result<CreatedSubscription, Cause> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct SecurityKeyBody {
        security_key: SecretString,
    }

    let subscription = parse_subscription(response)?;
    let SecurityKeyBody { security_key } = response.json()?;
    let security_key =
        SecurityKey::new(security_key.expose_secret()).ok_or(Cause::UnexpectedJson)?;

    Ok(CreatedSubscription {
        subscription,
        security_key,
    })
}

/// `Err` when the response has no subscription id.
fn parse_subscription(response: &ApiResponse) -> Result<Subscription, Cause> {
    let subscription: Subscription = response.lenient_object()?;
    if subscription.id.is_some() {
        Ok(subscription)
    } else {
        Err(Cause::UnexpectedJson)
    }
}
