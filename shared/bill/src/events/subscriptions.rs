use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{EventType, SecurityKey, Subscription, SubscriptionId};
use crate::{
    answer::{self, Answer, ResponseParser, cause_of_json_error},
    base_url::BaseUrl,
    client::Call,
    error::{Cause, Error, ErrorKind, Operation},
    list::{self, Page, PageToken, Rows},
    partner::Bill,
};

/// The calls about the partner's subscriptions, which cover every organization created with its
/// application key. They run in the partner's session, and count as its requests.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    bill: Bill,
    base: BaseUrl,
}

/// A subscription that was just made, and the key that BILL shows this once.
#[derive(Debug, Clone)]
pub struct Created {
    /// As BILL would list it.
    pub subscription: Subscription,
    /// Signs its notifications.
    pub security_key: SecurityKey,
}

/// What became of a made-up notification.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TestEvent {
    /// `metadata.eventId` of the notification.
    #[serde(deserialize_with = "crate::lenient::optional")]
    pub id: Option<String>,
    /// What the notification's URL answered.
    #[serde(deserialize_with = "crate::lenient::optional")]
    pub status_code: Option<u16>,
}

impl Bill {
    /// The calls about subscriptions. Costs no request. `None`: the base URL has no sibling for
    /// them, see [`BaseUrl::events`].
    pub fn subscriptions(&self) -> Option<Subscriptions> {
        let base = self.partner.client.base.events()?;
        Some(Subscriptions {
            bill: self.clone(),
            base,
        })
    }
}

impl Subscriptions {
    /// Subscribes to `events`, enabled. Within 24 hours the same `idempotency_key` (a UUID of
    /// version 4) with the same request gets the same answer, the security key included; so whoever
    /// stores it before the call can repeat the call after a crash.
    ///
    /// BILL refuses a second subscription with the same events and URL, and an eleventh.
    pub async fn create(
        &self,
        idempotency_key: Uuid,
        name: &str,
        events: &[EventType],
        notification_url: &Url,
        deadline: Instant,
    ) -> Result<Created, Error> {
        let events: Vec<_> = events
            .iter()
            .map(|event| json!({ "type": event.to_string(), "version": "1" }))
            .collect();
        let body = json!({ "name": name, "status": { "enabled": true }, "events": events, "notificationUrl": notification_url.as_str() });
        let call = self
            .call(Operation::CreateSubscription, "")
            .json(&body)
            .header("X-Idempotent-Key", &idempotency_key.to_string())?;
        self.send(&call, deadline, created).await
    }

    /// All subscriptions, those of others who use the same application key included.
    pub async fn all(&self, deadline: Instant) -> Result<Rows<Subscription>, Error> {
        let mut rows = Rows::none();
        let mut page = None;
        loop {
            let read = self.page(page.as_ref(), deadline).await?;
            page = rows.take(read);
            if page.is_none() {
                return Ok(rows);
            }
        }
    }

    async fn page(
        &self,
        page: Option<&PageToken>,
        deadline: Instant,
    ) -> Result<Page<Subscription>, Error> {
        let mut query = vec![("max", list::MAX.to_owned())];
        query.extend(page.map(|token| ("page", token.as_str().to_owned())));
        let call = self.call(Operation::GetAllSubscriptions, "").query(query);
        self.send(&call, deadline, list::page)
            .await?
            .following(call.operation(), page)
    }

    /// One subscription; `None` when there is none of this id.
    pub async fn get(
        &self,
        id: &SubscriptionId,
        deadline: Instant,
    ) -> Result<Option<Subscription>, Error> {
        let call = self.call(Operation::GetSubscription, &format!("/{id}"));
        none_if_not_found(self.send(&call, deadline, subscription).await)
    }

    /// Ends a subscription. `false` when there is none of this id, be it that an earlier try of
    /// this very call has ended it.
    pub async fn delete(&self, id: &SubscriptionId, deadline: Instant) -> Result<bool, Error> {
        let call = self.call(Operation::DeleteSubscription, &format!("/{id}"));
        Ok(none_if_not_found(self.send(&call, deadline, answer::nothing).await)?.is_some())
    }

    /// Makes BILL send a made-up notification, and tells how its receiver answered; `None` when
    /// there is no such subscription.
    pub async fn test(
        &self,
        id: &SubscriptionId,
        deadline: Instant,
    ) -> Result<Option<TestEvent>, Error> {
        let call = self
            .call(Operation::SendTestEvent, &format!("/{id}/test"))
            .json(&json!({}));
        none_if_not_found(self.send(&call, deadline, parse_test_event).await)
    }

    fn call(&self, operation: Operation, rest: &str) -> Call {
        Call::new(operation).at(self.base.join(&format!("{}{rest}", operation.path())))
    }

    async fn send<T>(
        &self,
        call: &Call,
        deadline: Instant,
        reader: ResponseParser<T>,
    ) -> Result<T, Error> {
        let partner = &self.bill.partner;
        Ok(partner
            .sessions
            .send(call, self.bill.lane(deadline), reader)
            .await?
            .value)
    }
}

/// What BILL answers about an id that it does not know is not documented, 400 or 404. Ids are well
/// formed here and the path is right unless BILL says that it is not, so both can mean nothing
/// else.
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

fn created(answer: &Answer) -> Result<Created, Cause> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WithKey {
        security_key: SecretString,
    }

    let subscription = subscription(answer)?;
    let WithKey { security_key } =
        serde_json::from_str(&answer.body).map_err(|error| cause_of_json_error(&error))?;
    let security_key =
        SecurityKey::new(security_key.expose_secret()).ok_or(Cause::UnexpectedJson)?;
    Ok(Created {
        subscription,
        security_key,
    })
}

/// An answer that is a subscription; one without an id is of the wrong shape.
fn subscription(answer: &Answer) -> Result<Subscription, Cause> {
    let read: Subscription = object(answer)?;
    if read.id.is_some() {
        Ok(read)
    } else {
        Err(Cause::UnexpectedJson)
    }
}

fn parse_test_event(answer: &Answer) -> Result<TestEvent, Cause> {
    object(answer)
}

fn object<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Cause> {
    if !answer.is_success() {
        return Err(Cause::UnexpectedJson);
    }
    let raw: &serde_json::value::RawValue =
        serde_json::from_str(&answer.body).map_err(|error| cause_of_json_error(&error))?;
    crate::lenient::object(raw).ok_or(Cause::UnexpectedJson)
}

/// "API not supported."
const API_NOT_SUPPORTED: &str = "BDC_1121";
